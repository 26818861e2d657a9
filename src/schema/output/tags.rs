//! The tags that are open at an offset of some prose: `<user_input>`, `[quote]`, `<!--`.

/// A tag at the beginning of a text.
struct Tag<'s> {
    name: &'s str,
    length: usize,
    is_closing: bool,
    /// Whether nothing is within it: `<br/>`.
    is_empty: bool,
    has_attributes: bool,
}

impl<'s> Tag<'s> {
    fn read(text: &'s str) -> Option<Self> {
        /// The length of the longest tag, in bytes.
        const MAX_TAG: usize = 500;
        const BRACKETS: [(&str, &str); 7] = [
            ("<", ">"),
            ("[", "]"),
            ("&lt;", "&gt;"),
            ("＜", "＞"),
            ("{{", "}}"),
            ("\\begin{", "}"),
            ("\\end{", "}"),
        ];
        let comment = |length, is_closing| {
            Some(Self { name: "!--", length, is_closing, is_empty: false, has_attributes: false })
        };
        if text.starts_with("<!--") {
            return comment(4, false);
        }
        if text.starts_with("-->") {
            return comment(3, true);
        }
        let (open, close) = BRACKETS.into_iter().find(|(open, _)| text.starts_with(open))?;
        let rest = text[open.len()..].trim_start_matches([' ', '\t', '#']);
        let (name, is_closing) = rest.strip_prefix('/').map_or((rest, false), |rest| (rest, true));
        let name = name.trim_start_matches([' ', '\t']);
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.');
        let end = name.find(|c| !is_part(c)).unwrap_or(name.len());
        let (name, rest) = name.split_at(end);
        if !name.starts_with(char::is_alphabetic) {
            return None;
        }
        let mut end = rest.len().min(MAX_TAG);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let attributes = &rest[..rest[..end].find(close)?];
        let is_tag = attributes.is_empty() || attributes.starts_with([' ', '\t', '\r', '\n', '/', '=']);
        if !is_tag || attributes.contains(['<', '[', '{']) {
            return None;
        }
        let length = text.len() - rest.len() + attributes.len() + close.len();
        Some(Self {
            name,
            length,
            is_closing: is_closing || open == "\\end{",
            is_empty: attributes.ends_with('/'),
            has_attributes: !attributes.trim_matches(|c: char| c.is_whitespace() || c == '/').is_empty(),
        })
    }

    /// Whether the content is somebody else's words, and not the answer or its layout.
    fn quotes(&self) -> bool {
        !self.is_layout() && !self.is_of_answer()
    }

    /// Whether the tag is only layout. With attributes it may be more: `<p class="quote">`.
    fn is_layout(&self) -> bool {
        const LAYOUT: [&str; 27] = [
            "p", "div", "span", "b", "i", "u", "strong", "em", "br", "hr", "pre", "html", "head", "body",
            "main", "section", "ul", "ol", "li", "h1", "h2", "h3", "h4", "bos", "eos", "pad", "unk",
        ];
        !self.has_attributes && LAYOUT.iter().any(|name| name.eq_ignore_ascii_case(self.name))
    }

    /// Whether the content is the model's answer.
    fn is_of_answer(&self) -> bool {
        const ANSWER: [&str; 20] = [
            "json",
            "answer",
            "final",
            "output",
            "response",
            "reply",
            "result",
            "object",
            "data",
            "structured",
            "my",
            "the",
            "assistant",
            "model",
            "verdict",
            "decision",
            "classification",
            "evaluation",
            "solution",
            "completion",
        ];
        let name = self.name.to_lowercase();
        !self.has_attributes && name.split(['_', '-', ':', '.']).all(|word| ANSWER.contains(&word))
    }
}

/// The error for an answer tag that ends within its JSON.
pub(super) const TAG_ENDS_FIRST: &str = "the tag ends before the JSON in it does";

/// Where the tag that the text before a value ends with is closed in the rest of the text.
pub(super) fn end_of_tag(before: &str, rest: &str) -> Option<usize> {
    let before = before.trim_end();
    let opening = Tag::read(&before[before.rfind('<')?..])?;
    let mut closings = rest.match_indices("</").map(|(at, _)| at);
    let is_end = |at: &usize| {
        let closing = Tag::read(&rest[*at..]);
        closing.is_some_and(|closing| closing.name.eq_ignore_ascii_case(opening.name))
    };
    if opening.is_closing || opening.is_empty { None } else { closings.find(is_end) }
}

/// A tag that is open.
struct OpenTag<'s> {
    name: &'s str,
    /// Whether it is in square brackets or braces, which are usually no tag: `[sic]`.
    is_square: bool,
}

/// The tags in a text that is read from left to right. Only those that quote are kept.
#[derive(Default)]
pub(super) struct OpenTags<'s> {
    open: Vec<OpenTag<'s>>,
    /// The number of tags that were open at the last JSON value.
    at_value: usize,
    /// The end of the last tag that opened.
    last_open: Option<usize>,
    /// Whether a tag that opened before a JSON value closed after it, so that the value may be a quotation.
    pub(super) is_unclear: bool,
}

impl<'s> OpenTags<'s> {
    /// Reads the tag at an offset, after the character `before`. Returns its length, or 0 if there is none.
    pub(super) fn read(&mut self, text: &'s str, at: usize, before: char) -> usize {
        /// With more open tags than these, nobody knows what is quoted.
        const MAX_OPEN: usize = 64;
        let rest = &text[at..];
        let Some(tag) = Tag::read(rest).filter(|tag| tag.is_closing || !before.is_alphanumeric()) else {
            return 0;
        };
        if tag.is_closing {
            self.close(tag.name);
        } else if !tag.is_empty && tag.quotes() && self.open.len() <= MAX_OPEN {
            let is_square = rest.starts_with(['[', '{']);
            let quotes = tag.name.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("quote"));
            self.open.push(OpenTag { name: tag.name, is_square: is_square && !quotes });
            self.is_unclear |= self.open.len() > MAX_OPEN;
            self.last_open = (!is_square || quotes).then_some(at + tag.length);
        }
        tag.length
    }

    fn close(&mut self, name: &str) {
        let known = self.open.iter().rposition(|tag| tag.name.eq_ignore_ascii_case(name));
        if let Some(known) = known {
            self.is_unclear |= known < self.at_value;
            self.open.truncate(known);
            self.at_value = self.at_value.min(known);
        }
    }

    /// Notes that a JSON value was read.
    pub(super) fn value(&mut self) {
        self.at_value = self.open.len();
    }

    /// Whether a JSON value that follows the text `before` is the first thing within a tag.
    pub(super) fn quotes(&self, before: &str) -> bool {
        self.last_open == Some(before.len()) && !self.open.is_empty()
    }

    /// Whether a tag is still open. Square brackets do not count.
    pub(super) fn is_open(&self) -> bool {
        self.open.iter().any(|tag| !tag.is_square)
    }
}

/// The length of a tag of an answer or of its layout at the beginning of a text, or 0.
pub(super) fn plain_tag_length(text: &str) -> usize {
    Tag::read(text).filter(|tag| !tag.quotes()).map_or(0, |tag| tag.length)
}

/// The kind of the tag at the end of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LastTag {
    /// It is layout, as in `<b>`.
    Layout,
    /// An answer begins: `<answer>`.
    Answer,
    /// The content of a tag ends, or a tag has none.
    Closed,
    /// A special token of a model: `<|message|>`.
    Token,
    /// Anything else begins.
    Other,
}

/// The offset and the kind of the tag in angle brackets at the end of a text.
pub(super) fn last_tag(text: &str) -> Option<(usize, LastTag)> {
    let start = text.ends_with('>').then(|| text.rfind('<')).flatten()?;
    let last = &text[start..];
    if last.starts_with("<|") || last.starts_with("<｜") {
        return (last.ends_with("|>") || last.ends_with("｜>")).then_some((start, LastTag::Token));
    }
    let tag = Tag::read(last).filter(|tag| tag.length == last.len())?;
    let end = if tag.is_layout() {
        LastTag::Layout
    } else if tag.is_closing || tag.is_empty {
        LastTag::Closed
    } else if tag.is_of_answer() {
        LastTag::Answer
    } else {
        LastTag::Other
    };
    Some((start, end))
}
