//! The compiled messages of a chat, of a prompt or on their own. Declared variables and defaults belong to prompts, and
//! are not known here.

use std::sync::OnceLock;

use serde_json::Value;

use super::compiler::Compiler;
use super::history::{self, HistoryReader};
use super::{ChatEntry, Message, Role, TemplateLocation};
use crate::error::{Error, Kind, Result};
use crate::limits::Limits;
use crate::template::{Data, Library, Template, TemplateOptions, Text, ValueKind, VariableUsages};

/// Messages whose texts are templates, and placeholders for messages that are given at render.
#[derive(Debug)]
pub struct Chat<T> {
    pub(super) entries: Vec<CompiledEntry<T>>,
    /// Whether every entry is a message with a role and one text, which has a faster path.
    is_plain: bool,
    /// The positions of the placeholders that the templates must not see. Found by the first render.
    hidden: OnceLock<Vec<usize>>,
}

#[derive(Debug)]
pub(super) enum CompiledEntry<T> {
    Message(Message<Template<T>>),
    Placeholder { name: T, optional: bool },
}

impl<T> CompiledEntry<T> {
    fn plain_text(&self) -> Option<(Role, &Template<T>)> {
        match self {
            Self::Message(message) => message.plain_text().map(|text| (message.role, text)),
            Self::Placeholder { .. } => None,
        }
    }
}

impl<T: Text> Chat<T> {
    /// Compiles messages; `library` holds the helpers and partials.
    ///
    /// # Errors
    /// The first template that does not parse.
    pub fn compile(
        entries: &[ChatEntry],
        options: &TemplateOptions,
        library: &dyn Library<T>,
    ) -> Result<Self> {
        let mut compiler = Compiler::new(None, options, library);
        let chat = Self::parse(&mut compiler, entries);
        match compiler.into_errors().into_iter().next() {
            Some(first) => Err(first.error),
            None => Ok(chat),
        }
    }

    /// Compiles messages; the entries whose templates do not parse are left out, and are the compiler's errors.
    pub(super) fn parse<'p>(compiler: &mut Compiler<'_, 'p, T>, entries: &'p [ChatEntry]) -> Self {
        let parse = |(index, entry): (usize, &'p ChatEntry)| match entry {
            ChatEntry::Placeholder { name, optional } => {
                Some(CompiledEntry::Placeholder { name: T::new(name), optional: *optional })
            }
            ChatEntry::Message(message) => {
                let mut number = 0;
                let message = compiler.group(|compile| {
                    message.try_map(|source| {
                        let place = TemplateLocation::Message { index, text: number };
                        number += 1;
                        compile(place, source)
                    })
                });
                message.map(CompiledEntry::Message)
            }
        };
        Self::of(entries.iter().enumerate().filter_map(parse).collect())
    }

    /// Messages whose texts stay unparsed; `literal` makes the template of one.
    pub(super) fn opaque(
        entries: &[ChatEntry],
        literal: impl Fn(&String) -> Result<Template<T>>,
    ) -> Result<Self> {
        let entry = |entry: &ChatEntry| {
            Ok(match entry {
                ChatEntry::Message(message) => CompiledEntry::Message(message.try_map(&literal)?),
                ChatEntry::Placeholder { name, optional } => {
                    CompiledEntry::Placeholder { name: T::new(name), optional: *optional }
                }
            })
        };
        Ok(Self::of(entries.iter().map(entry).collect::<Result<_>>()?))
    }

    pub(super) fn of(entries: Vec<CompiledEntry<T>>) -> Self {
        Self {
            is_plain: entries.iter().all(|entry| entry.plain_text().is_some()),
            entries,
            hidden: OnceLock::new(),
        }
    }

    /// The roles and templates of a chat in which every message is one text, as in most prompts; else `None`.
    pub(super) fn plain(&self) -> Option<impl Iterator<Item = (Role, &Template<T>)> + Clone> {
        self.is_plain.then(|| self.entries.iter().filter_map(CompiledEntry::plain_text))
    }

    /// The sources of the templates, in reading order.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        for entry in &self.entries {
            if let CompiledEntry::Message(message) = entry {
                // Nothing in the walk fails, so neither does it.
                let _ = message.try_map(|template| {
                    texts.push(template.source());
                    Ok(())
                });
            }
        }
        texts
    }

    /// Calls `each` with the template of every text, in reading order.
    pub(super) fn each_template(&self, mut each: impl FnMut(TemplateLocation<'static>, &Template<T>)) {
        for (index, entry) in self.entries.iter().enumerate() {
            let CompiledEntry::Message(message) = entry else { continue };
            let mut number = 0;
            // The closure never fails.
            let _: Result<Message<()>> = message.try_map(|template| {
                each(TemplateLocation::Message { index, text: number }, template);
                number += 1;
                Ok(())
            });
        }
    }

    /// Renders to messages; `missing` makes the error for a placeholder that is given no messages.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] as [`Template::render`], for a placeholder that is given no messages, and for one
    /// that is given something other than messages.
    pub fn messages<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        partials: &dyn Library<T>,
        missing: &dyn Fn(&str) -> Error,
    ) -> Result<Vec<Message<D::Output>>> {
        let shown = self.template_context(data, context, partials)?;
        let shown = shown.as_ref().unwrap_or(context);
        data.fences().settle(|| {
            self.messages_by(data, context, missing, |template| template.render(data, shown, None, partials))
        })
    }

    /// The context of the templates, in which they see no placeholder that they do not name. `None`: it is the context of
    /// the chat.
    ///
    /// # Errors
    /// As [`Template::variables`], and as [`Data::get`].
    pub(super) fn template_context<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        partials: &dyn Library<T>,
    ) -> Result<Option<D::Value>> {
        if self.is_plain {
            return Ok(None);
        }
        let hidden = if let Some(hidden) = self.hidden.get() {
            hidden
        } else {
            let hidden = self.find_hidden(partials)?;
            self.hidden.get_or_init(|| hidden)
        };
        let mut names = Vec::new();
        for at in hidden {
            if let Some(CompiledEntry::Placeholder { name, .. }) = self.entries.get(*at)
                && data.get(context, name)?.is_some()
            {
                names.push(name);
            }
        }
        if names.is_empty() { Ok(None) } else { data.without(context, &names).map(Some) }
    }

    /// The positions of the placeholders that a template could print with its whole context, as `{{json this}}` does.
    fn find_hidden(&self, partials: &dyn Library<T>) -> Result<Vec<usize>> {
        let mut prints_context = false;
        for entry in &self.entries {
            if let CompiledEntry::Message(message) = entry {
                message.try_map(|template| {
                    prints_context |= template.prints_context(partials);
                    Ok(())
                })?;
            }
        }
        if !prints_context {
            return Ok(Vec::new());
        }
        let named = self.variables(partials)?;
        let is_hidden = |entry: &CompiledEntry<T>| matches!(entry, CompiledEntry::Placeholder { name, .. } if !named.contains_key(name.as_str()));
        Ok((0..self.entries.len()).filter(|at| is_hidden(&self.entries[*at])).collect())
    }

    /// As [`Chat::messages`], with the texts rendered by `render`, in reading order.
    pub(super) fn messages_by<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        missing: &dyn Fn(&str) -> Error,
        mut render: impl FnMut(&Template<T>) -> Result<D::Output>,
    ) -> Result<Vec<Message<D::Output>>> {
        let mut messages = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            match entry {
                CompiledEntry::Message(message) => {
                    let message = message.try_map(&mut render)?;
                    if !message.is_left_out() {
                        messages.push(message);
                    }
                }
                CompiledEntry::Placeholder { name, optional } => match data.get(context, name)? {
                    Some(value) if data.kind_of(&value)? != ValueKind::Null => {
                        fill(data, name.as_str(), &value, &mut messages)?;
                    }
                    _ if *optional => {}
                    Some(_) => return Err(missing(name.as_str()).with_hint(NULL_PLACEHOLDER)),
                    None => return Err(missing(name.as_str()).with_hint(ABSENT_PLACEHOLDER)),
                },
            }
        }
        Ok(messages)
    }

    /// The variables that the messages read, without the placeholders.
    ///
    /// # Errors
    /// As [`Template::variables`].
    pub fn variables(&self, partials: &dyn Library<T>) -> Result<VariableUsages> {
        let mut found = VariableUsages::new();
        for entry in &self.entries {
            if let CompiledEntry::Message(message) = entry {
                message.try_map(|template| {
                    for (name, variable) in template.variables(partials)? {
                        match found.get_mut(&name) {
                            Some(known) => known.join(variable),
                            None => drop(found.insert(name, variable)),
                        }
                    }
                    Ok(())
                })?;
            }
        }
        Ok(found)
    }

    /// The placeholders in order, each with whether it may be missing.
    pub fn placeholders(&self) -> impl Iterator<Item = (&str, bool)> {
        self.entries.iter().filter_map(|entry| match entry {
            CompiledEntry::Message(_) => None,
            CompiledEntry::Placeholder { name, optional } => Some((name.as_str(), *optional)),
        })
    }
}

/// The hint for a required placeholder that is not given.
const ABSENT_PLACEHOLDER: &str =
    "it is a placeholder: give a list of messages, or write `optional: true` in the placeholder";

/// The hint for a required placeholder that is given null.
const NULL_PLACEHOLDER: &str =
    "null was given for it; give a list of messages, or write `optional: true` in the placeholder";

/// Inserts the messages that a placeholder is given. They are data: nothing in them is parsed as a template.
fn fill<D: Data>(
    data: &D,
    name: &str,
    value: &D::Value,
    messages: &mut Vec<Message<D::Output>>,
) -> Result<()> {
    let kind = data.kind_of(value)?;
    if !matches!(kind, ValueKind::Sequence | ValueKind::Iterable) {
        let problem = format!("placeholder '{name}' takes a list of messages, not {kind}");
        let is_object = matches!(kind, ValueKind::Mapping | ValueKind::Record);
        let text =
            if is_object { data.to_message_json(value, Limits::default().output_bytes).ok() } else { None };
        let part = text.as_deref().and_then(history::part_of_response);
        let hint = part.map_or_else(
            || "give messages as {\"role\": \"user\", \"content\": \"…\"}".to_owned(),
            |part| format!("{part}, in a list with the messages before it"),
        );
        return Err(Error::new(Kind::TemplateRender, problem).with_context("variable", name).with_hint(hint));
    }
    let mut at = 0;
    let mut history = HistoryReader::default();
    data.walk(value, &mut |item| {
        let about = |error: Error| {
            let message = format!("message {at} of placeholder '{name}': {}", error.message());
            let kind = error.kind();
            error.recast(kind, message).with_context("variable", name)
        };
        // As text and not as a tree of JSON values, in which an integer beyond 64 bits would lose digits.
        let text = data.to_message_json(&item.value, Limits::default().output_bytes).map_err(about)?;
        history.push(&text).map_err(|error| {
            let json: Value = serde_json::from_str(&text).unwrap_or_default();
            // Of several mistakes the first is enough to find the message.
            let why = error.errors().first().unwrap_or(&error).message().to_owned();
            // An unknown value is the caller's data and must not be in the message; an unknown key may be named.
            let word = why.strip_prefix("unknown ").filter(|rest| !rest.starts_with("key "));
            let unknown = word.and_then(|rest| rest.split(" `").next()).map(|what| match what {
                "role" => format!("unknown role; expected {}", roles()),
                what => format!("unknown {what}"),
            });
            let why = unknown.unwrap_or(why);
            let role = role_of(&json).map(|role| format!(" ({})", role.as_str())).unwrap_or_default();
            let problem = format!("message {at}{role} of placeholder '{name}' is not a message: {why}");
            let hint = history::part_of_response(&text)
                .unwrap_or("write messages in OpenAI's format: {\"role\": \"user\", \"content\": \"…\"}");
            Error::new(Kind::TemplateRender, problem).with_context("variable", name).with_hint(hint)
        })?;
        at += 1;
        Ok(())
    })?;
    for message in history.into_messages() {
        let message = message.try_map(|text| Ok(data.output(text)))?;
        messages.push(Message { from_history: true, ..message });
    }
    Ok(())
}

/// The roles in one text.
fn roles() -> String {
    Role::ALL.map(Role::as_str).join(", ")
}

fn role_of(json: &Value) -> Option<Role> {
    let word = json.get("role")?.as_str()?;
    Role::ALL.into_iter().find(|role| role.as_str() == word)
}
