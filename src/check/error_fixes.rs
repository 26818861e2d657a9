//! The fixes of errors of a load that a program can correct: a misspelt key of a prompt, and a brace of JSON that needs a
//! blank.

use super::code::Code;
use super::finding::Finding;
use super::fix::{FileEdit, Fix};
use crate::error::LineStarts;

/// The fix of an error in a file with this text, which has no byte order mark.
#[must_use]
pub fn fix_of_error(finding: &Finding, text: &str) -> Option<Fix> {
    let place = finding.place.as_ref()?;
    let start = LineStarts::of(text).start(place.line)?;
    let line = text.get(start..)?.lines().next()?;
    let column = line.char_indices().nth(place.column.checked_sub(1)?)?.0;
    let edit = match finding.code {
        Code::InvalidPrompt => key(line, column, &finding.message, text)?,
        Code::TemplateSyntax if finding.hint.as_ref()?.starts_with("`}}}` closes `{{{`") => {
            brace(line, column)?
        }
        _ => return None,
    };
    let edit = FileEdit { start: start + edit.start, end: start + edit.end, text: edit.text };
    Fix::new(text, edit)
}

/// The spelling of a key of the file: of a prompt, not of something inside it.
fn key(line: &str, column: usize, message: &str, text: &str) -> Option<FileEdit> {
    let (written, meant) = message.strip_prefix("unknown key `")?.split_once("`; did you mean `")?;
    let meant = meant.strip_suffix("`?")?;
    let is_there_too = text.lines().any(|line| {
        let key = line.trim_start_matches([' ', '-', '{']);
        key.strip_prefix(meant).is_some_and(|rest| rest.trim_start().starts_with(':'))
    });
    let before = line[..column].replace(['-', '{', '"', '\''], " ");
    let is_own = column == 0 || (before.trim().is_empty() && line.contains(['-', '{']));
    let quoted = line[column..].starts_with(['"', '\'']);
    let start = column + usize::from(quoted);
    let is_written = line.get(start..)?.starts_with(written);
    (is_own && is_written && !is_there_too).then(|| FileEdit {
        start,
        end: start + written.len(),
        text: meant.to_owned(),
    })
}

/// The blank before the last brace of `{{name}}}`.
fn brace(line: &str, column: usize) -> Option<FileEdit> {
    let tag = line.get(..column)?.rfind("{{")?;
    let close = tag + line.get(tag..)?.find("}}}")?;
    let at = close + "}}".len();
    Some(FileEdit { start: at, end: at, text: " ".to_owned() })
}
