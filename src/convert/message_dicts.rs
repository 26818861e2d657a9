//! Writes rendered messages as the message dicts of prompt files: to show them, for a caller's own conversion, and for
//! placeholders of other prompts. No provider's rules are checked.

use super::carried::CarriedTarget;
use super::payload::{Member, Payload, member};
use super::report::Report;
use crate::error::Result;
use crate::prompt::{Content, FilePart, FunctionCall, Message, Part, PartBody};
use crate::template::Output;

/// The list of messages, each `{"role": …, "content": …}` with its other fields. What only one provider understands is
/// left out and reported.
///
/// # Errors
/// Never. It returns a `Result` as [`strict_messages`] does.
pub fn messages<S: Output>(messages: Vec<Message<S>>, report: &mut Report) -> Result<Payload<S>> {
    settled(messages, CarriedTarget::PROMPT_FILES, report)
}

/// The messages for a framework, which accepts nothing that only one provider understands.
///
/// # Errors
/// [`Kind::Conversion`](crate::Kind::Conversion) if there is any.
pub fn strict_messages<S: Output>(
    messages: Vec<Message<S>>,
    framework: &'static str,
    report: &mut Report,
) -> Result<Payload<S>> {
    let target = CarriedTarget { name: framework, strict: true, ..CarriedTarget::PROMPT_FILES };
    settled(messages, target, report)
}

fn settled<S: Output>(
    messages: Vec<Message<S>>,
    target: CarriedTarget,
    report: &mut Report,
) -> Result<Payload<S>> {
    let messages = target.settle(messages, report)?;
    Ok(Payload::List(messages.into_iter().map(message).collect()))
}

fn message<S>(message: Message<S>) -> Payload<S> {
    let mut members = vec![member("role", Payload::Static(message.role.as_str()))];
    let mut put = |key, value: Option<Payload<S>>| members.extend(value.map(|value| member(key, value)));
    put("content", message.content.map(content));
    put("refusal", message.refusal.map(Payload::Text));
    put("name", message.name.map(Payload::Text));
    let calls: Vec<_> = message
        .tool_calls
        .into_iter()
        .map(|call| {
            Payload::map([
                ("id", Payload::Text(call.id)),
                ("type", Payload::Static("function")),
                ("function", function(call.function)),
            ])
        })
        .collect();
    put("tool_calls", (!calls.is_empty()).then_some(Payload::List(calls)));
    put("tool_call_id", message.tool_call_id.map(Payload::Text));
    put("function_call", message.function_call.map(function));
    put("cache", message.cache.map(|hint| Payload::from_json(hint.to_json())));
    put("is_error", message.is_error.then_some(Payload::Bool(true)));
    Payload::Map(members)
}

fn function<S>(call: FunctionCall<S>) -> Payload<S> {
    Payload::map([("name", Payload::Text(call.name)), ("arguments", Payload::from_tree(call.arguments))])
}

fn content<S>(content: Content<S>) -> Payload<S> {
    match content {
        Content::Text(text) => Payload::Text(text),
        Content::Parts(parts) => Payload::List(parts.into_iter().map(part).collect()),
    }
}

fn part<S>(part: Part<S>) -> Payload<S> {
    let some = |members: Vec<(&'static str, Option<S>)>| -> Payload<S> {
        let given = members.into_iter().filter_map(|(key, text)| Some(member(key, Payload::Text(text?))));
        Payload::Map(given.collect())
    };
    let mut members: Vec<Member<S>> = match part.body {
        PartBody::Text(text) => {
            vec![member("type", Payload::Static("text")), member("text", Payload::Text(text))]
        }
        PartBody::ImageUrl { url, detail } => vec![
            member("type", Payload::Static("image_url")),
            member("image_url", some(vec![("url", Some(url)), ("detail", detail)])),
        ],
        PartBody::Image { media_type, data } => vec![
            member("type", Payload::Static("image")),
            member("media_type", Payload::Text(media_type)),
            member("data", Payload::Text(data)),
        ],
        PartBody::Audio { data, format } => vec![
            member("type", Payload::Static("input_audio")),
            member("input_audio", some(vec![("data", Some(data)), ("format", Some(format))])),
        ],
        PartBody::UploadedImage { file_id, media_type } => {
            let media_type = media_type.map(|media_type| member("media_type", Payload::Text(media_type)));
            let image = [member("type", Payload::Static("image")), member("file_id", Payload::Text(file_id))];
            image.into_iter().chain(media_type).collect()
        }
        PartBody::File(file) => {
            let FilePart { file_id, filename, file_data, url, text, title, context, citations } = *file;
            let mut members = vec![member("type", Payload::Static("file"))];
            if file_id.is_some() || file_data.is_some() {
                let file = [("file_id", file_id), ("filename", filename), ("file_data", file_data)];
                members.push(member("file", some(file.into())));
            }
            let beside = [("url", url), ("text", text), ("title", title), ("context", context)];
            members
                .extend(beside.into_iter().filter_map(|(key, text)| Some(member(key, Payload::Text(text?)))));
            members.extend(citations.then(|| member("citations", Payload::Bool(true))));
            members
        }
        PartBody::SearchResult(result) => {
            let content = result.content.into_iter().map(Payload::Text).collect();
            let mut members = vec![
                member("type", Payload::Static("search_result")),
                member("source", Payload::Text(result.source)),
                member("title", Payload::Text(result.title)),
                member("content", Payload::List(content)),
            ];
            members.extend(result.citations.then(|| member("citations", Payload::Bool(true))));
            members
        }
    };
    members.extend(part.cache.map(|hint| member("cache", Payload::from_json(hint.to_json()))));
    Payload::Map(members)
}
