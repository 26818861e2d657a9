//! `curly-quotes`: typographic quotes stand where the template language or YAML needs plain ones.
//!
//! Word processors and chats put them in. In a tag they are part of a name, so `(eq tone “formal”)` compares with a
//! variable that does not exist, and is false. Around a text in YAML they are part of the text.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{#if (eq tone “formal”)}}Dear{{else}}Hi{{/if}} {{name}}"
//! variables: [tone, name]
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{#if (eq tone 'formal')}}Dear{{else}}Hi{{/if}} {{name}}"
//! variables: [tone, name]
//! ```
//!
//! A text that only begins or only ends in such a quote is not reported, nor are quotes between tags.

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use super::foreign_syntax::contents;
use super::yaml_comment::shortened;

const QUOTES: [char; 10] = ['“', '”', '„', '‟', '‘', '’', '‚', '«', '»', '″'];

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (location, text) in checked.texts() {
        if !has_curly_quote(text) {
            continue;
        }
        let mut report = |offset: usize, message: String, hint: String| {
            let finding = checked.finding(Code::CurlyQuotes, message, checked.place(location, offset));
            findings.push(finding.with_hint(hint));
        };
        let id = &checked.prompt.id;
        if let Some(inside) = inside_quotes(text) {
            let message = format!("the curly quotes are part of the text ({location} of prompt `{id}`)");
            report(0, message, format!("use plain quotes: \"{}\"", shortened(inside)));
        }
        let Some(parsed) = checked.parsed().iter().find(|parsed| parsed.location == location) else {
            continue;
        };
        let outside = contents(&parsed.program, true);
        let mut from = 0;
        for span in
            outside.iter().map(|span| span.start..span.end).chain(std::iter::once(text.len()..text.len()))
        {
            let between = text.get(from..span.start).unwrap_or_default();
            for tag in between.split_inclusive("}}") {
                if let Some((at, quoted)) = quoted(tag) {
                    let message =
                        format!("`{quoted}` is a name here, not a string ({location} of prompt `{id}`)");
                    let plain = quoted.replace(QUOTES, "'");
                    report(from + at, message, format!("use plain quotes: `{plain}`"));
                }
                from += tag.len();
            }
            from = span.end;
        }
    }
    findings
}

/// Whether a text has a typographic quote.
pub(super) fn has_curly_quote(text: &str) -> bool {
    !text.is_ascii() && text.contains(QUOTES)
}

/// The first words in typographic quotes in a tag that is no comment, with their offset. Those in plain quotes are text.
fn quoted(tag: &str) -> Option<(usize, &str)> {
    if tag.trim_start_matches(['{', '~']).starts_with('!') {
        return None;
    }
    let mut plain = None;
    for (at, c) in tag.char_indices() {
        match c {
            '"' | '\'' if plain.is_none() => plain = Some(c),
            _ if plain == Some(c) => plain = None,
            _ if plain.is_none() && QUOTES.contains(&c) => {
                let rest = &tag[at..];
                let after = c.len_utf8();
                let end = rest[after..].find(QUOTES).map_or(rest.len(), |found| after + found);
                let close = rest[end..].chars().next().map_or(0, char::len_utf8);
                return Some((at, rest[..end + close].trim_end_matches(['}', ')', ' '])));
            }
            _ => {}
        }
    }
    None
}

/// What is inside of the typographic quotes around a whole text, if they are the only ones.
fn inside_quotes(text: &str) -> Option<&str> {
    let text = text.trim();
    let inside = text.strip_prefix(['“', '„'])?.strip_suffix(['”', '“'])?;
    (!inside.contains(['“', '”', '„', '\n'])).then_some(inside)
}
