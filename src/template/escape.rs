//! Text on its way out: HTML entities, and the indentation of partials.

/// Gives `text` to `push` piece by piece, with the characters that handlebars.js escapes as entities.
pub fn escape_html(text: &str, mut push: impl FnMut(&str)) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#x27;",
            b'`' => "&#x60;",
            b'=' => "&#x3D;",
            _ => continue,
        };
        push(&text[from..at]);
        push(entity);
        from = at + 1;
    }
    push(&text[from..]);
}

/// Gives `text` to `push` line by line, each line led by `indent`; a last line that is empty stays so.
pub fn indent_lines(text: &str, indent: &str, mut push: impl FnMut(&str)) {
    for line in text.split_inclusive('\n') {
        push(indent);
        push(line);
    }
}
