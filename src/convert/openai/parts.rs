//! Converts the content of messages and the arguments of calls for both of OpenAI's APIs.

use serde::de::IgnoredAny;

use crate::convert::image_address::{self, FILE, IMAGE};
use crate::convert::payload::{Member, Payload, member};
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, CallRef, DROPPED, LEFT_OUT, PASSED_ON, REPAIRED};
use crate::error::Result;
use crate::prompt::message::is_blank;
use crate::prompt::{FilePart, Part, PartBody, Role, Tree};
use crate::template::Output;

/// A part that the API accepts.
pub(super) enum AcceptedPart<S> {
    Text(Payload<S>),
    Image {
        url: Payload<S>,
        detail: Option<Payload<S>>,
    },
    Audio {
        data: Payload<S>,
        format: S,
    },
    /// `file_id`, `filename` and `file_data`, those that are given.
    File(Vec<Member<S>>),
    /// An image that was uploaded.
    UploadedImage(S),
    /// The URL of a file, and its name.
    FileUrl {
        url: S,
        filename: Option<S>,
    },
}

/// What the parts are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartTarget {
    /// Chat Completions accepts images, sounds and files in messages of the user.
    Chat,
    /// The same at LiteLLM.
    LiteLlm,
    /// Responses accepts them also in the results of tools, and files by their URL.
    Responses,
}

impl PartTarget {
    /// Its name in error messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat => "OpenAI",
            Self::LiteLlm => "LiteLLM",
            Self::Responses => "the Responses API",
        }
    }

    fn accepts_media(self, role: Role) -> bool {
        role == Role::User || (self == Self::Responses && matches!(role, Role::Tool | Role::Function))
    }

    /// The problem of a part that only the Responses API accepts, and what to do. `instead`: what all accept.
    fn not_in_chat(self, part: &str, instead: [&'static str; 2]) -> (String, &'static str) {
        let [here, or_responses] = instead;
        match self {
            Self::LiteLlm => (format!("{part}, which LiteLLM does not accept"), here),
            _ => (format!("{part}, which Chat Completions does not accept"), or_responses),
        }
    }
}

/// The part, if the API accepts it for this role. `None` if it was dropped.
pub(super) fn accepted_part<S: Output>(
    body: PartBody<S>,
    target: PartTarget,
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
        PartBody::Text(text) => AcceptedPart::Text(Payload::Text(text)),
        PartBody::SearchResult(result) => {
            let problem = format!("part {index} is a search result, which {} does not accept", target.name());
            violations.handle(RuleViolation::new(at, problem, "write it as text"), "sent as text")?;
            AcceptedPart::Text(Payload::String(rules::search_text(&result)))
        }
        body if !target.accepts_media(at.role) && !is_text_document(&body) => {
            refuse(&body, target, index, at, violations)?;
            return Ok(None);
        }
        PartBody::ImageUrl { url, detail } => {
            if let Some(violation) = image_address::local_address(&url, IMAGE, index, at, target.name()) {
                violations.handle(violation, DROPPED)?;
                return Ok(None);
            }
            let detail = match detail {
                Some(detail) => image_detail(detail, target, index, at, violations)?,
                None => None,
            };
            let url = rules::plain_data_url(url, index, at);
            let Some(url) = kept(url, violations)? else { return Ok(None) };
            AcceptedPart::Image { url, detail }
        }
        PartBody::Image { media_type, data } => {
            let Some(data) = kept(rules::plain_base64(data, index, at), violations)? else { return Ok(None) };
            let url = Payload::String(rules::data_url(&media_type, &data));
            AcceptedPart::Image { url, detail: None }
        }
        PartBody::Audio { data, format } => {
            if !format.with_str(|format| matches!(format, "wav" | "mp3")) {
                let name = target.name();
                let problem = format!("part {index} is audio in a format that {name} does not support");
                violations.handle(RuleViolation::new(at, problem, "use wav or mp3"), DROPPED)?;
                return Ok(None);
            }
            let Some(data) = kept(rules::plain_base64(data, index, at), violations)? else { return Ok(None) };
            AcceptedPart::Audio { data, format }
        }
        PartBody::UploadedImage { file_id, .. } if target == PartTarget::Responses => {
            AcceptedPart::UploadedImage(file_id)
        }
        PartBody::UploadedImage { .. } => {
            let instead = ["give its URL or data", "give its URL or data, or use the Responses API"];
            let (problem, hint) = target.not_in_chat(&format!("part {index} is an uploaded image"), instead);
            violations.handle(RuleViolation::new(at, problem, hint), DROPPED)?;
            return Ok(None);
        }
        PartBody::File(file) => return accepted_file(*file, target, index, at, violations),
    }))
}

/// Whether a part is a document that is sent as text, which every role accepts.
fn is_text_document<S>(body: &PartBody<S>) -> bool {
    matches!(body, PartBody::File(file) if file.text.is_some())
}

fn accepted_file<S: Output>(
    file: FilePart<S>,
    target: PartTarget,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<AcceptedPart<S>>> {
    let file = rules::with_inline_data(file);
    let sends_title = file.text.is_some() || (file.filename.is_none() && file.file_id.is_none());
    let lost = [
        ("title", file.title.is_some() && !sends_title),
        ("context", file.context.is_some()),
        ("citations", file.citations),
    ];
    for (key, _) in lost.into_iter().filter(|(_, is_lost)| *is_lost) {
        let problem = format!("part {index} has `{key}`, which {} does not accept", target.name());
        violations.handle(RuleViolation::new(at, problem, "remove the key"), LEFT_OUT)?;
    }
    if let Some(text) = file.text {
        let problem = format!("part {index} is a text document, which {} does not accept", target.name());
        violations.handle(RuleViolation::new(at, problem, "write it as a text part"), "sent as text")?;
        return Ok(Some(AcceptedPart::Text(rules::document_text(text, file.title))));
    }
    let filename = file.filename.or(file.title);
    if let Some(url) = file.url {
        if let Some(violation) = image_address::local_address(&url, FILE, index, at, target.name()) {
            violations.handle(violation, DROPPED)?;
            return Ok(None);
        }
        if target == PartTarget::Responses {
            return Ok(Some(AcceptedPart::FileUrl { url, filename }));
        }
        let instead = ["give its data or file id", "give its data or file id, or use the Responses API"];
        let (problem, hint) = target.not_in_chat(&format!("part {index} is a file with a URL"), instead);
        violations.handle(RuleViolation::new(at, problem, hint), DROPPED)?;
        return Ok(None);
    }
    let filename = filename.filter(|_| file.file_data.is_some());
    let texts = [("file_id", file.file_id), ("filename", filename)];
    let mut fields: Vec<Member<S>> =
        texts.into_iter().filter_map(|(key, value)| Some(member(key, Payload::Text(value?)))).collect();
    if let Some(data) = file.file_data {
        let Some(data) = kept(rules::plain_data_url(data, index, at), violations)? else { return Ok(None) };
        fields.push(member("file_data", data));
    }
    Ok(Some(AcceptedPart::File(fields)))
}

/// The value, unless it is dropped.
fn kept<V>(value: Result<V, RuleViolation>, violations: &mut ViolationHandler<'_>) -> Result<Option<V>> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(violation) => violations.handle(violation, DROPPED).map(|()| None),
    }
}

fn refuse<S>(
    body: &PartBody<S>,
    target: PartTarget,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    let kind = rules::part_kind(body);
    let problem = format!("part {index} is {kind}, but {} accepts only text in this message", target.name());
    violations.handle(RuleViolation::new(at, problem, "move the part to a user message"), DROPPED)
}

/// The text of parts for a function message, which accepts only one text: several texts are joined. `None` if there is
/// no text.
pub(super) fn one_text<S: Output>(
    parts: Vec<Part<S>>,
    target: PartTarget,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<Payload<S>>> {
    let mut texts = texts(parts, target, at, violations)?;
    if texts.len() > 1 {
        let hint = "join the text parts into one";
        let problem = format!("{} accepts only one text in a function message", target.name());
        violations.handle(RuleViolation::new(at, problem, hint), "joined")?;
        let mut joined = String::new();
        for text in &texts {
            text.with_str(|text| joined.push_str(text));
        }
        return Ok(Some(Payload::String(joined)));
    }
    Ok(texts.pop().map(Payload::Text))
}

/// The texts of parts for a message that accepts no other parts, without empty ones.
pub(super) fn texts<S: Output>(
    parts: Vec<Part<S>>,
    target: PartTarget,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Vec<S>> {
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match part.body {
            PartBody::Text(text) if text.is_empty() => {}
            PartBody::Text(text) => texts.push(text),
            body => refuse(&body, target, index, at, violations)?,
        }
    }
    Ok(texts)
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
    target: PartTarget,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<Payload<S>>> {
    if detail.with_str(|detail| matches!(detail, "auto" | "low" | "high" | "original")) {
        return Ok(Some(Payload::Text(detail)));
    }
    let problem = format!("part {index} has a `detail` that {} does not support", target.name());
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
        Tree::Text(text) => {
            let problem = format!("the arguments of {call_ref} are not JSON text");
            if let Some(object) = text.with_str(rules::repaired::<S>) {
                violations.handle(RuleViolation::new(at, problem, hint), REPAIRED)?;
                return Ok(Payload::String(object.to_json_text()?));
            }
            violations.handle(RuleViolation::new(at, problem, hint), PASSED_ON)?;
            return Ok(Payload::from_tree(arguments));
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
