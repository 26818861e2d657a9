//! Reads the JSON in a model's answer.
//!
//! Models put JSON into code fences and prose, leave trailing commas, quote as Python does, write comments, and stop in
//! the middle. The meaning is clear in these cases: the answer is repaired, and each repair is recorded. A value is
//! never made up. What was cut off is left out. Two answers in one text, and everything whose meaning is a guess, are
//! errors.
//!
//! ```text
//! text ─ reasoning ─▶ candidates ─ parser ─▶ the only candidate
//!                          └─ none ─▶ readings ─ schema ─▶ the only reading that fits
//! ```

mod answer;
mod answer_error;
mod answer_words;
mod candidates;
mod choices;
mod comments;
mod cursor;
mod fences;
mod introductions;
mod labels;
mod lines;
mod marks;
mod parsed;
mod parser;
mod prose;
mod quote_pairs;
mod quotes;
mod readings;
mod reasoning;
mod repairs;
mod scalars;
mod speakers;
mod strings;
mod surroundings;
mod tags;
mod unwrap;

pub use answer::{Answer, AnswerOptions};
use answer_error::AnswerError;
use candidates::{Candidate, Search};
use comments::COMMENT_WITHOUT_END;
use cursor::AnswerParser;
use introductions::{Introduction, introduction};
pub use parsed::Parsed;
pub use readings::{Reading, only_fitting, readings};
use reasoning::ReasoningEnd;
use repairs::located;
pub use repairs::{Repair, RepairKind};
use surroundings::IS_QUOTED;
use unwrap::{is_unclear, unwrapped};

use super::violation::{Violation, invalid};
use crate::error::{Place, Result};

/// Reads the JSON of an answer.
///
/// # Errors
/// [`Kind::SchemaInvalid`](crate::Kind::SchemaInvalid) with the rule `syntax` if the text has no JSON, has more than
/// one possible answer, or is not clear.
pub fn parse(text: &str, options: AnswerOptions) -> Result<Answer> {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = whole(source, options).or_else(|stop| {
        let is_final = options.strict
            || [NOT_AN_OBJECT, TWO_MEANINGS, COMMENT_WITHOUT_END].contains(&stop.message.as_str());
        if is_final { Err(stop) } else { found_in(source, stop, options) }
    });
    found.map_err(|stop| failed(source, &stop))
}

/// The error for a list or scalar where a dict is wanted.
const NOT_AN_OBJECT: &str = "the answer is JSON, but not an object";

/// The error for JSON in a text in quotes that JSON does not have.
const TWO_MEANINGS: &str = "a text holds the JSON, and its backslashes have two meanings";

/// Reads a text that is JSON as a whole, apart from repairs.
fn whole(source: &str, options: AnswerOptions) -> std::result::Result<Answer, AnswerError> {
    let mut parser = AnswerParser::new(source, 0, options.strict);
    let parsed = parser.whole()?;
    let before = source.find(['{', '[']).map_or("", |start| &source[..start]);
    if before.starts_with(['#', '/']) && introduction(before) == Introduction::Unknown {
        return Err(AnswerError { offset: before.len(), message: IS_QUOTED.to_owned() });
    }
    let answer = Answer { parsed, repairs: located(source, parser.repairs), open: parser.open };
    if options.strict {
        return Ok(answer);
    }
    let answer = unwrapped(answer, options);
    if is_unclear(source, &answer) {
        return Err(AnswerError { offset: 0, message: TWO_MEANINGS.to_owned() });
    }
    if options.dict && !matches!(answer.parsed, Parsed::Dict(_)) {
        return Err(AnswerError { offset: 0, message: NOT_AN_OBJECT.to_owned() });
    }
    Ok(answer)
}

/// Finds the answer in a text that is not JSON as a whole, for which reading failed with `stop`.
fn found_in(
    source: &str,
    stop: AnswerError,
    options: AnswerOptions,
) -> std::result::Result<Answer, AnswerError> {
    let reasoning = ReasoningEnd::find(source)?;
    let start = reasoning.offset;
    let mut search = Search::run(source, start, options)?;
    if let [first, second] = search.candidates.as_slice() {
        return Err(two_answers(source, first, second));
    }
    let Some(mut only) = search.only()? else {
        // If the whole text looks like JSON, report its error; otherwise the error of the part that came nearest to an
        // answer.
        if fences::begins_with_bracket(source) {
            return Err(stop);
        }
        if let Some(stop) = search.code() {
            return Err(stop);
        }
        if !source[start..].contains(['{', '[']) && stop.offset < source.len() {
            return Err(AnswerError { offset: start, message: "the text has no JSON".to_owned() });
        }
        return Err(search.nearest().unwrap_or(stop));
    };
    reasoning.check(search.outside(start))?;
    if options.dict && !matches!(only.parsed, Parsed::Dict(_)) {
        return Err(AnswerError { offset: only.start, message: NOT_AN_OBJECT.to_owned() });
    }
    if start > 0 && !only.repairs.iter().any(|(_, kind)| *kind == RepairKind::Prose) {
        only.repairs.push((0, RepairKind::Prose));
    }
    Ok(Answer { parsed: only.parsed, repairs: located(source, only.repairs), open: only.open })
}

fn two_answers(source: &str, first: &Candidate, second: &Candidate) -> AnswerError {
    let second = Place::of(None, source, second.start);
    let message = format!(
        "the text has two different answers, and the second begins at line {}, column {}",
        second.line, second.column
    );
    AnswerError { offset: first.start, message }
}

fn failed(source: &str, stop: &AnswerError) -> crate::Error {
    let place = Place::of(None, source, stop.offset);
    let message = format!("{} (line {}, column {})", stop.message, place.line, place.column);
    invalid("cannot read the answer", "", &[Violation::new(&"", "syntax", message)])
}
