//! Adds names to the declaration of variables in a file, and removes them. Comments and layout stay.
//!
//! A declaration is a list or a mapping, each in YAML's block style or in its flow style. Where it is written in another
//! way, or where a comment is in between, there is no edit.

use super::fix::FileEdit;

/// How a declaration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeclarationStyle {
    /// `[name, company]`
    FlowList,
    /// `{name: string, company: string}`
    FlowMapping,
    /// `- name` on a line of its own.
    BlockList,
    /// `name: string` on a line of its own.
    BlockMapping,
}

/// A declaration of variables in a file.
pub(super) struct Declaration<'t> {
    text: &'t str,
    /// The offset of each name, in order.
    names: Vec<usize>,
    style: DeclarationStyle,
}

impl<'t> Declaration<'t> {
    /// The declaration with names at these offsets.
    pub(super) fn of(text: &'t str, names: Vec<usize>) -> Option<Self> {
        let first = *names.first()?;
        let before = text.get(..first)?;
        let line = &before[line_start(text, first)..];
        let style = match before.trim_end().chars().last()? {
            '[' => DeclarationStyle::FlowList,
            '{' => DeclarationStyle::FlowMapping,
            _ if line.trim() == "-" => DeclarationStyle::BlockList,
            _ if line.chars().all(|c| c == ' ') => DeclarationStyle::BlockMapping,
            _ => return None,
        };
        let declaration = Self { text, names, style };
        declaration.is_in_one_place().then_some(declaration)
    }

    /// Whether nothing but separators and comments is between the entries. Those that a merge key (`<<`) adds are written
    /// elsewhere.
    fn is_in_one_place(&self) -> bool {
        self.names.iter().enumerate().skip(1).all(|(index, start)| {
            let between = self.end(index - 1).and_then(|end| self.text.get(end..*start));
            between.is_some_and(|between| {
                between.lines().all(|line| {
                    let line = line.trim_start_matches([' ', ',', '-']);
                    line.is_empty() || line.starts_with('#')
                })
            })
        })
    }

    /// The edit that adds a name at the end. In a mapping it gets the type `any`.
    pub(super) fn add(&self, name: &str) -> Option<FileEdit> {
        let last = self.names.len().checked_sub(1)?;
        let end = self.end(last)?;
        let start = *self.names.get(last)?;
        let prefix = &self.text[line_start(self.text, start)..start];
        let line_break = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let name = in_yaml(name);
        let text = match self.style {
            DeclarationStyle::FlowList => format!(", {name}"),
            DeclarationStyle::FlowMapping => format!(", {name}: any"),
            DeclarationStyle::BlockList => format!("{line_break}{prefix}{name}"),
            DeclarationStyle::BlockMapping => format!("{line_break}{prefix}{name}: any"),
        };
        Some(FileEdit { start: end, end, text })
    }

    /// The edit that removes the name at this index.
    pub(super) fn remove(&self, index: usize) -> Option<FileEdit> {
        let (start, end) = (*self.names.get(index)?, self.end(index)?);
        let is_only = self.names.len() == 1;
        let (start, end) = match self.style {
            DeclarationStyle::FlowList | DeclarationStyle::FlowMapping => {
                match (self.names.get(index + 1), index.checked_sub(1)) {
                    _ if is_only => (start, self.comma_after(end)),
                    (Some(next), _) => (start, *next),
                    (None, Some(before)) => (self.end(before)?, end),
                    (None, None) => return None,
                }
            }
            DeclarationStyle::BlockList | DeclarationStyle::BlockMapping => {
                let first = line_start(self.text, start);
                (if is_only { self.key_line(first)? } else { first }, next_line(self.text, end))
            }
        };
        let is_flow = matches!(self.style, DeclarationStyle::FlowList | DeclarationStyle::FlowMapping);
        let has_comment = is_flow && self.text.get(start..end)?.contains(" #");
        (!has_comment).then(|| FileEdit { start, end, text: String::new() })
    }

    /// The end of the comma behind the last entry of a flow style, or `end` if there is none.
    fn comma_after(&self, end: usize) -> usize {
        let rest = self.text[end..].trim_start();
        if rest.starts_with(',') { self.text.len() - rest.len() + 1 } else { end }
    }

    /// Where the line `variables:` right above begins.
    fn key_line(&self, first: usize) -> Option<usize> {
        let above = line_start(self.text, first.checked_sub(1)?);
        (self.text.get(above..first)?.trim() == "variables:").then_some(above)
    }

    /// Where the entry at this index ends; in block style, where its last line with content ends.
    fn end(&self, index: usize) -> Option<usize> {
        let start = *self.names.get(index)?;
        match self.style {
            DeclarationStyle::FlowList | DeclarationStyle::FlowMapping => end_in_flow(self.text, start),
            DeclarationStyle::BlockList => Some(line_end(self.text, start)),
            DeclarationStyle::BlockMapping => {
                let indent = start - line_start(self.text, start);
                let mut end = line_end(self.text, start);
                let mut next = next_line(self.text, end);
                while next < self.text.len() {
                    let line = &self.text[next..line_end(self.text, next)];
                    let content = line.trim_start_matches(' ');
                    let is_blank = content.is_empty() || content.starts_with('#');
                    if !is_blank && line.len() - content.len() <= indent {
                        break;
                    }
                    if !is_blank {
                        end = next + line.len();
                    }
                    next = next_line(self.text, next);
                }
                Some(end)
            }
        }
    }
}

/// Where an entry of a list or mapping in flow style ends: before the comma or bracket behind it.
fn end_in_flow(text: &str, start: usize) -> Option<usize> {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (offset, c) in text.get(start..)?.char_indices() {
        match (quote, c) {
            (Some('"'), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some(open), _) if c == open => quote = None,
            // A quote inside a word is an apostrophe.
            (None, '"' | '\'') if !text[..start + offset].ends_with(char::is_alphanumeric) => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ',' | ']' | '}') if depth == 0 => {
                return Some(start + text[start..start + offset].trim_end().len());
            }
            (None, ']' | '}') => depth -= 1,
            (None, '#') if text[..start + offset].ends_with(char::is_whitespace) => return None,
            _ => {}
        }
    }
    None
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |at| at + 1)
}

/// Where the content of a line ends, before its line break.
fn line_end(text: &str, offset: usize) -> usize {
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    offset + text[offset..end].trim_end_matches('\r').len()
}

fn next_line(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |at| offset + at + 1)
}

/// A name as YAML reads it as a text.
fn in_yaml(name: &str) -> String {
    let is_word = |word: &str| ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&word);
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !is_word(&name.to_ascii_lowercase());
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}
