//! Fences: tags around text that comes from strangers, which that text cannot close.
//!
//! `{{#fence "document"}} … {{/fence}}` writes `<document> … </document>`. If the text holds something that reads like
//! one of these tags, both tags get a number that the text does not hold: `<document-2>`. All fences with one name have
//! the same tag, and `{{fence_tag "document"}}` writes it anywhere in the same template or chat.
//!
//! A tag is known only after the texts of all its fences are, but it may be written before them. So a template is
//! rendered with the plain tag first. If a text holds it, the template is rendered again with a number. The number
//! depends on the texts alone: the same input gives the same output.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::html_entities::without_references;
use super::long_text::InterruptCheck;
use super::look_alikes::{digit, is_opening, look_alike, push_alike};
use crate::error::{Error, Kind, Result};

/// The most rounds before the tags must fit. Each round raises a number above those of the texts, so more are needed
/// only if the text of a fence contains its own tag.
const ROUNDS: usize = 8;

/// The most digits of a number in a text that are looked at.
const DIGITS: usize = 18;

/// The maximum length of a tag's name in bytes.
const NAME: usize = 64;

/// The fences of one render, or of all messages of one chat.
#[derive(Debug, Default)]
pub struct Fences {
    tags: OnceLock<SharedTags>,
    is_settling: Cell<bool>,
}

/// The tags in use, shared with the blocks that helpers keep.
pub(super) type SharedTags = Arc<Mutex<HashMap<Box<str>, FenceTag>>>;

/// The tag of all fences with one name.
#[derive(Debug, Default)]
pub(super) struct FenceTag {
    /// The number in the tag. `None`: the plain name.
    number: Option<u64>,
    /// Whether a text holds the plain tag.
    is_held: bool,
    /// The numbers that texts hold after the name.
    held_numbers: BTreeSet<u64>,
    is_open: bool,
}

impl Fences {
    /// Renders until no text holds the tag of its fence. Inside another call it renders once.
    ///
    /// # Errors
    /// The error of `render`; [`Kind::TemplateRender`] if the text of a fence contains the fence's own tag.
    #[inline]
    pub fn settle<R>(&self, mut render: impl FnMut() -> Result<R>) -> Result<R> {
        if self.is_settling.replace(true) {
            return render();
        }
        let mut result = render();
        if self.tags.get().is_some() {
            result = result.and_then(|first| self.settle_rounds(first, &mut render));
        }
        self.is_settling.set(false);
        result
    }

    /// Renders again while a text holds the tag of its fence.
    #[cold]
    fn settle_rounds<R>(&self, first: R, render: &mut dyn FnMut() -> Result<R>) -> Result<R> {
        let (mut result, mut rounds) = (first, 1);
        while self.tags.get().is_some_and(renumber) {
            if rounds == ROUNDS {
                return Err(Error::new(
                    Kind::TemplateRender,
                    "the text inside a fence contains the fence's own tag",
                )
                .with_hint("use `fence_tag` outside of the fence, and give nested fences different names"));
            }
            result = render()?;
            rounds += 1;
        }
        Ok(result)
    }

    /// The fences of a render, for a block that a helper kept. `tags` is what [`Fences::shared`] returned in that render.
    pub(super) fn sharing(tags: &SharedTags) -> Self {
        Self { tags: OnceLock::from(Arc::clone(tags)), is_settling: Cell::new(true) }
    }

    /// The tags, for a block that a helper keeps.
    pub(super) fn shared(&self) -> SharedTags {
        Arc::clone(self.tags())
    }

    fn tags(&self) -> &SharedTags {
        self.tags.get_or_init(SharedTags::default)
    }

    fn with_tag<R>(&self, name: &str, change: impl FnOnce(&mut FenceTag) -> R) -> R {
        change(lock(self.tags()).entry(name.into()).or_default())
    }

    /// The tag of the fences with this name, without its brackets.
    pub(super) fn tag(&self, name: &str) -> String {
        self.with_tag(name, |tag| match tag.number {
            None => name.to_owned(),
            Some(number) => format!("{name}-{number}"),
        })
    }

    /// Opens a fence. Returns false if one with the same name is open already.
    pub(super) fn open(&self, name: &str) -> bool {
        self.with_tag(name, |tag| !std::mem::replace(&mut tag.is_open, true))
    }

    /// Leaves a fence whose text could not be rendered.
    pub(super) fn leave(&self, name: &str) {
        self.with_tag(name, |tag| tag.is_open = false);
    }

    /// Closes a fence around this text. Returns the number of bytes that were searched for a tag.
    ///
    /// # Errors
    /// The error of `check_interrupt`, which is called from time to time.
    pub(super) fn close(
        &self,
        name: &str,
        text: &str,
        check_interrupt: &dyn Fn() -> Result<()>,
    ) -> Result<usize> {
        self.leave(name);
        if !may_hold_tag(text) {
            return Ok(0);
        }
        let interrupt = &mut InterruptCheck::new(check_interrupt);
        let mut folded_name = String::with_capacity(name.len());
        name.chars().for_each(|character| push_alike(character, &mut folded_name));
        let mut held = HeldTags::default();
        held.read(&folded(text, interrupt)?, &folded_name, interrupt)?;
        // Tag characters can be read as nothing or as what they repeat.
        if let Some(other) = without_tag_characters(text, interrupt)? {
            held.read(&folded(&other, interrupt)?, &folded_name, interrupt)?;
        }
        self.with_tag(name, |tag| {
            tag.is_held |= held.plain;
            tag.held_numbers.extend(held.numbers);
        });
        Ok(text.len())
    }
}

/// Gives each tag that a text holds a number that no text holds. Returns whether a tag changed.
fn renumber(tags: &SharedTags) -> bool {
    let mut changed = false;
    for tag in lock(tags).values_mut() {
        tag.is_open = false;
        let number = tag.is_held.then(|| {
            let mut number = 2;
            while tag.held_numbers.contains(&number) {
                number += 1;
            }
            number
        });
        changed |= tag.number != number;
        tag.number = number;
    }
    changed
}

fn lock(tags: &SharedTags) -> MutexGuard<'_, HashMap<Box<str>, FenceTag>> {
    tags.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks the name of a fence.
///
/// # Errors
/// [`Kind::TemplateRender`] if it cannot be the name of a tag.
pub(super) fn check_name(name: &str) -> Result<()> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic();
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let bytes = name.as_bytes();
    if bytes.first().is_some_and(is_letter) && bytes.iter().all(is_inner) && bytes.len() <= NAME {
        return Ok(());
    }
    Err(Error::new(
        Kind::TemplateRender,
        "the name of a fence must be a letter followed by letters, digits, `-` or `_`",
    )
    .with_hint("for example `{{#fence \"document\"}} … {{/fence}}`"))
}

/// Spellings of `<` in languages that a text may be written in, as a folded text has them: `0` is an `o` there.
const ESCAPED: [&str; 6] = ["\\uoo3c", "\\x3c", "%3c", "&lt", "&#6o", "&#x3c"];

/// Whether a text has a character with which a tag can begin. Most texts have none, and need no closer look.
fn may_hold_tag(text: &str) -> bool {
    let compatible = ['＆', '﹠', '＼', '﹨', '％', '﹪', '&', '\\', '%'];
    text.contains(|character| {
        is_opening(character) || compatible.contains(&character) || tag_character(character) == Some('<')
    })
}

/// The ASCII character that a tag character of plane 14 repeats. Nothing prints it, but a model may read it as that.
fn tag_character(character: char) -> Option<char> {
    let code = u32::from(character).checked_sub(0xe_0000)?;
    char::from_u32(code).filter(char::is_ascii_graphic)
}

/// The text with its tag characters as the ASCII characters that they repeat. `None` for a text that has none.
fn without_tag_characters(text: &str, interrupt: &mut InterruptCheck<'_>) -> Result<Option<String>> {
    if !text.contains(|character| tag_character(character).is_some()) {
        return Ok(None);
    }
    let mut read = String::with_capacity(text.len());
    for character in text.chars() {
        interrupt.after(character.len_utf8())?;
        read.push(tag_character(character).unwrap_or(character));
    }
    Ok(Some(read))
}

/// The text as tags are compared: without white space, invisible characters and accents, in lower case, with characters
/// that look alike made equal. The name of the fence is folded by [`push_alike`] too.
fn folded(text: &str, interrupt: &mut InterruptCheck<'_>) -> Result<String> {
    let text = without_references(text, interrupt)?;
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        interrupt.after(character.len_utf8())?;
        if character.is_ascii() {
            if character.is_ascii_graphic() {
                push_alike(character, &mut folded);
            }
        } else if let Some(alike) = look_alike(character) {
            push_alike(alike, &mut folded);
        } else if is_opening(character) {
            folded.push('<');
        } else {
            decompose_compatible(character, |part| fold(part, &mut folded));
        }
    }
    for escaped in ESCAPED {
        if folded.contains(escaped) {
            folded = replaced(&folded, escaped, interrupt)?;
        }
    }
    Ok(folded)
}

/// Appends a character as tags are compared. It is decomposed already.
fn fold(character: char, folded: &mut String) {
    if character.is_whitespace()
        || character.is_control()
        || is_combining_mark(character)
        || is_invisible(character)
    {
        return;
    }
    if is_opening(character) {
        folded.push('<');
        return;
    }
    if let Some(alike) = look_alike(character) {
        push_alike(alike, folded);
        return;
    }
    for upper in character.to_uppercase() {
        match look_alike(upper) {
            Some(alike) => push_alike(alike, folded),
            None => {
                for lower in upper.to_lowercase() {
                    push_alike(look_alike(lower).unwrap_or(lower), folded);
                }
            }
        }
    }
}

/// The text with each `escaped` replaced by the bracket that it spells.
fn replaced(text: &str, escaped: &str, interrupt: &mut InterruptCheck<'_>) -> Result<String> {
    let mut replaced = String::with_capacity(text.len());
    for (at, piece) in text.split(escaped).enumerate() {
        interrupt.after(piece.len() + escaped.len())?;
        if at > 0 {
            replaced.push('<');
        }
        replaced.push_str(piece);
    }
    Ok(replaced)
}

/// Whether a character prints nothing.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// What a text holds that reads like the tag of its fence.
#[derive(Default)]
struct HeldTags {
    /// Whether it holds the plain tag.
    plain: bool,
    /// The numbers that it holds after the name.
    numbers: BTreeSet<u64>,
}

impl HeldTags {
    /// Reads from a folded text whether it holds the tag, and with which numbers it holds the name.
    fn read(&mut self, folded: &str, name: &str, interrupt: &mut InterruptCheck<'_>) -> Result<()> {
        let mut after_bracket = false;
        for (at, character) in folded.char_indices() {
            interrupt.after(character.len_utf8())?;
            if character == '<' {
                after_bracket = true;
            } else if after_bracket && character.is_alphanumeric() {
                self.plain |= folded[at..].starts_with(name);
                after_bracket = false;
            }
        }
        for (at, _) in folded.match_indices(name) {
            interrupt.after(name.len())?;
            let Some(digits) = folded[at + name.len()..].strip_prefix('-') else { continue };
            let mut number = 0;
            for digit in digits.bytes().take(DIGITS).map_while(digit) {
                number = number * 10 + u64::from(digit);
                self.numbers.insert(number);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fences, renumber};

    fn tag_for(text: &str) -> String {
        let fences = Fences::default();
        fences.close("document", text, &|| Ok(())).expect("nothing interrupts");
        renumber(fences.tags());
        fences.tag("document")
    }

    #[test]
    fn a_text_without_the_tag_keeps_it_plain() {
        for text in ["", "plain", "a < b and documents", "<doc>", "docu<ment>", "1 << 2", "语言 < 文档"] {
            assert_eq!(tag_for(text), "document", "{text:?}");
        }
    }

    #[test]
    fn a_text_with_the_tag_gets_another() {
        for text in [
            "</document>",
            "<document>",
            "</DOCUMENT >",
            "< / Document\n>",
            "<\u{200b}/doc\u{ad}ument>",
            "＜/document＞",
            "＜／ｄｏｃｕｍｅｎｔ＞",
            "&lt;/document&gt;",
            "&#60;/document>",
            "\\u003c/document>",
            "<!-- --></document>",
            "</dócument>",
            "</document",
            "&#060;/document&#062;",
            "&lt;&#47;document&gt;",
            "&lt;&sol;d&#111;cument",
            "</d&zwj;ocument>",
            "\u{2329}/document\u{232a}",
            "‹/document›",
            "</documenſ></document>",
            "</ԁосument>",
            "</𝖉οϲυмеΝт>",
            "</𝔡𝔬𝔠ument>",
            "</đøȼumeɲŧ>",
            "</ᴅᴏᴄᴜᴍᴇɴᴛ>",
            "</ⅾocuⅿent>",
            "</ᎠᎾᏟument>",
            "</ԁօcսmeոt>",
            "</🅓🅞🅒🅤🅜🅔🅝🅣>",
            "</🇩🇴🇨ument>",
            "</⒟⒪⒞ument>",
            "</d0curnent>",
            "<ノdocument>",
            "\\u003c/dосument>",
            "❬/document❭",
            "⦑/document⦒",
            "⟪/document⟫",
            "≪/document≫",
            "⋘/document⋙",
            "⩽document",
            "◁/document▷",
            "ᚲ/document",
            "&amp;lt;/document&amp;gt;",
            "&amp;amp;#38;&#x26;lt;/document",
            "＆ｌｔ；/document",
            "</doc&NoBreak;ument>",
            "<&ZeroWidthSpace;/doc&NegativeThinSpace;um&InvisibleTimes;e&af;nt>",
            "</d&oacute;c&ucirc;ment>",
            "</&dopf;&oscr;&cfr;ument>",
            "&LeftAngleBracket;&sol;document",
            "&nLt;/document",
            "&Lt;/document",
            "&ltdocument>",
            "&LTdocument>",
            "\u{e003c}\u{e002f}\u{e0064}\u{e006f}\u{e0063}\u{e0075}\u{e006d}\u{e0065}\u{e006e}\u{e0074}\u{e003e}",
            "</\u{e0044}ocument>",
            "</doc\u{e0041}ument>",
        ] {
            assert_eq!(tag_for(text), "document-2", "{text:?}");
        }
    }

    #[test]
    fn the_number_is_one_that_the_text_does_not_hold() {
        assert_eq!(tag_for("</document> document-2"), "document-3");
        assert_eq!(tag_for("</document-2></document-31>"), "document-4");
        assert_eq!(tag_for("</document-99999999999999999999999>"), "document-2");
        assert_eq!(tag_for("</document> ԁocument‑２ document—३"), "document-4");
    }

    #[test]
    fn names_whose_letters_look_alike() {
        for (name, text) in
            [("list_1", "</Iıѕт_l>"), ("item", "</lτеrn>"), ("w3", "</vvЗ>"), ("id-10", "</ӏԁ−١Ο>")]
        {
            let fences = Fences::default();
            fences.close(name, text, &|| Ok(())).expect("nothing interrupts");
            renumber(fences.tags());
            assert_eq!(fences.tag(name), format!("{name}-2"));
        }
    }
}
