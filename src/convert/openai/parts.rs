//! Converts the content of messages and the arguments of calls for both of OpenAI's APIs.

use serde::de::IgnoredAny;

use crate::convert::payload::{Member, Payload, member};
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, CallRef, DROPPED, LEFT_OUT};
use crate::error::Result;
use crate::prompt::message::is_blank;
use crate::prompt::{Part, PartBody, Role, Tree};
use crate::template::Output;

/// A part that the API accepts.
pub(super) enum AcceptedPart<S> {
    Text(S),
    Image {
        url: Payload<S>,
        detail: Option<Payload<S>>,
    },
    Audio {
        data: S,
        format: S,
    },
    /// `file_id`, `filename` and `file_data`, those that are given.
    File(Vec<Member<S>>),
}

/// The part, if the API accepts it for this role. `None` if it was dropped.
pub(super) fn accepted_part<S: Output>(
    body: PartBody<S>,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<AcceptedPart<S>>> {
    if let Some(violation) = rules::empty_part(&body, index, at) {
        violations.handle(violation, DROPPED)?;
        return Ok(None);
    }
    Ok(Some(match body {
        PartBody::Text(text) if text.is_empty() => {
            let hint = "remove the part, or give it text";
            violations
                .handle(RuleViolation::new(at, format!("part {index} is an empty text"), hint), DROPPED)?;
            return Ok(None);
        }
        PartBody::Text(text) => AcceptedPart::Text(text),
        body if at.role != Role::User => {
            refuse(&body, index, at, violations)?;
            return Ok(None);
        }
        PartBody::ImageUrl { url, detail } => {
            let detail = match detail {
                Some(detail) => image_detail(detail, index, at, violations)?,
                None => None,
            };
            AcceptedPart::Image { url: Payload::Text(url), detail }
        }
        PartBody::Image { media_type, data } => {
            AcceptedPart::Image { url: Payload::String(rules::data_url(&media_type, &data)), detail: None }
        }
        PartBody::Audio { data, format } => {
            if !format.with_str(|format| matches!(format, "wav" | "mp3")) {
                let problem = format!("part {index} is audio in a format that OpenAI does not support");
                violations.handle(RuleViolation::new(at, problem, "use wav or mp3"), DROPPED)?;
                return Ok(None);
            }
            AcceptedPart::Audio { data, format }
        }
        PartBody::File { file_id, filename, file_data } => {
            let fields = [("file_id", file_id), ("filename", filename), ("file_data", file_data)];
            let given =
                fields.into_iter().filter_map(|(key, value)| Some(member(key, Payload::Text(value?))));
            AcceptedPart::File(given.collect())
        }
    }))
}

fn refuse<S>(
    body: &PartBody<S>,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    let kind = rules::part_kind(body);
    let problem = format!("part {index} is {kind}, but OpenAI accepts only text in this message");
    violations.handle(RuleViolation::new(at, problem, "move the part to a user message"), DROPPED)
}

/// The text of parts for a message that accepts only one text: several texts are joined. `None` if there is no text.
pub(super) fn one_text<S: Output>(
    parts: Vec<Part<S>>,
    message: &str,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<Payload<S>>> {
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match part.body {
            PartBody::Text(text) if text.is_empty() => {}
            PartBody::Text(text) => texts.push(text),
            body => refuse(&body, index, at, violations)?,
        }
    }
    if texts.len() > 1 {
        let hint = "join the text parts into one";
        let problem = format!("OpenAI accepts only one text in {} {message} message", article(message));
        violations.handle(RuleViolation::new(at, problem, hint), "joined")?;
        let mut joined = String::new();
        for text in &texts {
            text.with_str(|text| joined.push_str(text));
        }
        return Ok(Some(Payload::String(joined)));
    }
    Ok(texts.pop().map(Payload::Text))
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The violation of a message without content.
pub(super) fn empty_content_violation(at: Position) -> RuleViolation {
    if at.role == Role::Assistant {
        let hint = "add content or tool calls, or remove the message";
        return RuleViolation::new(at, "the assistant message has neither content nor calls", hint);
    }
    rules::empty_content(at)
}

fn image_detail<S: Output>(
    detail: S,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<Payload<S>>> {
    if detail.with_str(|detail| matches!(detail, "auto" | "low" | "high" | "original")) {
        return Ok(Some(Payload::Text(detail)));
    }
    let problem = format!("part {index} has a `detail` that OpenAI does not support");
    violations.handle(RuleViolation::new(at, problem, "use auto, low, high or original"), LEFT_OUT)?;
    Ok(None)
}

/// Arguments as JSON text. Valid JSON text is passed on character for character.
pub(super) fn arguments_text<S: Output>(
    arguments: Tree<S>,
    call_ref: CallRef,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Payload<S>> {
    let hint = "write the arguments as a mapping";
    match &arguments {
        Tree::Map(_) => {}
        Tree::Text(text) if text.with_str(is_json) => return Ok(Payload::from_tree(arguments)),
        // Models write it for a function without arguments.
        Tree::Text(text) if is_blank(text) => return Ok(Payload::from_tree(arguments)),
        Tree::Text(_) => {
            let problem = format!("the arguments of {call_ref} are not JSON text");
            return Err(RuleViolation::new(at, problem, hint).into());
        }
        _ => {
            let problem = format!("the arguments of {call_ref} are neither a mapping nor JSON text");
            violations.handle(RuleViolation::new(at, problem, hint), "sent as JSON text")?;
        }
    }
    Ok(Payload::String(arguments.to_json_text()?))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
