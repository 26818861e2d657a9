//! Finds the problems of a conversion before anything is rendered.
//!
//! This module has no rules of its own: it converts conversations that the prompt could render to. The values of
//! variables are not known, so a text without variables is used as it is, and any other text is replaced by a stand-in.
//! A placeholder can be filled with any messages; a prompt is fine if at least one way to fill it is.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::converter::{Provider, ProviderConverter};
use super::langchain::{self, LangChainOptions};
use super::report::{FollowsFrom, Report, with_hint};
use super::rules::NO_CONTENT;
use crate::error::Error;
use crate::prompt::{
    ChatEntry, Content, FunctionCall, Message, PartBody, Prompt, Rendered, Role, ToolCall, Tree,
};

/// The number of placeholders that are filled in all combinations. Further ones stay empty.
const MAX_FILLED: usize = 3;

/// A reason why a prompt cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalReason {
    /// The index of the message or placeholder in the prompt; `None` if the reason is about all of them.
    pub entry: Option<usize>,
    /// The problem and what to do about it.
    pub text: String,
}

impl RefusalReason {
    /// A reason that is not about one message.
    fn of_prompt(text: impl Into<String>) -> Self {
        Self { entry: None, text: text.into() }
    }
}

impl ProviderConverter {
    /// The reasons why the prompt cannot be converted, whatever its variables. Empty if it can.
    #[must_use]
    pub fn explain(self, prompt: &Prompt) -> Vec<String> {
        self.refusals(prompt).into_iter().map(|reason| reason.text).collect()
    }

    /// [`Self::explain`], with the messages that the reasons are about.
    #[must_use]
    pub fn refusals(self, prompt: &Prompt) -> Vec<RefusalReason> {
        if let Err(error) = self.check_format(prompt) {
            return vec![RefusalReason::of_prompt(with_hint(&error))];
        }
        let Some(chat) = &prompt.chat_template else {
            let problem = "the prompt has no template; only a draft can be without one";
            let is_missing = prompt.template.is_none();
            return is_missing.then(|| RefusalReason::of_prompt(problem)).into_iter().collect();
        };
        let mut least: Option<Vec<RefusalReason>> = None;
        for conversation in conversations(&chat.messages, self.file_address()) {
            let reasons = self.reasons(conversation);
            if reasons.is_empty() {
                return reasons;
            }
            if least.as_ref().is_none_or(|least| reasons.len() < least.len()) {
                least = Some(reasons);
            }
        }
        least.unwrap_or_default()
    }

    /// The address of a file that the provider reads.
    fn file_address(self) -> &'static str {
        match self.provider {
            Provider::Bedrock(_) => "s3://bucket/document.pdf",
            _ => WEB_ADDRESS,
        }
    }

    /// The problems of one conversation.
    fn reasons(self, conversation: NumberedMessages) -> Vec<RefusalReason> {
        let (entries, messages): (Vec<_>, Vec<_>) = conversation.into_iter().unzip();
        let mut report = Report::of_all_problems();
        let ended = self.convert(Rendered::Messages(messages), &mut report);
        refused(report, self.is_strict(), ended.err().as_ref(), &entries)
    }
}

/// The reasons why LangChain's messages cannot be made from the prompt, whatever its variables. Each message is on its
/// own, because LangChain does not pair calls and results.
#[must_use]
pub fn explain_langchain(prompt: &Prompt, options: &LangChainOptions) -> Vec<String> {
    let entries = prompt.chat_template.iter().flat_map(|chat| &chat.messages).enumerate();
    let mut report = Report::of_all_problems();
    let mut ended = None;
    for (index, entry) in entries {
        let ChatEntry::Message(message) = entry else { continue };
        let message = stand_in(message, WEB_ADDRESS);
        if !message.is_left_out() {
            ended = langchain::message(message, index, options, &mut report).err().or(ended);
        }
    }
    refused(report, options.strict, ended.as_ref(), &[]).into_iter().map(|reason| reason.text).collect()
}

/// The problems for which a conversion fails, with the error that ended it. `entries` has the index in the prompt of
/// each message. What only follows from another problem, because its part or message was left out, is no reason.
fn refused(report: Report, is_strict: bool, ended: Option<&Error>, entries: &[usize]) -> Vec<RefusalReason> {
    let mut reasons: Vec<RefusalReason> = Vec::new();
    let mut reported: HashSet<usize> = HashSet::new();
    let problems = report.into_problems();
    let is_dropped = problems.iter().any(|problem| problem.follows == FollowsFrom::Parts { is_empty: true });
    for problem in problems.into_iter().filter(|problem| is_strict || problem.is_fatal) {
        let is_known = match problem.follows {
            FollowsFrom::Nothing => false,
            FollowsFrom::Parts { .. } => reported.contains(&problem.message),
            FollowsFrom::Neighbours => is_dropped,
        };
        reported.insert(problem.message);
        let reason = RefusalReason { entry: entries.get(problem.message).copied(), text: problem.text };
        if !is_known && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let is_own = |error: &&Error| reasons.is_empty() || error.message() != NO_CONTENT;
    let ended = ended.filter(is_own).map(|error| RefusalReason::of_prompt(with_hint(error)));
    let is_new = |ended: &RefusalReason| reasons.iter().all(|reason| reason.text != ended.text);
    let ended = ended.filter(is_new);
    reasons.extend(ended);
    reasons
}

/// The messages that a template could render to, each with the index of its entry in the prompt.
type NumberedMessages = Vec<(usize, Message<String>)>;

/// The address of a file that most providers read.
const WEB_ADDRESS: &str = "https://example.org/document.pdf";

/// A way to fill a placeholder.
#[derive(Debug, Clone, Copy)]
enum PlaceholderFill {
    Nothing,
    Turns(&'static [Role]),
    /// The calls for the results that follow the placeholder.
    Calls,
}

const ALTERNATIVES: [PlaceholderFill; 6] = [
    PlaceholderFill::Nothing,
    PlaceholderFill::Turns(&[Role::User, Role::Assistant]),
    PlaceholderFill::Turns(&[Role::User]),
    PlaceholderFill::Turns(&[Role::Assistant]),
    PlaceholderFill::Turns(&[Role::Assistant, Role::User]),
    PlaceholderFill::Calls,
];

/// The conversations that a template could render to.
fn conversations(
    entries: &[ChatEntry],
    file_address: &'static str,
) -> impl Iterator<Item = NumberedMessages> {
    let placeholders = entries.iter().filter(|entry| matches!(entry, ChatEntry::Placeholder { .. })).count();
    let choices = (0..placeholders.min(MAX_FILLED)).fold(1, |choices, _| choices * ALTERNATIVES.len());
    (0..choices).map(move |choice| {
        let mut left = choice;
        let mut messages = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                ChatEntry::Message(message) => {
                    let made = Some(stand_in(message, file_address));
                    messages.extend(made.filter(|message| !message.is_left_out()).map(|made| (at, made)));
                }
                ChatEntry::Placeholder { .. } => {
                    let given = ALTERNATIVES[left % ALTERNATIVES.len()];
                    left /= ALTERNATIVES.len();
                    let given = given_messages(given, &entries[at + 1..]);
                    messages.extend(given.into_iter().map(|message| (at, message)));
                }
            }
        }
        messages
    })
}

fn given_messages(given: PlaceholderFill, rest: &[ChatEntry]) -> Vec<Message<String>> {
    let message_of = |role: &Role| Message::plain(*role, "…".to_owned());
    match given {
        PlaceholderFill::Nothing => Vec::new(),
        PlaceholderFill::Turns(roles) => roles.iter().map(message_of).collect(),
        PlaceholderFill::Calls => {
            let function = || FunctionCall { name: "f".to_owned(), arguments: Tree::Map(Vec::new()) };
            let calls: Vec<ToolCall<String>> =
                results(rest).map(|id| ToolCall { id, function: function() }).collect();
            let call = Message { tool_calls: calls, ..Message::empty(Role::Assistant) };
            if call.tool_calls.is_empty() { Vec::new() } else { vec![message_of(&Role::User), call] }
        }
    }
}

/// The ids of the tool results at the start.
fn results(rest: &[ChatEntry]) -> impl Iterator<Item = String> {
    rest.iter().map_while(|entry| match entry {
        ChatEntry::Message(message) if message.role == Role::Tool => {
            message.tool_call_id.as_deref().map(stand_in_text)
        }
        _ => None,
    })
}

/// Whether a text depends on variables, in Handlebars or in the language of another engine.
fn is_templated(text: &str) -> bool {
    ["{{", "{%", "${"].iter().any(|opening| text.contains(opening))
}

/// A text that the template could render to. The same template always gives the same text, so that calls and their
/// results match.
fn stand_in_text(template: &str) -> String {
    if !is_templated(template) {
        return template.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    template.hash(&mut hasher);
    format!("v{:x}", hasher.finish())
}

/// A message that this one could render to.
fn stand_in(message: &Message<String>, file_address: &str) -> Message<String> {
    let Ok(mut made) = message.try_map(|template| Ok(stand_in_text(template))) else {
        return message.clone();
    };
    if let (Some(Content::Parts(parts)), Some(Content::Parts(sources))) =
        (&mut made.content, &message.content)
    {
        for (part, source) in parts.iter_mut().zip(sources) {
            fill_valid(&mut part.body, &source.body, file_address);
        }
    }
    made
}

/// Replaces the texts that depend on variables but must have a certain format, such as a URL, by valid ones.
fn fill_valid(body: &mut PartBody<String>, source: &PartBody<String>, file_address: &str) {
    let fill = |made: &mut String, source: &String, valid: &str| {
        if is_templated(source) {
            valid.clone_into(made);
        }
    };
    match (body, source) {
        (PartBody::ImageUrl { url, detail }, PartBody::ImageUrl { url: from, detail: detail_from }) => {
            fill(url, from, "data:image/png;base64,AAAA");
            if let (Some(detail), Some(from)) = (detail, detail_from) {
                fill(detail, from, "auto");
            }
        }
        (PartBody::Image { media_type, data }, PartBody::Image { media_type: from, data: data_from }) => {
            fill(media_type, from, "image/png");
            fill(data, data_from, "AAAA");
        }
        (PartBody::Audio { format, data }, PartBody::Audio { format: from, data: data_from }) => {
            fill(format, from, "wav");
            fill(data, data_from, "AAAA");
        }
        (PartBody::File(made), PartBody::File(source)) => {
            if let (Some(data), Some(from)) = (&mut made.file_data, &source.file_data) {
                fill(data, from, "data:application/pdf;base64,AAAA");
            }
            if let (Some(url), Some(from)) = (&mut made.url, &source.url) {
                fill(url, from, file_address);
            }
            if let (Some(name), Some(from)) = (&mut made.filename, &source.filename) {
                fill(name, from, "document.pdf");
            }
            if let (Some(id), Some(from)) = (&mut made.file_id, &source.file_id) {
                // An address is an id too, and Gemini has no other ids.
                fill(id, from, WEB_ADDRESS);
            }
        }
        _ => {}
    }
}
