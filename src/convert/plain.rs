//! Rendered messages in the form of prompt files: for people, for a caller's own conversion, and for placeholders of
//! other prompts, which take it. No provider's rule is checked.

use super::form::{Form, Member, member};
use crate::prompt::{CacheHint, Content, FunctionCall, Message, Part, PartBody};

/// The list of messages, each `{"role": …, "content": …}` with what else it has.
#[must_use]
pub fn messages<S>(messages: Vec<Message<S>>) -> Form<S> {
    Form::List(messages.into_iter().map(message).collect())
}

fn message<S>(message: Message<S>) -> Form<S> {
    let mut members = vec![member("role", Form::Static(message.role.as_str()))];
    let mut put = |key, value: Option<Form<S>>| members.extend(value.map(|value| member(key, value)));
    put("content", message.content.map(content));
    put("refusal", message.refusal.map(Form::Text));
    put("name", message.name.map(Form::Text));
    let calls: Vec<_> = message
        .tool_calls
        .into_iter()
        .map(|call| {
            Form::map([
                ("id", Form::Text(call.id)),
                ("type", Form::Static("function")),
                ("function", function(call.function)),
            ])
        })
        .collect();
    put("tool_calls", (!calls.is_empty()).then_some(Form::List(calls)));
    put("tool_call_id", message.tool_call_id.map(Form::Text));
    put("function_call", message.function_call.map(function));
    put("cache", message.cache.map(cache));
    Form::Map(members)
}

fn function<S>(call: FunctionCall<S>) -> Form<S> {
    Form::map([("name", Form::Text(call.name)), ("arguments", Form::of_tree(call.arguments))])
}

fn content<S>(content: Content<S>) -> Form<S> {
    match content {
        Content::Text(text) => Form::Text(text),
        Content::Parts(parts) => Form::List(parts.into_iter().map(part).collect()),
    }
}

fn part<S>(part: Part<S>) -> Form<S> {
    let some = |members: Vec<(&'static str, Option<S>)>| -> Form<S> {
        let given = members.into_iter().filter_map(|(key, text)| Some(member(key, Form::Text(text?))));
        Form::Map(given.collect())
    };
    let mut members: Vec<Member<S>> = match part.body {
        PartBody::Text(text) => vec![member("type", Form::Static("text")), member("text", Form::Text(text))],
        PartBody::ImageUrl { url, detail } => vec![
            member("type", Form::Static("image_url")),
            member("image_url", some(vec![("url", Some(url)), ("detail", detail)])),
        ],
        PartBody::Image { media_type, data } => vec![
            member("type", Form::Static("image")),
            member("media_type", Form::Text(media_type)),
            member("data", Form::Text(data)),
        ],
        PartBody::Audio { data, format } => vec![
            member("type", Form::Static("input_audio")),
            member("input_audio", some(vec![("data", Some(data)), ("format", Some(format))])),
        ],
        PartBody::File { file_id, filename, file_data } => vec![
            member("type", Form::Static("file")),
            member(
                "file",
                some(vec![("file_id", file_id), ("filename", filename), ("file_data", file_data)]),
            ),
        ],
    };
    members.extend(part.cache.map(|hint| member("cache", cache(hint))));
    Form::Map(members)
}

fn cache<S>(cache: CacheHint) -> Form<S> {
    match cache.ttl {
        Some(ttl) => Form::map([("ttl", Form::String(ttl))]),
        None => Form::Bool(true),
    }
}
