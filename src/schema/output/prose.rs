//! Tells prose from broken JSON.

use super::quotes::key_of;

/// The offset after the bracket that closes the one at `open`, if everything between them is prose.
///
/// Quotes between them may hide brackets, as JSON does. Then nobody knows where the group ends, and text that follows
/// may be within quotes, so the group is broken JSON.
pub(super) fn prose_group_end(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut is_nested) = (0_usize, false);
    let mut before = ' ';
    for (offset, c) in text[open..].char_indices() {
        match c {
            '{' | '[' => {
                is_nested |= depth > 0;
                depth += 1;
            }
            '}' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(open + offset + 1);
                }
            }
            _ if is_quote(c, before) => return None,
            _ => {}
        }
        before = c;
    }
    (!is_nested).then_some(text.len())
}

/// Whether text after a value holds the rest of JSON around it: a bracket that closes nothing after a quote, or a key
/// that follows a quote and a comma. Then the value was read from the middle of a text.
pub(super) fn holds_remnant(text: &str) -> bool {
    let (mut depth, mut has_quote, mut is_opened, mut before) = (0_usize, false, false, ' ');
    for (offset, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' if depth > 0 => depth -= 1,
            '}' | ']' if has_quote => return true,
            // A closing quote may follow a letter, as an apostrophe does.
            '\'' | '‘' | '’' | '"' | '“' | '”' | '„' => {
                let after = text[offset + c.len_utf8()..].trim_start();
                let key = after.strip_prefix(',').and_then(|next| key_of(next.trim_start()));
                // Prose may have a word and a colon after a quotation, but not after a quote that nothing opens.
                if key.is_some_and(|key| key.is_quoted || !is_opened) {
                    return true;
                }
                has_quote = true;
                is_opened |= is_quote(c, before);
            }
            _ => {}
        }
        before = c;
    }
    false
}

/// Whether a character is a quote, and not an apostrophe in a word.
fn is_quote(c: char, before: char) -> bool {
    match c {
        '"' | '“' | '”' | '„' => true,
        '\'' | '‘' | '’' => !before.is_alphanumeric(),
        _ => false,
    }
}
