//! What the content of OpenAI's messages may be, and the arguments of their calls, whichever the interface.

use serde::de::IgnoredAny;

use crate::convert::form::{Form, Member, member};
use crate::convert::report::{Fault, Judge, Position};
use crate::convert::rules::{self, DROPPED, LEFT_OUT, Which};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Part, PartBody, Role, Tree};
use crate::template::Output;

/// A part that the API takes.
pub(super) enum Lawful<S> {
    Text(S),
    Image {
        url: Form<S>,
        detail: Option<Form<S>>,
    },
    Audio {
        data: S,
        format: S,
    },
    /// `file_id`, `filename` and `file_data`, as far as they are given.
    File(Vec<Member<S>>),
}

/// The part, where the API takes it on this role; `None` where it was dropped.
pub(super) fn lawful<S: Output>(
    body: PartBody<S>,
    index: usize,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Lawful<S>>> {
    if let Some(fault) = rules::hollow_part(&body, index, at) {
        judge.lossy(fault, DROPPED)?;
        return Ok(None);
    }
    Ok(Some(match body {
        PartBody::Text(text) if text.is_empty() => {
            let hint = "remove the part, or give it text";
            judge.lossy(Fault::new(at, format!("part {index} is an empty text"), hint), DROPPED)?;
            return Ok(None);
        }
        PartBody::Text(text) => Lawful::Text(text),
        body if at.role != Role::User => {
            refuse(&body, index, at, judge)?;
            return Ok(None);
        }
        PartBody::ImageUrl { url, detail } => {
            let detail = match detail {
                Some(detail) => detail_form(detail, index, at, judge)?,
                None => None,
            };
            Lawful::Image { url: Form::Text(url), detail }
        }
        PartBody::Image { media_type, data } => {
            Lawful::Image { url: Form::String(rules::data_url(&media_type, &data)), detail: None }
        }
        PartBody::Audio { data, format } => {
            if !format.with_str(|format| matches!(format, "wav" | "mp3")) {
                let problem = format!("part {index} is audio in a format that OpenAI does not know");
                judge.lossy(Fault::new(at, problem, "use wav or mp3"), DROPPED)?;
                return Ok(None);
            }
            Lawful::Audio { data, format }
        }
        PartBody::File { file_id, filename, file_data } => {
            let fields = [("file_id", file_id), ("filename", filename), ("file_data", file_data)];
            let given = fields.into_iter().filter_map(|(key, value)| Some(member(key, Form::Text(value?))));
            Lawful::File(given.collect())
        }
    }))
}

fn refuse<S>(body: &PartBody<S>, index: usize, at: Position, judge: &mut Judge<'_>) -> Result<()> {
    let kind = rules::part_kind(body);
    let problem = format!("part {index} is {kind}, where OpenAI takes only text");
    judge.lossy(Fault::new(at, problem, "move the part to a user message"), DROPPED)
}

/// The text of parts where no parts may stand: one text part is its text, several are joined. `None` where nothing is
/// said.
pub(super) fn one_text<S: Output>(
    parts: Vec<Part<S>>,
    message: &str,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match part.body {
            PartBody::Text(text) if text.is_empty() => {}
            PartBody::Text(text) => texts.push(text),
            body => refuse(&body, index, at, judge)?,
        }
    }
    if texts.len() > 1 {
        let hint = "write it as one text";
        let problem = format!("OpenAI takes one text on {} {message} message", article(message));
        judge.lossy(Fault::new(at, problem, hint), "joined")?;
        let mut joined = String::new();
        for text in &texts {
            text.with_str(|text| joined.push_str(text));
        }
        return Ok(Some(Form::String(joined)));
    }
    Ok(texts.pop().map(Form::Text))
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The fault of a message in which nothing is said.
pub(super) fn nothing_said(at: Position) -> Fault {
    if at.role == Role::Assistant {
        let hint = "give it content or tool calls, or leave the message out";
        return Fault::new(at, "an assistant message with neither content nor calls", hint);
    }
    Fault::new(at, "the content is empty", "give it content, or leave the message out")
}

fn detail_form<S: Output>(
    detail: S,
    index: usize,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    if detail.with_str(|detail| matches!(detail, "auto" | "low" | "high" | "original")) {
        return Ok(Some(Form::Text(detail)));
    }
    let problem = format!("part {index} has a `detail` that OpenAI does not know");
    judge.lossy(Fault::new(at, problem, "use auto, low, high or original"), LEFT_OUT)?;
    Ok(None)
}

/// Arguments as JSON text. What is JSON text already stays to the letter.
pub(super) fn arguments_form<S: Output>(
    arguments: Tree<S>,
    which: Which,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Form<S>> {
    let hint = "write the arguments as a mapping";
    match &arguments {
        Tree::Map(_) => {}
        Tree::Text(text) if text.with_str(is_json) => return Ok(Form::of_tree(arguments)),
        Tree::Text(text) if rules::is_blank(text) => {
            let fault = Fault::new(at, format!("the arguments of {which} are empty"), hint);
            judge.lossy(fault, "sent as an empty object")?;
            return Ok(Form::Static("{}"));
        }
        Tree::Text(_) => {
            let problem = format!("the arguments of {which} are not JSON text");
            return Err(Fault::new(at, problem, hint).into());
        }
        _ => {
            let problem = format!("the arguments of {which} are neither a mapping nor JSON text");
            judge.lossy(Fault::new(at, problem, hint), "dumped as JSON text")?;
        }
    }
    arguments.to_json_text().map(Form::String).map_err(|error| {
        Error::new(Kind::Conversion, format!("{at}: the arguments of {which} cannot be dumped as JSON"))
            .with_cause(error)
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
