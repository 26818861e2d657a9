//! Splits a prompt for a framework that composes messages itself, such as LangChain: the entries of a prompt, a prompt
//! with one of its messages, the variables that a render needs, and the rendered messages without placeholders.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chat::{self, Chat};
use super::compiled::{Compiled, PromptBody, declare};
use super::pipeline::{RenderOptionsOf, append, text_missing};
use super::{ChatTemplate, Message, Prompt, Role, Variables};
use crate::error::Result;
use crate::schema::{Dependencies, FieldType, SchemaRef, SharedSchemaSet, Values};
use crate::template::{self, Library, Template, Text};

/// One entry of a prompt. A prompt that is not a chat has its text as the only entry.
pub enum PromptEntry<'c, T> {
    /// The text of a prompt that is not a chat.
    Text(&'c Template<T>),
    /// A message.
    Message(&'c Message<Template<T>>),
    /// A placeholder for messages.
    Placeholder {
        /// The variable that contains the messages.
        name: &'c str,
        /// Whether the variable may be missing.
        optional: bool,
    },
}

/// A variable that a render uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Its name.
    pub name: String,
    /// Whether a render fails without it.
    pub required: bool,
}

/// The messages of a chat without its placeholders, each with its place among the entries. `None` is a message that is
/// left out.
pub type OwnMessages<S> = Vec<(usize, Option<Message<S>>)>;

impl<T: Text> Compiled<T> {
    /// The entries in order.
    ///
    /// # Errors
    /// [`Kind::Integration`](crate::Kind::Integration) for a draft without a template.
    pub fn entries(&self) -> Result<Vec<PromptEntry<'_, T>>> {
        Ok(match &*self.body {
            PromptBody::Nothing => return Err(self.template_required()),
            PromptBody::Text(template) => vec![PromptEntry::Text(template)],
            PromptBody::Chat(own) => own
                .entries
                .iter()
                .map(|entry| match entry {
                    chat::CompiledEntry::Message(message) => PromptEntry::Message(message),
                    chat::CompiledEntry::Placeholder { name, optional } => {
                        PromptEntry::Placeholder { name: name.as_str(), optional: *optional }
                    }
                })
                .collect(),
        })
    }

    /// The index of the message to which output instructions are appended: of the leading system messages, the last that
    /// is not optional.
    #[must_use]
    pub fn carrier(&self) -> Option<usize> {
        let PromptBody::Chat(own) = &*self.body else { return None };
        let leads = |entry: &&chat::CompiledEntry<T>| match entry {
            chat::CompiledEntry::Message(message) => matches!(message.role, Role::System | Role::Developer),
            chat::CompiledEntry::Placeholder { .. } => false,
        };
        let stays = |entry: &chat::CompiledEntry<T>| match entry {
            chat::CompiledEntry::Message(message) => !message.optional,
            chat::CompiledEntry::Placeholder { .. } => false,
        };
        let leading = own.entries.iter().take_while(leads).count();
        own.entries[..leading].iter().rposition(stays)
    }

    /// Whether a required variable is not read by any template.
    ///
    /// # Errors
    /// As [`Template::variables`].
    pub fn requires_unread(&self, engine: &dyn Library<T>) -> Result<bool> {
        let read = self.read(engine)?;
        Ok(self.declared.iter().any(|item| item.required && !read.contains_key(item.name.as_str())))
    }

    /// Whether the prompt has an input or output schema, by name or inline.
    #[must_use]
    pub fn has_schemas(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }

    /// Whether a declared variable is more than a required string: it has another type, or a default.
    #[must_use]
    pub fn is_particular(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| {
            declared.name.as_str() == name
                && (declared.default.is_some()
                    || !matches!(declared.field_type, FieldType::Any | FieldType::String))
        })
    }

    /// The required variables that the prompt does not declare, and that have the name of a partial: `{{> name}}` may
    /// have been meant.
    ///
    /// # Errors
    /// As [`Compiled::needs`].
    pub fn named_like_partials<F, M>(
        &self,
        engine: &dyn Library<T>,
        schemas: Option<&SharedSchemaSet<T, F, M>>,
    ) -> Result<Vec<String>>
    where
        F: Clone,
        M: Clone,
    {
        let (needs, _) = self.needs(engine, schemas)?;
        let is_meant = |need: &Need| need.required && self.may_mean_partial(&need.name, engine);
        Ok(needs.into_iter().filter(is_meant).map(|need| need.name).collect())
    }

    /// The prompt without the parts that do not affect a render: tools, settings, metadata and output schema.
    #[must_use]
    pub fn bare(&self) -> Prompt {
        let prompt = &self.prompt;
        Prompt {
            version: prompt.version.clone(),
            template: prompt.template.clone(),
            chat_template: prompt.chat_template.clone(),
            input_schema: prompt.input_schema.clone(),
            ..Prompt::new(prompt.id.clone(), prompt.format)
        }
    }

    /// The prompt reduced to the message at this index and the declared variables that the message reads. `None` if
    /// there is no message. The variables of opaque texts are not known, so all are kept.
    ///
    /// # Errors
    /// As [`Template::variables`].
    pub fn excerpt(&self, index: usize, engine: &dyn Library<T>, opaque: bool) -> Result<Option<Self>> {
        let (PromptBody::Chat(own), Some(written)) = (&*self.body, &self.prompt.chat_template) else {
            return Ok(None);
        };
        let (Some(chat::CompiledEntry::Message(message)), Some(entry)) =
            (own.entries.get(index), written.messages.get(index))
        else {
            return Ok(None);
        };
        let message = message.try_map(|template| Ok(template.clone()))?;
        let body = PromptBody::Chat(Chat::of(vec![chat::CompiledEntry::Message(message)]));
        let partials = self.library(engine);
        let PromptBody::Chat(alone) = &body else { return Ok(None) };
        let read = alone.variables(&partials)?;
        let variables = written.variables.as_ref().map(|declared| Variables {
            short: declared.short,
            items: declared
                .items
                .iter()
                .filter(|item| opaque || read.contains_key(&item.name))
                .cloned()
                .collect(),
        });
        let chat_template =
            ChatTemplate { messages: vec![entry.clone()], variables, partials: written.partials.clone() };
        let prompt = Prompt { chat_template: Some(chat_template), ..self.bare() };
        let declared = declare(&prompt, &body, &partials)?;
        let alone = Self::without_schemas(prompt, body, Arc::clone(&self.partials), declared);
        Ok(Some(Self { input: self.input.clone(), ..alone }))
    }

    fn read(&self, engine: &dyn Library<T>) -> Result<template::VariableUsages> {
        let partials = self.library(engine);
        match &*self.body {
            PromptBody::Nothing => Ok(template::VariableUsages::new()),
            PromptBody::Text(template) => template.variables(&partials),
            PromptBody::Chat(own) => own.variables(&partials),
        }
    }

    /// The variables that a render uses, sorted by name: the declared ones, those that the templates read, and the
    /// fields of the input schema, without the variables of placeholders. Also returns whether the list is complete. It
    /// is not if the schema is a model.
    ///
    /// # Errors
    /// As [`Template::variables`], and as [`SharedSchemaSet::compiled`].
    pub fn needs<F: Clone, M: Clone>(
        &self,
        engine: &dyn Library<T>,
        schemas: Option<&SharedSchemaSet<T, F, M>>,
    ) -> Result<(Vec<Need>, bool)> {
        const KEY: &str = "input_schema";
        let mut needs: BTreeMap<String, bool> = BTreeMap::new();
        needs.extend(self.read(engine)?.into_iter().map(|(name, variable)| (name, variable.required)));
        needs.extend(
            self.declared.iter().map(|declared| (declared.name.as_str().to_owned(), declared.required)),
        );
        let mut complete = true;
        if let Some(wanted) = self.asked(KEY, self.input.as_deref())? {
            let none = SharedSchemaSet::default();
            let compiled =
                schemas.unwrap_or(&none).compiled(wanted).map_err(|error| self.about_schema(KEY, error))?;
            for (name, required) in compiled.fields().unwrap_or_default() {
                *needs.entry(name.to_owned()).or_default() |= required;
            }
            let has_default = |name: &str| {
                self.declared
                    .iter()
                    .any(|declared| declared.name.as_str() == name && declared.default.is_some())
            };
            for (name, required) in &mut needs {
                *required &= !compiled.supplies(name) && !has_default(name);
            }
            complete = compiled.fields().is_some();
        }
        Ok((needs.into_iter().map(|(name, required)| Need { name, required }).collect(), complete))
    }

    /// The schemas, models and functions that the input schema refers to by name.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`](crate::Kind::SchemaParse) for a JSON Schema in the prompt that is not supported.
    pub fn dependencies<F: Clone, M: Clone>(
        &self,
        schemas: &SharedSchemaSet<T, F, M>,
    ) -> Result<Dependencies<F, M>> {
        let mut dependencies = Dependencies::default();
        match self.asked("input_schema", self.input.as_deref())? {
            None => {}
            Some(SchemaRef::Name(name)) => schemas.read().add_dependencies(name, &mut dependencies),
            Some(SchemaRef::Inline(schema)) => schemas.read().add_dependencies_of(schema, &mut dependencies),
        }
        Ok(dependencies)
    }

    /// Renders only the messages of a chat prompt, each with its index among the entries. The caller fills the
    /// placeholders. `instructions` are appended to the message at [`Compiled::carrier`].
    ///
    /// # Errors
    /// As [`Compiled::messages_with`].
    pub fn own_messages<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
        instructions: Option<&str>,
    ) -> Result<OwnMessages<D::Output>> {
        let resolved = self.resolve_with(data, variables, engine, options)?;
        let context = resolved.as_ref().unwrap_or(variables);
        let partials = self.library(engine);
        let shown = match &*self.body {
            PromptBody::Chat(chat) => chat.template_context(data, context, &partials)?,
            _ => None,
        };
        let shown = shown.as_ref().unwrap_or(context);
        data.fences().settle(|| {
            let render = |template: &Template<T>| template.render(data, shown, None, &partials);
            self.own_messages_by(data, render, instructions)
        })
    }

    /// [`Compiled::own_messages`], with the texts that a custom engine rendered from [`Compiled::texts`].
    ///
    /// # Errors
    /// [`Kind::Prompt`](crate::Kind::Prompt) for too few texts.
    pub fn own_assembled<D: Values<Text = T>>(
        &self,
        data: &D,
        texts: Vec<D::Output>,
        instructions: Option<&str>,
    ) -> Result<OwnMessages<D::Output>> {
        let mut texts = texts.into_iter();
        self.own_messages_by(data, |_| texts.next().ok_or_else(text_missing), instructions)
    }

    fn own_messages_by<D: Values<Text = T>>(
        &self,
        data: &D,
        mut render: impl FnMut(&Template<T>) -> Result<D::Output>,
        instructions: Option<&str>,
    ) -> Result<OwnMessages<D::Output>> {
        let PromptBody::Chat(own) = &*self.body else { return Err(self.template_required()) };
        let mut messages = Vec::with_capacity(own.entries.len());
        for (at, entry) in own.entries.iter().enumerate() {
            if let chat::CompiledEntry::Message(message) = entry {
                let message = message.try_map(&mut render).map_err(|error| self.named(error))?;
                messages.push((at, (!message.is_left_out()).then_some(message)));
            }
        }
        if let (Some(text), Some(at)) = (instructions, self.carrier())
            // The entries up to the carrier are all messages, and the carrier stays.
            && let Some((_, Some(message))) = messages.get_mut(at)
        {
            append(data, text, message);
        }
        Ok(messages)
    }
}
