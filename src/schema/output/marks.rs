//! The quotation marks that are open at an offset of some prose.

/// A kind of quotation marks, with the marks of all languages that may open and close each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    Double,
    Curly,
    Guillemets,
    SingleGuillemets,
    Corner,
    WhiteCorner,
    /// Single quotes, which are also apostrophes.
    Single,
}

/// What a quotation mark may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MarkSide {
    Opens,
    Closes,
    Either,
}

fn mark(c: char) -> Option<(MarkKind, MarkSide)> {
    use MarkKind::{Corner, Curly, Double, Guillemets, Single, SingleGuillemets, WhiteCorner};
    use MarkSide::{Closes, Either, Opens};
    Some(match c {
        '"' | '＂' | '″' | '״' | 'ʺ' | '⹂' => (Double, Either),
        '“' | '„' | '‟' | '❝' | '〝' => (Curly, Opens),
        '”' | '❞' | '〞' | '〟' => (Curly, Closes),
        '«' | '《' | '⟪' => (Guillemets, Opens),
        '»' | '》' | '⟫' => (Guillemets, Closes),
        '‹' | '〈' | '⟨' | '❮' => (SingleGuillemets, Opens),
        '›' | '〉' | '⟩' | '❯' => (SingleGuillemets, Closes),
        '「' | '﹁' | '｢' => (Corner, Opens),
        '」' | '﹂' | '｣' => (Corner, Closes),
        '『' | '﹃' => (WhiteCorner, Opens),
        '』' | '﹄' => (WhiteCorner, Closes),
        '\'' | '＇' | '’' | '´' | '❜' | '′' | '׳' => (Single, Either),
        '‘' | '‚' | '‛' | '❛' => (Single, Opens),
        _ => return None,
    })
}

/// Whether nothing can be seen of a character: blanks, control characters, and characters without width.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a character is a quotation mark of some language.
pub(super) fn is_mark(c: char) -> bool {
    mark(c).is_some()
}

/// The mark that several characters stand for at the beginning of a text, and their length.
pub(super) fn written_mark(text: &str) -> Option<(char, usize)> {
    const WRITTEN: [(&str, char); 16] = [
        ("''", '"'),
        (",,", '„'),
        ("<<", '«'),
        (">>", '»'),
        ("&quot;", '"'),
        ("&#34;", '"'),
        ("&#x22;", '"'),
        ("&apos;", '\''),
        ("&#39;", '\''),
        ("&#x27;", '\''),
        ("&ldquo;", '“'),
        ("&rdquo;", '”'),
        ("&lsquo;", '‘'),
        ("&rsquo;", '’'),
        ("&laquo;", '«'),
        ("&raquo;", '»'),
    ];
    if !text.starts_with(['\'', ',', '<', '>', '&']) {
        return None;
    }
    let written = WRITTEN.into_iter().find(|(written, _)| text.starts_with(written));
    written.map(|(written, mark)| (mark, written.len()))
}

/// Whether a mark that usually opens closes here: „German“, »Danish« and ‚single‘ quotes.
fn closes_in_reverse(opener: char, c: char) -> bool {
    matches!((opener, c), ('„' | '‟', '“') | ('»', '«') | ('›', '‹') | ('‚', '‘'))
}

/// The marks of one kind.
#[derive(Clone, Copy, Default)]
struct MarkCount {
    depth: usize,
    /// The mark that opened last.
    opener: char,
    total: usize,
    /// The depth, and whether the total was odd, at the last value.
    depth_at_value: usize,
    is_odd_at_value: bool,
    /// Whether any mark opened a quotation, or closed none, before the last value.
    was_used: bool,
}

/// The quotation marks in a text that is read from left to right.
#[derive(Default)]
pub(super) struct QuotationMarks {
    counts: [MarkCount; MarkKind::Single as usize + 1],
    /// The end of the last mark, if it closed nothing.
    last_open: Option<usize>,
    has_value: bool,
    /// Whether a mark after a value may close a quotation that began before the value.
    pub(super) is_unclear: bool,
}

impl QuotationMarks {
    /// Reads a character, between the ones before and after it.
    pub(super) fn read(&mut self, c: char, before: char, after: char, end: usize) {
        let Some((kind, side)) = mark(c) else { return };
        let is_single = kind == MarkKind::Single;
        if is_single && before.is_alphanumeric() && after.is_alphanumeric() {
            return;
        }
        // „German“ may end in a straight quote.
        let low = &self.counts[MarkKind::Curly as usize];
        let closes_low = kind == MarkKind::Double
            && self.counts[kind as usize].depth == 0
            && low.depth > 0
            && matches!(low.opener, '„' | '‟');
        let kind = if closes_low { MarkKind::Curly } else { kind };
        let count = &mut self.counts[kind as usize];
        count.total += 1;
        let closes = match side {
            MarkSide::Closes => true,
            MarkSide::Either => !(is_single && after.is_alphanumeric()),
            MarkSide::Opens => closes_in_reverse(count.opener, c),
        };
        self.is_unclear |= count.is_odd_at_value && kind == MarkKind::Double;
        self.last_open = None;
        if closes && count.depth > 0 {
            self.is_unclear |= count.depth <= count.depth_at_value;
            count.depth_at_value = count.depth_at_value.min(count.depth - 1);
            count.depth -= 1;
        } else if side == MarkSide::Opens || !before.is_alphanumeric() {
            count.depth += 1;
            count.opener = c;
            count.was_used |= !self.has_value;
            self.last_open = Some(end);
        } else {
            // Inches, a plural with an apostrophe, or the end of a quotation whose beginning is unclear.
            self.is_unclear |= self.has_value && count.was_used;
            count.was_used |= !self.has_value && !is_single;
            self.last_open = (!is_blank(after)).then_some(end);
        }
    }

    /// Notes a value.
    pub(super) fn value(&mut self) {
        self.has_value = true;
        for count in &mut self.counts {
            count.depth_at_value = count.depth;
            count.is_odd_at_value = count.total % 2 == 1;
        }
    }

    /// Whether a value after this text, which is read, is within a quotation. A single quote may be an apostrophe,
    /// unless it is next to the value.
    pub(super) fn quotes(&self, before: &str) -> bool {
        let is_adjacent = self.last_open.is_some_and(|end| end == before.len());
        is_adjacent || self.counts[..MarkKind::Single as usize].iter().any(|count| count.depth > 0)
    }

    /// Whether a quotation has no end.
    pub(super) fn is_open(&self) -> bool {
        self.counts.iter().any(|count| count.depth > 0)
    }
}
