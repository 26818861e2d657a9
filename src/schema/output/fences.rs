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
    /// The length of the longest line of a fence that names a language, in bytes.
    const MAX_INFO: usize = 100;
    let after = open + ticks;
    let near = text.as_bytes()[after..].iter().take(MAX_INFO + 1);
    let length = near.clone().position(|byte| matches!(byte, b'\n' | b'\r'));
    let length = length.or((text.len() - after <= MAX_INFO).then_some(text.len() - after));
    if let Some(length) = length {
        let language = text[after..after + length].trim();
        let names = !language.contains(['{', '[', '`']);
        if names && (begins_line(text, open) || !language.contains(char::is_whitespace)) {
            let is_other_language = !language.is_empty() && !is_json_name(language);
            return Some(OpeningFence { start: after + length, ticks, is_inline: false, is_other_language });
        }
    }
    // A fence on one line has no language; its content follows.
    let fence = OpeningFence { start: after, ticks, is_inline: true, is_other_language: false };
    begins_line(text, open).then_some(fence)
}

/// Whether the language of a fence is JSON, or a kind of it.
pub(super) fn is_json_name(word: &str) -> bool {
    const NAMES: [&str; 7] = ["json", "json5", "jsonc", "jsonl", "jsonld", "json-ld", "application/json"];
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(word))
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
