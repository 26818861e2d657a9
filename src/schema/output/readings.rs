//! The ways in which a damaged answer can be read, where quotes within its texts lack their backslash, or texts lack
//! their quotes. Only the schema can tell which way is right.

use std::collections::HashSet;
use std::hash::BuildHasher;

use super::answer::{Answer, AnswerOptions};
use super::answer_error::AnswerError;
use super::choices::Choices;
use super::comments::is_unclear_comment;
use super::cursor::{AnswerParser, ReadValue};
use super::fences::{begins_line, begins_with_bracket, ends_json, ends_line, opening_fence};
use super::parsed::Parsed;
use super::reasoning::ReasoningEnd;
use super::repairs::{RepairKind, located};
use super::surroundings::{is_plain, is_plain_after};
use super::unwrap::unwrapped;

/// A way to read a damaged answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The answer.
    pub answer: Answer,
    /// Whether a text in it holds what looks like a member of the schema. It is never the answer, but if it fits, no
    /// other reading is certain.
    pub is_doubtful: bool,
}

/// The ways to read a damaged answer that is complete. `names` has the keys of the schema. There are none if the answer
/// is damaged in another way, or if there are too many.
#[must_use]
pub fn readings<S: BuildHasher>(
    text: &str,
    options: AnswerOptions,
    names: &HashSet<String, S>,
) -> Vec<Reading> {
    /// How often an answer is read.
    const MAX_READINGS: usize = 64;
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(damaged) = Damaged::find(source).filter(|_| !options.strict) else { return Vec::new() };
    let is_name = |name: &str| names.contains(name);
    let mut found = Vec::new();
    let mut script = Vec::new();
    for _ in 0..MAX_READINGS {
        let mut parser = AnswerParser::new(&source[..damaged.end], damaged.start, false);
        parser.in_fence = damaged.around.is_some_and(|(_, kind)| kind == RepairKind::Fence);
        parser.choices = Some(Choices::new(script, &is_name));
        let parsed = match complete(&mut parser) {
            Err(stop) if is_unclear_comment(&stop) => return Vec::new(),
            parsed => parsed.ok().flatten(),
        };
        let Some(choices) = parser.choices else { return Vec::new() };
        let next = choices.next_script(parsed.is_none() && found.is_empty());
        if let Some(parsed) = parsed {
            let mut repairs = parser.repairs;
            repairs.extend(damaged.around);
            let repairs = located(source, repairs);
            let answer = unwrapped(Answer { parsed, repairs, open: 0 }, options);
            found.push(Reading { answer, is_doubtful: choices.is_doubtful });
        }
        match next {
            Some(next) => script = next,
            None => return found,
        }
    }
    Vec::new()
}

fn complete(parser: &mut AnswerParser<'_>) -> Result<Option<Parsed>, AnswerError> {
    let ReadValue::Whole(parsed) = parser.outermost()? else { return Ok(None) };
    parser.blank()?;
    Ok((parser.at == parser.text.len()).then_some(parsed))
}

/// The only reading that fits the schema.
///
/// # Errors
/// The error of `fits`.
pub fn only_fitting<E>(
    readings: Vec<Reading>,
    mut fits: impl FnMut(&Answer) -> Result<bool, E>,
) -> Result<Option<Answer>, E> {
    let mut only: Option<Reading> = None;
    for reading in readings {
        if only.as_ref().is_some_and(|only| only.answer.parsed == reading.answer.parsed)
            || !fits(&reading.answer)?
        {
            continue;
        }
        if only.is_some() || reading.is_doubtful {
            return Ok(None);
        }
        only = Some(reading);
    }
    Ok(only.map(|reading| reading.answer))
}

/// The part of a text that holds a damaged answer.
struct Damaged {
    start: usize,
    end: usize,
    /// The repair for what is around it.
    around: Option<(usize, RepairKind)>,
}

impl Damaged {
    /// Finds the only list or dict: all of the answer, the content of its only fence, or what follows plain prose.
    fn find(source: &str) -> Option<Self> {
        let begin = ReasoningEnd::find(source).ok()?.offset;
        let rest = &source[begin..];
        let start = begin + rest.find(['{', '['])?;
        let before = &source[begin..start];
        let around = |kind| Some((begin, kind));
        if let Some(prose) = before.find("```") {
            let fence = begin + prose;
            let ticks = before[prose..].len() - before[prose..].trim_start_matches('`').len();
            let opening = opening_fence(source, fence, ticks)?;
            let end = source.rfind("```").filter(|end| *end > start)?;
            let is_fence = !opening.is_other_language
                && source[opening.start..start].trim().is_empty()
                && (!opening.is_inline || ends_line(source, end + 3))
                && (begins_line(source, end) || ends_json(source, start, end, 3));
            let plain = is_plain(&before[..prose]) && is_plain_after(&source[end + 3..]);
            let alone = !source[end..].contains(['{', '[', '}', ']']);
            return (is_fence && plain && alone).then_some(Self {
                start,
                end,
                around: Some((fence, RepairKind::Fence)),
            });
        }
        let end = source.trim_end().len();
        let is_closed = source[..end].ends_with(['}', ']']);
        let is_alone = before.trim().is_empty() && begins_with_bracket(rest);
        let around = if is_alone && begin == 0 { None } else { around(RepairKind::Prose) };
        (is_closed && is_plain(before)).then_some(Self { start, end, around })
    }
}
