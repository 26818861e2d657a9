//! Writes rendered messages as the message dicts of prompt files: to show them, for a caller's own conversion, and for
//! placeholders of other prompts. No provider's rules are checked.

use super::payload::{Member, Payload, member};
use crate::prompt::{CacheHint, Content, FunctionCall, Message, Part, PartBody};

/// The list of messages, each `{"role": …, "content": …}` with its other fields.
#[must_use]
pub fn messages<S>(messages: Vec<Message<S>>) -> Payload<S> {
    Payload::List(messages.into_iter().map(message).collect())
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
    put("cache", message.cache.map(cache));
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
        PartBody::File { file_id, filename, file_data } => vec![
            member("type", Payload::Static("file")),
            member(
                "file",
                some(vec![("file_id", file_id), ("filename", filename), ("file_data", file_data)]),
            ),
        ],
    };
    members.extend(part.cache.map(|hint| member("cache", cache(hint))));
    Payload::Map(members)
}

fn cache<S>(cache: CacheHint) -> Payload<S> {
    match cache.ttl {
        Some(ttl) => Payload::map([("ttl", Payload::String(ttl))]),
        None => Payload::Bool(true),
    }
}
