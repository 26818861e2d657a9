//! Characters that look like the letters, digits and signs of a tag, from the confusable characters of Unicode (UTS 39)
//! and from what people write "fancy" text with.
//!
//! The table is for comparing only, so it is generous. A letter that is folded without need does no harm, because a tag
//! is found only if its whole name is there.

use std::sync::LazyLock;

/// For each character of a tag, the characters that look like it. Those that a decomposition or a change of case turns
/// into one of them need no entry: `ｄ`, `𝐝`, `é`, `ı`, `Ł`.
const LOOK_ALIKES: &[(char, &str)] = &[
    ('a', "аɑαӕѧᴀɐɒⱥꬰꭺᎪᗅᗩꓮⲁ𐊠𖽀⍺ΛᏗ∀"),
    ('b', "ƀɓƃƅЬьБВвΒβʙꞗҌҍЪъᏏᏼᗷᗿᖯꓐⲃ𐊂𐊡𐌁฿ᛒꞵծნ"),
    ('c', "сϲƈȼɔᴄςᏟᑕꓚⲥ𐊢𐌂𐐕𐐽¢ↄꮯ↻ҫϹↅꞔ⊂₡"),
    ('d', "ԁɖɗđðƌᴅᴆȡᎠᏧᑯᗞᗪꓒꓓ∂ꭰძԺժ"),
    ('e', "еєэɇəɛɘǝᴇεΕΣ℮ҽԑⱻᎬᗴᘿꓰⲉ𐊆⋿∃€ᥱꬲꞓƐɜҿҾΞ"),
    ('f', "ƒғϝꜰꞙꬵẝʄᖴꓝ𐊇𐊥𐔄₣քʃꟻᎴ"),
    ('g', "ɡɠǥցɢᶃᏀᏳᎶꓖԌԍ₲ƍ"),
    ('h', "һհħɦʜɥΗнНҺⱨꜧᎻᏂᕼꓧⲏ𐋏ᏲћђЋЂҥңⱶᚺ⋕"),
    ('i', "іɨιɪᎥӏӀɩᛁꓲⲓ𐊊ꙇⵏ⍳ᴉɿւ¡ꭵᎨ\u{5d5}\u{5df}\u{627}ǀǁΙ∣❘⏐"),
    ('j', "јɉʝϳյᴊᎫᒍꓙͿɟȷႱ"),
    ('k', "кκƙⱪĸᴋᏦᛕꓗⲕ₭ҟҝқӄʞҡꝁꝃꝅ𐌊"),
    ('l', "łƚɫɭɬⱡᴌʟᏞᒪꓡⳑ𐐛լԼ₤£ꝉʅȴ𐑃ᒐ"),
    ('m', "мʍɱΜᴍᎷᗰᛖꓟⲙ𐊰𐌑₥ϻɯᗑӎጠ൩"),
    ('n', "пηɲƞŋոռΝɴиՈᴎᑎꓠⲛղ₦ҋȠ𐔓դȵИлᏁ∩"),
    ('o', "оοøɵσօᴏәΟΘθФфӨөⲟꓳᏫᎾ𐊒𐊫𐐄𐐬૦௦๐໐ဝᴑოჿ\u{5e1}\u{647}\u{665}೦○◯●∅ⵔⵙ𐓂𐓪ѳѲʘ⊙ᢀ〇◦∘Ѻѻϙ"),
    ('p', "рρƥþᴘᏢᑭꓑⲣ𐊕ƿᵽꝑҏҎΡ₱ᑶᚹǷ⍴"),
    ('q', "ԛʠɋգզϥԚᏄႭϘҨ℺ᑫ"),
    ('r', "гґɍɽɾʀꞦᴦᴙɹяЯᎡᏒᖇꓣᚱꭇꭈꮁɼ𐒴"),
    ('s', "ѕʂꜱՏᏕᏚꓢ𐊖𐐠𐑈ꞩȿƽƨᔕ§ꮪട"),
    ('t', "тτŧƭʈᴛʇΤᎢꓔⲧ𐊗𐊱𐌕⟙ⱦ₮†ҭᏆȶէե┬⊤⏇"),
    ('u', "υսʉʋцᴜꞟՍᑌꓴմμᏌɄ∪⋃𐓎𐓶ⵡꭎꭒ"),
    ('v', "νѵᴠѴᏙᏉᐯꓦⱱ∨⋁ʌ۷\u{667}ꮩⴸ𐔝"),
    ('w', "ԝѡաωшщᴡϣШЩᏔᎳᗯꓪⱳԜɰ₩ꞷᘺᙎ"),
    ('x', "хχΧᕁᕽ᙭ҳӿⲭꓫ𐊐𐊴𐌗𐌢ᚷ×✕✖⨯╳⤫⤬ӽ᙮ⵝжЖ𐔧"),
    ('y', "уүγʏɏƴɣყΥᎩᎽꓬⲩ𐊲ҮУұҰỿ¥ʎꭚᖻ"),
    ('z', "ʐᴢƶȥɀᏃꓜ𐋵ΖⱬᶎʒჍʑ𐔥ζ"),
    ('1', "Ɩ⓵➀❶"),
    ('2', "ƧϨꙄᒿ⓶➁❷ᴤ"),
    ('3', "ЗзƷȜȝӠӡՅԐⳌ⓷➂❸\u{10918}"),
    ('4', "Ꮞ⓸➃❹Ч"),
    ('5', "Ƽ⓹➄❺"),
    ('6', "бᏮⳒ⓺➅❻"),
    ('7', "𐓒⓻➆❼"),
    ('8', "Ȣȣ⓼➇❽𐌚ᏸ"),
    ('9', "ꝮⳊ⓽➈❾୨൭"),
    ('-', "‐‒–—―−⁃˗⸺⸻─━ー一ᅳᐨ᠆\u{5be}⎯⹀〜〰➖∼ꟷ"),
    ('_', "ˍ\u{7fa}‿⁀▁⎽"),
    ('/', "⁄∕╱⧸⟋⫽〳ノ丿᜵Ⳇ𝈺᚛ʹ"),
];

/// The characters that a reader may take for `<`: brackets, quotation marks, signs of comparison and triangles
/// that point to the left. Those that only decompose to `<` are here too, so that a text is searched for one list.
const OPENING: &str = "<«˂˱ᐸᚲ‹≤≦≨≪≮≰≲≴≶≷≸≹≺≼≾⊰⋖⋘⋚⋛⋜⋞⋦⋨\u{2329}⍃⏪⏮⏴◀◁◂◃◄◅\
     ❬❮❰⟨⟪⥶⥷⦑⦓⦖⧀⧼⩹⩻⩽⩿⪁⪃⪅⪇⪉⪋⪍⪏⪕⪗⪙⪛⪝⪟⪡⪣⪤⪥⪦⪨⪪⪬⪯⪱⪳⪵⪷⪹⪻⫷⫹⯇〈《︽︿﹤＜𝈶🞀";

static OPENING_TABLE: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = OPENING.chars().collect();
    table.sort_unstable();
    table
});

/// Whether a reader may take this character for `<`.
pub(super) fn is_opening(character: char) -> bool {
    character == '<' || (!character.is_ascii() && OPENING_TABLE.binary_search(&character).is_ok())
}

/// The first of each row of letters that do not decompose to a letter alone: in a black circle or square, of flags, and
/// in brackets.
const ALPHABETS: [char; 5] = ['\u{1f150}', '\u{1f170}', '\u{1f1e6}', '\u{249c}', '\u{1f110}'];

/// The zero of each row of ten digits of other scripts.
const ZEROS: [char; 60] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{104a0}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{11f50}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{10d30}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e4f0}',
    '\u{1e950}',
];

/// The characters of [`LOOK_ALIKES`] in order, each with the one that it looks like.
static TABLE: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let each =
        |&(target, alike): &(char, &'static str)| alike.chars().map(move |character| (character, target));
    let mut table: Vec<(char, char)> = LOOK_ALIKES.iter().flat_map(each).collect();
    table.sort_by_key(|(character, _)| *character);
    table.dedup_by_key(|(character, _)| *character);
    table
});

/// The lower-case letter, digit or sign of a tag that this character looks like.
pub(super) fn look_alike(character: char) -> Option<char> {
    if let Ok(at) = TABLE.binary_search_by_key(&character, |(known, _)| *known) {
        return Some(TABLE[at].1);
    }
    let place = |first: char, count: u32| {
        u32::from(character).checked_sub(u32::from(first)).filter(|place| *place < count)
    };
    let letter = ALPHABETS.into_iter().find_map(|first| Some(('a', place(first, 26)?)));
    let found = letter.or_else(|| ZEROS.into_iter().find_map(|zero| Some(('0', place(zero, 10)?))));
    found.and_then(|(first, place)| char::from_u32(u32::from(first) + place))
}

/// Appends a character of a tag, or the characters that look like it: `1` and `i` like `l`, `0` like `o`, `m` like
/// `rn`, `w` like `vv`. So texts that look alike become equal.
pub(super) fn push_alike(character: char, folded: &mut String) {
    match character.to_ascii_lowercase() {
        'i' | '1' => folded.push('l'),
        '0' => folded.push('o'),
        'm' => folded.push_str("rn"),
        'w' => folded.push_str("vv"),
        character => folded.push(character),
    }
}

/// The digit that [`push_alike`] wrote as this character.
pub(super) fn digit(folded: u8) -> Option<u8> {
    match folded {
        b'l' => Some(1),
        b'o' => Some(0),
        b'0'..=b'9' => Some(folded - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK_ALIKES, look_alike};

    #[test]
    fn only_characters_of_a_tag_are_targets() {
        for (target, _) in LOOK_ALIKES {
            let is_tag = target.is_ascii_lowercase() || target.is_ascii_digit() || "-_/".contains(*target);
            assert!(is_tag, "{target:?}");
        }
    }

    #[test]
    fn ascii_looks_like_itself() {
        assert_eq!(('\0'..='\x7f').find_map(look_alike), None);
    }

    #[test]
    fn letters_and_digits_of_other_rows() {
        for (character, target) in [('🅓', 'd'), ('🆉', 'z'), ('🇦', 'a'), ('⒟', 'd'), ('٢', '2'), ('९', '9')]
        {
            assert_eq!(look_alike(character), Some(target), "{character:?}");
        }
    }
}
