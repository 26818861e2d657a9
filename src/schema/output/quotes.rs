//! The quotes that texts in an answer may have, and the keys in them.

use super::repairs::RepairKind;

/// What a text is part of, which decides what may follow its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPlace {
    /// The key of a member.
    Key,
    /// The value of a member.
    Member,
    /// An item of a list, or the whole answer.
    Item,
}

/// A kind of quotes.
#[derive(Clone, Copy)]
pub(super) struct Quotes {
    pub(super) open: &'static str,
    close: &'static [&'static str],
    pub(super) repair: Option<RepairKind>,
}

impl Quotes {
    const ALL: [Self; 7] = [
        Self { open: "\"\"\"", close: &["\"\"\""], repair: Some(RepairKind::TripleQuotes) },
        Self { open: "'''", close: &["'''"], repair: Some(RepairKind::TripleQuotes) },
        Self { open: "\"", close: &["\""], repair: None },
        Self { open: "'", close: &["'"], repair: Some(RepairKind::SingleQuotes) },
        Self { open: "“", close: &["”"], repair: Some(RepairKind::CurlyQuotes) },
        Self { open: "„", close: &["“", "”"], repair: Some(RepairKind::CurlyQuotes) },
        Self { open: "‘", close: &["’"], repair: Some(RepairKind::CurlyQuotes) },
    ];

    /// The quotes that open at the beginning of a text. Three quotes open a value only.
    pub(super) fn open(rest: &str, place: TextPlace, strict: bool) -> Option<Self> {
        Self::ALL.into_iter().find(|quotes| {
            let allowed = !quotes.is_triple() || (place != TextPlace::Key && !strict);
            allowed && rest.starts_with(quotes.open)
        })
    }

    pub(super) fn is_triple(self) -> bool {
        self.repair == Some(RepairKind::TripleQuotes)
    }

    /// Whether the closing quote is an apostrophe too.
    pub(super) fn is_single(self) -> bool {
        self.open.starts_with(['\'', '‘'])
    }

    /// Whether the first byte of closing quotes is this one.
    pub(super) fn may_close_with(self, byte: u8) -> bool {
        self.close.iter().any(|close| close.as_bytes()[0] == byte)
    }

    /// The closing quotes at the beginning of a text.
    pub(super) fn close(self, rest: &str) -> Option<&'static str> {
        self.close.iter().copied().find(|close| rest.starts_with(close))
    }
}

/// Whether a text in quotes, of any kind, begins here.
pub(super) fn begins_text(rest: &str) -> bool {
    Quotes::open(rest, TextPlace::Key, false).is_some()
}

/// A key that precedes a colon.
pub(super) struct KeyAhead<'s> {
    pub(super) name: &'s str,
    pub(super) is_quoted: bool,
}

/// The key and colon at the beginning of a text.
pub(super) fn key_of(rest: &str) -> Option<KeyAhead<'_>> {
    /// The length of the longest key that is searched, in bytes.
    const MAX_KEY: usize = 200;
    let mut end = rest.len().min(MAX_KEY);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let near = &rest[..end];
    let quotes = Quotes::open(near, TextPlace::Key, false);
    let (name, after) = if let Some(quotes) = quotes {
        let inside = &near[quotes.open.len()..];
        quotes.close.iter().find_map(|close| inside.split_once(close))?
    } else {
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-');
        near.split_at(near.find(|c| !part(c)).unwrap_or(near.len()))
    };
    let is_key = !name.is_empty() && after.trim_start().starts_with(':');
    is_key.then_some(KeyAhead { name, is_quoted: quotes.is_some() })
}
