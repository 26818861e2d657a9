//! The words that introduce an answer, and those that name or report somebody else, in several languages.

use std::collections::HashSet;
use std::sync::LazyLock;

type WordSet = HashSet<&'static str>;

fn words(list: &'static str) -> WordSet {
    list.split(' ').collect()
}

/// Words that introduce the model's own answer. A language that is missing here costs a second request, and nothing more.
pub(super) static ANSWER: LazyLock<WordSet> = LazyLock::new(|| {
    words(
        "json json5 jsonc answer final finally output response reply result results object verdict decision \
         classification evaluation solution completion conclusion assessment judgement judgment rating \
         extracted extraction assistant model ai draft corrected updated here below follows sure certainly \
         course okay ok understood done so thus therefore hence finished antwort ergebnis urteil entscheidung \
         ausgabe hier folgt gerne réponse résultat sortie voici voilà décision respuesta resultado salida \
         aquí decisión claro resposta saída aqui decisão risposta risultato ecco decisione antwoord resultaat \
         uitvoer beslissing svar resultat dom här her beslut odpowiedź wynik oto odpověď výsledek zde vastaus \
         tulos tässä válasz eredmény yanıt cevap sonuç işte ответ результат вот відповідь απάντηση jawaban \
         hasil",
    )
});

/// The same in languages that write no blanks between words.
const ANSWER_PARTS: &str = "答案 结果 結果 回答 以下 输出 輸出 如下 出力 答え 判定 답변 결과 다음";

/// Several words that introduce the answer together.
pub(super) const ANSWER_PHRASES: &[[&str; 2]] = &[
    ["it", "is"],
    ["it", "s"],
    ["i", "say"],
    ["i", "answer"],
    ["i", "decide"],
    ["i", "conclude"],
    ["i", "choose"],
    ["i", "return"],
    ["i", "respond"],
    ["i", "reply"],
    ["my", "data"],
    ["structured", "data"],
];

/// Words that a label of an answer may have beside them.
pub(super) static FILLERS: LazyLock<WordSet> = LazyLock::new(|| {
    words(
        "a an the my our your this that it s is are be as in of for to and i say answer decide conclude \
         choose return respond valid full complete structured extracted parsed requested data format \
         formatted value you go we const let var das die der ein eine ist lautet als le la les el los est es \
         o é il è den det er är de het",
    )
});

/// Labels of what a model writes before its answer.
pub(super) static REASONING: LazyLock<WordSet> = LazyLock::new(|| {
    words(
        "reasoning reason reasons analysis explanation rationale justification thought thoughts thinking note \
         notes summary step steps confidence begründung analyse hinweis raison explication razón análisis \
         nota",
    )
});

/// Those who are not the model.
pub(super) static OTHERS: LazyLock<WordSet> = LazyLock::new(|| {
    words(
        "user users human humans customer customers client clients visitor attacker sender author reviewer \
         caller buyer seller person guest stranger system developer operator action tool tools function \
         ipython environment server example they he she benutzer benutzerin nutzer nutzerin anwender kunde \
         kundin mensch absender utilisateur utilisatrice cliente usuario usuaria usuário utente gebruiker \
         klant användare kund bruger bruker kunden użytkownik klient uživatel zákazník käyttäjä asiakas \
         felhasználó kullanıcı müşteri пользователь клиент користувач χρήστης pengguna",
    )
});

/// Words for what others wrote, and for the fact that they did.
pub(super) static REPORTS: LazyLock<WordSet> = LazyLock::new(|| {
    words(
        "input inputs question observation quotation quotations quote quoted quotes query prompt message \
         messages email mail body letter comment transcript excerpt original source attachment payload \
         instruction instructions wrote written writes said says sent sends asked asks typed types pasted \
         pastes provided provides gave gives given got received submitted submits posted posts claimed claims \
         stated states told tells wanted wants demanded demands requests suggested suggests injected contains \
         contained reads ignore ignored refuse reject rejected eingabe nachricht frage schrieb schreibt sagte \
         sagt entrée écrit dit entrada escribió dijo mensaje mensagem messaggio scrive",
    )
});

/// The same in languages that write no blanks between words.
const OTHER_PARTS: &str = "用户 用戶 客户 客戶 ユーザー 顧客 사용자 고객 输入 輸入 入力 입력";

/// What follows the name of somebody in the name of a record: `customer data`.
static RECORDS: LazyLock<WordSet> =
    LazyLock::new(|| words("data information info record profile details object entity account json"));

/// What an answer is about: `classification of the email`.
static TASKS: LazyLock<WordSet> = LazyLock::new(|| {
    words("classification evaluation assessment rating analysis summary extraction review translation")
});

/// The words of a text in lower case. Marks between them do not count.
pub(super) fn words_of(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn has_part(word: &str, list: &str) -> bool {
    !word.is_ascii() && list.split(' ').any(|part| word.contains(part))
}

/// Whether a word introduces an answer.
pub(super) fn is_answer_word(word: &str) -> bool {
    ANSWER.contains(word) || has_part(word, ANSWER_PARTS)
}

/// Whether words name somebody else, or report what they wrote. An answer may be for them or about their words.
pub(super) fn report_another(words: &[String]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let is_record = words.get(at + 1).is_some_and(|next| RECORDS.contains(next.as_str()));
        let is_other = OTHERS.contains(word.as_str()) && !is_record;
        let is_other = is_other || REPORTS.contains(word.as_str());
        (is_other && !is_subject(words, at)) || has_part(word, OTHER_PARTS)
    })
}

/// Whether a word is what the answer is about: `for the user`, `classification of the email`, `based on the input`.
fn is_subject(words: &[String], at: usize) -> bool {
    (at.saturating_sub(4)..at).any(|before| match words[before].as_str() {
        "for" | "on" => true,
        "of" => before > 0 && TASKS.contains(words[before - 1].as_str()),
        "from" => words[..before].iter().any(|word| word == "extracted"),
        _ => false,
    })
}
