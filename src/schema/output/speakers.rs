//! Whose words some text is, where a transcript tells: `User: …`, `<|im_start|>user`.

/// The names of those who are not the model, in transcripts and on labels.
const OTHERS: [&str; 13] = [
    "user",
    "human",
    "customer",
    "client",
    "system",
    "developer",
    "action",
    "tool",
    "function",
    "ipython",
    "environment",
    "example",
    "quote",
];

/// The labels of what a model is given.
const INPUTS: [&str; 4] = ["input", "question", "observation", "quotation"];

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a label of somebody else is the last that a text has: `User:`, `**Tool result:**`, `### Input:`.
pub(super) fn ends_with_label_of_another(text: &str) -> bool {
    /// The length of the longest label, in bytes.
    const MAX_LABEL: usize = 60;
    let is_decoration = |c: char| matches!(c, '*' | '_' | '#' | '-' | '[' | ']') || super::marks::is_blank(c);
    let text = text.trim_end_matches(|c| c != ']' && is_decoration(c));
    let mut start = text.len().saturating_sub(MAX_LABEL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let near = &text[start..];
    let line = near.rsplit_once(['\n', '\r']).map_or(near, |(_, line)| line);
    if line.len() == text.len() - start && start > 0 {
        return false;
    }
    let is_heading = line.trim_start().starts_with(['#', '[']);
    let label = line.strip_suffix([':', '：', '>', ']']);
    let Some(label) = label.or(is_heading.then_some(line)) else { return false };
    let words: Vec<&str> = label.trim_matches(is_decoration).split_whitespace().collect();
    match words.as_slice() {
        [word] => is_one_of(word, &OTHERS) || is_one_of(word, &INPUTS),
        [word, next] => {
            is_one_of(word, &OTHERS)
                || (is_one_of(word, &INPUTS) && next.chars().all(|c| c.is_ascii_digit() || c == '#'))
        }
        _ => false,
    }
}

/// Whether the text after a special token begins somebody else's turn; `None` if it is no such token. The text begins
/// at the token: `<|user|>`, `<|im_start|>user`, `<start_of_turn>user`.
pub(super) fn turn_of_another(text: &str) -> Option<bool> {
    /// The length of the longest name in a token, in bytes.
    const MAX_NAME: usize = 40;
    const STARTS: [&str; 5] = ["im_start", "start_header_id", "start_of_turn", "start_of_role", "start"];
    /// Tokens within a turn.
    const PARTS: [&str; 5] = ["end_header_id", "end_of_role", "message", "channel", "constrain"];
    let rest = text.strip_prefix('<')?;
    let bare = rest.strip_prefix('|').unwrap_or(rest);
    let end = bare.bytes().take(MAX_NAME).position(|byte| matches!(byte, b'|' | b'>'))?;
    let (name, rest) = bare.split_at(end);
    let rest = rest.strip_prefix('|').unwrap_or(rest).strip_prefix('>')?;
    let is_token = text.starts_with("<|") || name == "start_of_turn";
    if !is_token || PARTS.contains(&name) {
        return None;
    }
    let role = if STARTS.contains(&name) {
        let end = rest.bytes().take(MAX_NAME).position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(0);
        &rest[..end]
    } else {
        name
    };
    Some(is_one_of(role, &OTHERS))
}
