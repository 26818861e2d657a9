//! What stands in the way of a conversion, said before anything is rendered.
//!
//! No rule stands here: the rules are asked, by converting what a prompt would render to. What its templates will say
//! is not known, so that texts that do not depend on a variable stand for themselves, and stand-ins for the others. A
//! placeholder may be given any messages; a prompt is fine if there are some with which it is.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::converter::Converter;
use super::report::{Report, with_hint};
use crate::prompt::{
    ChatEntry, Content, FunctionCall, Message, PartBody, Prompt, Rendered, Role, ToolCall, Tree,
};

/// How many placeholders are given something; further ones are given nothing.
const TRIED: usize = 3;

impl Converter {
    /// Why the prompt cannot be converted, as far as that does not depend on variables; nothing where it can.
    #[must_use]
    pub fn explain(self, prompt: &Prompt) -> Vec<String> {
        if let Err(error) = self.check_format(prompt) {
            return vec![with_hint(&error)];
        }
        let Some(chat) = &prompt.chat_template else {
            return match &prompt.template {
                Some(_) => Vec::new(),
                None => vec!["the prompt has no template: only a draft may lack it".to_owned()],
            };
        };
        let mut least: Option<Vec<String>> = None;
        for messages in conversations(&chat.messages) {
            let reasons = self.reasons(messages);
            if reasons.is_empty() {
                return reasons;
            }
            if least.as_ref().is_none_or(|least| reasons.len() < least.len()) {
                least = Some(reasons);
            }
        }
        least.unwrap_or_default()
    }

    /// What is wrong with one conversation.
    fn reasons(self, messages: Vec<Message<String>>) -> Vec<String> {
        let mut report = Report::default();
        let Err(error) = self.form(Rendered::Messages(messages.clone()), &mut report) else {
            return Vec::new();
        };
        let mut reasons = vec![with_hint(&error)];
        if self.is_strict() {
            // Strictness stops at the first; the other mode goes on and tells of those that come after.
            let ended = self.lenient().form(Rendered::Messages(messages), &mut report);
            let others = report.problems().iter().cloned().chain(ended.as_ref().err().map(with_hint));
            for other in others {
                if !reasons.contains(&other) {
                    reasons.push(other);
                }
            }
        }
        reasons
    }
}

/// What a placeholder may be given.
#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    Turns(&'static [Role]),
    /// The calls that the results behind it answer.
    Calls,
}

const ALTERNATIVES: [Given; 6] = [
    Given::Nothing,
    Given::Turns(&[Role::User, Role::Assistant]),
    Given::Turns(&[Role::User]),
    Given::Turns(&[Role::Assistant]),
    Given::Turns(&[Role::Assistant, Role::User]),
    Given::Calls,
];

/// Conversations that a template may render to.
fn conversations(entries: &[ChatEntry]) -> impl Iterator<Item = Vec<Message<String>>> {
    let placeholders = entries.iter().filter(|entry| matches!(entry, ChatEntry::Placeholder { .. })).count();
    let choices = (0..placeholders.min(TRIED)).fold(1, |choices, _| choices * ALTERNATIVES.len());
    (0..choices).map(move |choice| {
        let mut left = choice;
        let mut messages = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                ChatEntry::Message(message) => messages.push(stand_in(message)),
                ChatEntry::Placeholder { .. } => {
                    let given = ALTERNATIVES[left % ALTERNATIVES.len()];
                    left /= ALTERNATIVES.len();
                    messages.extend(given_messages(given, &entries[at + 1..]));
                }
            }
        }
        messages
    })
}

fn given_messages(given: Given, rest: &[ChatEntry]) -> Vec<Message<String>> {
    let said = |role: &Role| Message::plain(*role, "…".to_owned());
    match given {
        Given::Nothing => Vec::new(),
        Given::Turns(roles) => roles.iter().map(said).collect(),
        Given::Calls => {
            let function = || FunctionCall { name: "f".to_owned(), arguments: Tree::Map(Vec::new()) };
            let calls: Vec<ToolCall<String>> =
                results(rest).map(|id| ToolCall { id, function: function() }).collect();
            let call = Message { tool_calls: calls, ..Message::empty(Role::Assistant) };
            if call.tool_calls.is_empty() { Vec::new() } else { vec![said(&Role::User), call] }
        }
    }
}

/// The ids of the tool results that come first.
fn results(rest: &[ChatEntry]) -> impl Iterator<Item = String> {
    rest.iter().map_while(|entry| match entry {
        ChatEntry::Message(message) if message.role == Role::Tool => {
            message.tool_call_id.as_deref().map(text)
        }
        _ => None,
    })
}

/// Whether a text depends on variables, in Handlebars or in another engine's language.
fn is_templated(text: &str) -> bool {
    ["{{", "{%", "${"].iter().any(|opening| text.contains(opening))
}

/// A text as it may be rendered: the same for the same template, so that calls and results find each other.
fn text(template: &str) -> String {
    if !is_templated(template) {
        return template.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    template.hash(&mut hasher);
    format!("v{:x}", hasher.finish())
}

/// A message as it may be rendered.
fn stand_in(message: &Message<String>) -> Message<String> {
    let Ok(mut made) = message.try_map(|template| Ok(text(template))) else { return message.clone() };
    if let (Some(Content::Parts(parts)), Some(Content::Parts(sources))) =
        (&mut made.content, &message.content)
    {
        for (part, source) in parts.iter_mut().zip(sources) {
            lawful(&mut part.body, &source.body);
        }
    }
    made
}

/// Gives what depends on variables, and may not be any text, a text that it may be.
fn lawful(body: &mut PartBody<String>, source: &PartBody<String>) {
    let fill = |made: &mut String, source: &String, lawful: &str| {
        if is_templated(source) {
            lawful.clone_into(made);
        }
    };
    match (body, source) {
        (PartBody::ImageUrl { url, detail }, PartBody::ImageUrl { url: from, detail: detail_from }) => {
            fill(url, from, "https://example.org/image.png");
            if let (Some(detail), Some(from)) = (detail, detail_from) {
                fill(detail, from, "auto");
            }
        }
        (PartBody::Image { media_type, .. }, PartBody::Image { media_type: from, .. }) => {
            fill(media_type, from, "image/png");
        }
        (PartBody::Audio { format, .. }, PartBody::Audio { format: from, .. }) => fill(format, from, "wav"),
        (PartBody::File { file_data: Some(data), .. }, PartBody::File { file_data: Some(from), .. }) => {
            fill(data, from, "data:application/pdf;base64,AAAA");
        }
        _ => {}
    }
}
