//! Tells whether the words next to some JSON introduce an answer.
//!
//! The rule is a list of what is allowed. JSON may begin a line, after a finished sentence or a list of reasons. Where a
//! label, a heading or an unfinished sentence leads to it, the words must be those of an answer (`Here is the JSON:`).
//! Anything else is refused.

use super::answer_words::{ANSWER_PHRASES, FILLERS, OTHERS, is_answer_word, report_another, words_of};
use super::fences::is_json_name;
use super::marks::is_blank;
use super::tags::{LastTag, last_tag};

/// How the text before some JSON leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Introduction {
    /// Nothing leads to it: it is at the beginning, or follows a finished sentence.
    None,
    /// The words introduce an answer.
    Answer,
    /// The words may introduce a quotation.
    Unknown,
}

/// How many bytes next to the JSON are read.
const REACH: usize = 240;

/// How the text before some JSON leads to it.
pub(super) fn introduction(before: &str) -> Introduction {
    // Doubled braces, as templates have them.
    let before = before.strip_suffix('{').unwrap_or(before);
    let mut start = before.len().saturating_sub(REACH);
    while !before.is_char_boundary(start) {
        start += 1;
    }
    let near = &before[start..];
    let (above, lead) = near.rsplit_once(['\n', '\r']).unwrap_or(("", near));
    let lead = match without_layout(lead) {
        Ok(lead) => lead,
        Err(introduction) => return introduction,
    };
    if lead.contains(char::is_alphabetic) {
        return of_words(lead);
    }
    // The mark of a list or heading, or an arrow.
    let marks = lead.replace("->", "").replace("=>", "");
    let is_mark = |c: char| is_blank(c) || "*_#-+•→⇒.)".contains(c) || c.is_ascii_digit();
    if marks.chars().all(is_mark) { of_lines(above) } else { Introduction::Unknown }
}

/// Removes blanks, emphasis and tags of the layout from the end. A tag of another kind decides.
fn without_layout(text: &str) -> Result<&str, Introduction> {
    let mut text = text;
    loop {
        text = text.trim_end_matches(|c| is_blank(c) || matches!(c, '*' | '_'));
        match last_tag(text) {
            Some((start, LastTag::Layout)) => text = &text[..start],
            Some((_, LastTag::Answer)) => return Err(Introduction::Answer),
            Some((_, LastTag::Closed | LastTag::Token)) => return Err(Introduction::None),
            Some((_, LastTag::Other)) => return Err(Introduction::Unknown),
            None => return Ok(text),
        }
    }
}

/// How the lines above the JSON lead to it.
fn of_lines(above: &str) -> Introduction {
    let mut above = above;
    loop {
        let text = above.trim_end_matches(is_blank);
        let is_apart = above[text.len()..].contains('\n');
        if text.is_empty() {
            return Introduction::None;
        }
        let (rest, line) = text.rsplit_once(['\n', '\r']).unwrap_or(("", text));
        let bare = line.trim_matches(|c| is_blank(c) || matches!(c, '~' | '-' | '=' | '*' | '_'));
        if bare.is_empty() || is_json_name(bare) {
            above = rest;
            continue;
        }
        let words = match without_layout(line) {
            Ok(words) => words,
            Err(introduction) => return introduction,
        };
        return of_line(line.trim_start_matches(is_blank), words, is_apart);
    }
}

/// How a line above the JSON leads to it. `is_apart` if an empty line is between them.
fn of_line(line: &str, words: &str, is_apart: bool) -> Introduction {
    /// A line of as many words may be a label.
    const LABEL: usize = 4;
    let is_heading = line.starts_with(['#', '[', '*', '_']) && !line.starts_with("* ");
    match words.chars().next_back() {
        Some('.' | '!' | '?' | '…' | '。' | '！' | '？') if !is_heading || words.contains(". ") => {
            Introduction::None
        }
        Some(':' | '：' | ',' | '，' | ';' | '-' | '–' | '—' | '=' | '>') => of_words(words),
        _ => {
            let is_item =
                line.starts_with(['-', '*', '+', '•', '|']) || line.starts_with(|c: char| c.is_ascii_digit());
            let is_long = line.split_whitespace().nth(LABEL).is_some();
            if is_apart && !line.starts_with(['#', '[']) && (is_item && !is_heading || is_long) {
                Introduction::None
            } else {
                of_words(words)
            }
        }
    }
}

/// How the last sentence of some text leads to the JSON after it.
fn of_words(text: &str) -> Introduction {
    /// A label has at most as many words.
    const LABEL: usize = 3;
    if text.contains(['|', '│', '¦', '\t']) && !text.contains("|>") {
        return Introduction::Unknown;
    }
    let clause = last_sentence(text);
    let words = words_of(&without_tags(clause));
    if words.is_empty() {
        return if clause.contains([':', '：', '>', ']']) {
            Introduction::Unknown
        } else {
            Introduction::None
        };
    }
    let is_phrase = words.windows(2).any(|pair| ANSWER_PHRASES.iter().any(|phrase| phrase == pair));
    let introduces = is_phrase || words.iter().any(|word| is_answer_word(word));
    let is_label = words.len() <= LABEL;
    let is_known = |word: &String| {
        is_answer_word(word) || FILLERS.contains(word.as_str()) || word.chars().all(|c| c.is_ascii_digit())
    };
    if introduces && !report_another(&words) && (!is_label || words.iter().all(is_known)) {
        Introduction::Answer
    } else {
        Introduction::Unknown
    }
}

/// The part of a text after the last end of a sentence.
fn last_sentence(text: &str) -> &str {
    let text = text.trim_end_matches(is_blank);
    let mut start = 0;
    let mut before = ' ';
    for (offset, c) in text.char_indices() {
        if matches!(before, '。' | '！' | '？')
            || (is_blank(c) && matches!(before, '.' | '!' | '?' | ';' | '…'))
        {
            start = offset;
        }
        before = c;
    }
    // `Sure! {…}` has no more words.
    if matches!(before, '.' | '!' | '?' | '…' | '。' | '！' | '？') { "" } else { &text[start..] }
}

/// The text without what is in angle brackets.
fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain += before;
        let Some((_, after)) = after.split_once('>') else {
            rest = after;
            break;
        };
        plain.push(' ');
        rest = after;
    }
    plain + rest
}

/// Whether the text after some JSON tells that it is a cell of a table, or reports whose words it is.
pub(super) fn is_reported_after(after: &str) -> bool {
    const CONTINUATIONS: [&str; 13] =
        ["is", "was", "are", "were", "as", "by", "from", "said", "says", "wrote", "what", "that", "which"];
    const SPEECH: [&str; 8] = ["wrote", "written", "said", "says", "sent", "typed", "quoted", "pasted"];
    let mut end = after.len().min(REACH);
    while !after.is_char_boundary(end) {
        end -= 1;
    }
    let near = &after[..end];
    let (line, below) = near.split_once('\n').unwrap_or((near, ""));
    let rest = line.trim_start_matches([' ', '*', '_']);
    if rest.starts_with(['|', '│', '¦', '&', '—', '–']) || (rest.starts_with('\t') && !rest.trim().is_empty())
    {
        return true;
    }
    let words = words_of(rest.split(['.', '!', '?', '。', '！', '？']).next().unwrap_or(rest));
    let continues = rest.starts_with([',', '('])
        || words.first().is_some_and(|first| CONTINUATIONS.contains(&first.as_str()));
    let reports = |word: &String| SPEECH.contains(&word.as_str()) || OTHERS.contains(word.as_str());
    let below = below.trim_start();
    let is_signed = below.starts_with(['—', '–']) || (below.starts_with("--") && !below.starts_with("---"));
    is_signed || (continues && words.iter().any(reports))
}
