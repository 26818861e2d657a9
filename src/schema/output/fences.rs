//! Code fences in a text. Three backticks within a line are usually not a fence.

/// The error for a fence that ends within its JSON.
pub(super) const FENCE_ENDS_FIRST: &str = "the JSON in a code fence has no end, but the fence has one";

/// The beginning of a fence.
pub(super) struct OpeningFence {
    /// The offset of its content.
    pub(super) start: usize,
    ticks: usize,
    /// Whether the content begins on the line of the fence.
    pub(super) is_inline: bool,
    /// Whether the fence names a language that is not JSON.
    pub(super) is_other_language: bool,
}

/// Reads the fence at an offset with this many backticks, if they open one.
pub(super) fn opening_fence(text: &str, open: usize, ticks: usize) -> Option<OpeningFence> {
    let after = open + ticks;
    let line = text[after..].trim_start_matches([' ', '\t']);
    let (word, rest) = line.split_at(line.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(line.len()));
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    if rest.is_empty() || rest.starts_with('\n') {
        let line_end = text.len() - rest.len();
        let is_other_language = !word.is_empty() && !is_json_name(word);
        return Some(OpeningFence { start: line_end, ticks, is_inline: false, is_other_language });
    }
    // A fence on one line has no language; its content follows.
    let fence = OpeningFence { start: after, ticks, is_inline: true, is_other_language: false };
    begins_line(text, open).then_some(fence)
}

/// Whether the language of a fence is JSON, or a kind of it.
pub(super) fn is_json_name(word: &str) -> bool {
    word.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("json"))
}

impl OpeningFence {
    /// The offsets at which the closing fence of code begins and ends.
    pub(super) fn code_end(&self, text: &str) -> Option<(usize, usize)> {
        let mut at = self.start;
        while let Some(open) = text[at..].find("```").map(|offset| at + offset) {
            let rest = &text[open..];
            let end = open + rest.len() - rest.trim_start_matches('`').len();
            if end - open >= self.ticks && begins_line(text, open) {
                return Some((open, end));
            }
            at = end;
        }
        None
    }
}

/// Whether only spaces precede the offset on its line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    text[..at].trim_end_matches([' ', '\t', '>']).chars().next_back().is_none_or(|c| c == '\n' || c == '\r')
}

/// Whether the backticks at the offset follow a closing bracket and end their line.
pub(super) fn ends_json(text: &str, start: usize, at: usize, ticks: usize) -> bool {
    text[start..at].trim_end().ends_with(['}', ']']) && ends_line(text, at + ticks)
}

/// Whether only spaces follow the offset on its line.
pub(super) fn ends_line(text: &str, at: usize) -> bool {
    text[at..].trim_start_matches([' ', '\t']).chars().next().is_none_or(|c| c == '\n' || c == '\r')
}

/// Whether a text begins with a list or dict.
pub(super) fn begins_with_bracket(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}
