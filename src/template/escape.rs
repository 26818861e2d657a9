//! Escapes output for HTML, and indents the output of partials.

/// Passes `text` to `push` in pieces, with the characters that handlebars.js escapes replaced by entities.
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

/// Passes `text` to `push` line by line, with `indent` before each line. An empty last line is not indented.
pub fn indent_lines(text: &str, indent: &str, mut push: impl FnMut(&str)) {
    for line in text.split_inclusive('\n') {
        push(indent);
        push(line);
    }
}
