//! Whose turn begins at a special token of a transcript: `<|im_start|>user`.

/// Whether the text after a special token begins somebody else's turn; `None` if it is no such token. The text begins
/// at the token: `<|user|>`, `<|im_start|>user`, `<start_of_turn>user`, `<｜User｜>`.
pub(super) fn turn_of_another(text: &str) -> Option<bool> {
    /// The length of the longest name in a token, in bytes.
    const MAX_NAME: usize = 60;
    const STARTS: [&str; 5] = ["im_start", "start_header_id", "start_of_turn", "start_of_role", "start"];
    /// Tokens within a turn.
    const PARTS: [&str; 5] = ["end_header_id", "end_of_role", "message", "channel", "constrain"];
    const MODELS: [&str; 5] = ["assistant", "model", "ai", "bot", "gpt"];
    let rest = text.strip_prefix(['<', '＜'])?;
    let is_bar = |c: char| matches!(c, '|' | '｜');
    let bare = rest.strip_prefix(is_bar).unwrap_or(rest);
    let (end, _) = bare.char_indices().take(MAX_NAME).find(|(_, c)| is_bar(*c) || matches!(c, '>' | '＞'))?;
    let (name, after) = bare.split_at(end);
    let after = after.strip_prefix(is_bar).unwrap_or(after).strip_prefix(['>', '＞'])?;
    let name = name.trim().to_lowercase();
    let is_token = rest.len() > bare.len() || name == "start_of_turn";
    if !is_token || PARTS.contains(&name.as_str()) {
        return None;
    }
    let role = if STARTS.contains(&name.as_str()) {
        let end = after.bytes().take(MAX_NAME).position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(0);
        after[..end].to_lowercase()
    } else {
        name
    };
    // A token that ends something, or begins the text, begins nobody's turn.
    let mut words = role.split(['_', '-', '▁', ' ']);
    let is_neutral = role.starts_with("end")
        || role.starts_with("begin")
        || role.starts_with("eo")
        || words.any(|word| matches!(word, "bos" | "pad" | "return" | "call" | "end" | "sep"));
    Some(!is_neutral && !MODELS.contains(&role.as_str()))
}
