//! Writes prompts. `Serialize` uses the key order of the documentation and leaves out absent values and defaults.
//!
//! Reading the output gives the same value. Tool calls use OpenAI's nested format, with arguments as a mapping.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::template::Output;

use super::message::{CacheHint, Content, FunctionCall, Message, Part, PartBody, ToolCall};
use super::model::{ChatEntry, ChatTemplate, Partials, Prompt, SchemaSource, TextTemplate};
use super::tree::Tree;
use super::{
    Effort, FunctionTool, Metadata, ProviderTool, Settings, Tool, ToolChoice, Variable, Variables, Verbosity,
};
use crate::de::nearest_number;
use crate::schema::FieldType;

/// Writes the entries of a mapping in order, without absent ones.
struct Entries<M>(M);

impl<M: SerializeMap> Entries<M> {
    fn some<T: Serialize>(&mut self, key: &str, value: Option<&T>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.0.serialize_entry(key, value))
    }

    fn many<T: Serialize>(&mut self, key: &str, values: &[T]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.0.serialize_entry(key, values) }
    }

    fn partials(&mut self, partials: &Partials) -> Result<(), M::Error> {
        if partials.is_empty() { Ok(()) } else { self.0.serialize_entry("partials", &Pairs(partials)) }
    }
}

struct Pairs<'a, T>(&'a [(String, T)]);

impl<T: Serialize> Serialize for Pairs<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Implements `Serialize` for a type as a mapping, from a block that writes its entries.
macro_rules! serialize_as_map {
    ($type:ty, |$self:ident, $map:ident| $body:block) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $self = self;
                let mut $map = Entries(serializer.serialize_map(None)?);
                $body
                $map.0.end()
            }
        }
    };
}

serialize_as_map!(Prompt, |prompt, map| {
    map.some("id", Some(&prompt.id))?;
    map.some("version", Some(&prompt.version))?;
    map.some("format", Some(&prompt.format))?;
    map.some("status", Some(&prompt.status))?;
    map.some("template", prompt.template.as_ref())?;
    map.some("chat_template", prompt.chat_template.as_ref())?;
    map.many("tools", &prompt.tools)?;
    map.some("tool_choice", prompt.tool_choice.as_ref())?;
    map.some("settings", Some(&prompt.settings).filter(|settings| !settings.is_empty()))?;
    map.some("input_schema", prompt.input_schema.as_ref())?;
    map.some("output_schema", prompt.output_schema.as_ref())?;
    map.some("metadata", Some(&prompt.metadata).filter(|metadata| !metadata.is_empty()))?;
    map.many("labels", &prompt.labels)?;
    map.some("uid", prompt.uid.map(|uid| uid.to_string()).as_ref())?;
    map.some("created_at", prompt.created_at.map(|time| time.to_string()).as_ref())?;
    map.some("updated_at", prompt.updated_at.map(|time| time.to_string()).as_ref())?;
});

impl Serialize for TextTemplate {
    /// Writes only the text if the template has nothing else.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.variables.is_none() && self.partials.is_empty() {
            return serializer.serialize_str(&self.content);
        }
        let mut map = Entries(serializer.serialize_map(None)?);
        map.some("content", Some(&self.content))?;
        map.some("variables", self.variables.as_ref())?;
        map.partials(&self.partials)?;
        map.0.end()
    }
}

serialize_as_map!(ChatTemplate, |chat, map| {
    map.0.serialize_entry("messages", &chat.messages)?;
    map.some("variables", chat.variables.as_ref())?;
    map.partials(&chat.partials)?;
});

impl Serialize for ChatEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Message(message) => message.serialize(serializer),
            Self::Placeholder { name, optional } => {
                let mut map = Entries(serializer.serialize_map(None)?);
                map.some("role", Some(&"placeholder"))?;
                map.some("name", Some(name))?;
                map.some("optional", Some(optional).filter(|optional| **optional))?;
                map.0.end()
            }
        }
    }
}

serialize_as_map!(Message<String>, |message, map| {
    map.some("role", Some(&message.role))?;
    map.some("content", message.content.as_ref())?;
    map.some("refusal", message.refusal.as_ref())?;
    map.some("name", message.name.as_ref())?;
    map.many("tool_calls", &message.tool_calls)?;
    map.some("tool_call_id", message.tool_call_id.as_ref())?;
    map.some("function_call", message.function_call.as_ref())?;
    map.some("cache", message.cache.as_ref())?;
    map.some("optional", Some(&message.optional).filter(|optional| **optional))?;
    map.some("is_error", Some(&message.is_error).filter(|is_error| **is_error))?;
});

impl Serialize for Content<String> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

serialize_as_map!(Part<String>, |part, map| {
    let optional = |pairs: [(&str, Option<&String>); 3]| -> Map<String, Value> {
        pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?)))).collect()
    };
    match &part.body {
        PartBody::Text(text) => {
            map.some("type", Some(&"text"))?;
            map.some("text", Some(text))?;
        }
        PartBody::ImageUrl { url, detail } => {
            map.some("type", Some(&"image_url"))?;
            let image = optional([("url", Some(url)), ("detail", detail.as_ref()), ("", None)]);
            map.some("image_url", Some(&image))?;
        }
        PartBody::Image { media_type, data } => {
            map.some("type", Some(&"image"))?;
            map.some("media_type", Some(media_type))?;
            map.some("data", Some(data))?;
        }
        PartBody::Audio { data, format } => {
            map.some("type", Some(&"input_audio"))?;
            map.some("input_audio", Some(&json!({"data": data, "format": format})))?;
        }
        PartBody::UploadedImage { file_id, media_type } => {
            map.some("type", Some(&"image"))?;
            map.some("file_id", Some(file_id))?;
            map.some("media_type", media_type.as_ref())?;
        }
        PartBody::File(file) => {
            map.some("type", Some(&"file"))?;
            let [id, name, data, beside @ ..] = file.texts();
            map.some("file", Some(&optional([id, name, data])).filter(|file| !file.is_empty()))?;
            for (key, text) in beside {
                map.some(key, text)?;
            }
            map.some("citations", Some(&file.citations).filter(|citations| **citations))?;
        }
        PartBody::SearchResult(result) => {
            map.some("type", Some(&"search_result"))?;
            map.some("source", Some(&result.source))?;
            map.some("title", Some(&result.title))?;
            map.some("content", Some(&result.content))?;
            map.some("citations", Some(&result.citations).filter(|citations| **citations))?;
        }
    }
    map.some("cache", part.cache.as_ref())?;
});

serialize_as_map!(ToolCall<String>, |call, map| {
    map.some("id", Some(&call.id))?;
    map.some("type", Some(&"function"))?;
    map.some("function", Some(&call.function))?;
});

serialize_as_map!(FunctionCall<String>, |call, map| {
    map.some("name", Some(&call.name))?;
    // YAML and JSON values have 64 bits, so arguments with other numbers are written as JSON text.
    if call.arguments.has_exact_number() {
        map.some("arguments", call.arguments.to_json_text().ok().as_ref())?;
    } else {
        map.some("arguments", Some(&call.arguments))?;
    }
});

impl<L: Output> Serialize for Tree<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::ExactNumber(text) => nearest_number(text).serialize(serializer),
            Self::Text(text) => text.with_str(|text| serializer.serialize_str(text)),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(members) => serializer.collect_map(members.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl Serialize for CacheHint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl Serialize for Variables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.short {
            serializer.collect_seq(self.items.iter().map(|variable| &variable.name))
        } else {
            serializer.collect_map(self.items.iter().map(|variable| (&variable.name, Spec(variable))))
        }
    }
}

/// The mapping of a variable, whose key is its name.
struct Spec<'a>(&'a Variable);

serialize_as_map!(Spec<'_>, |spec, map| {
    map.some("type", Some(&spec.0.field_type).filter(|kind| **kind != FieldType::Any))?;
    map.many("values", &spec.0.values)?;
    map.some("description", spec.0.description.as_ref())?;
    map.some("default", spec.0.default.as_ref())?;
    map.some("required", spec.0.required.as_ref())?;
});

impl Serialize for Tool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Function(function) => function.serialize(serializer),
            Self::Provider(tool) => tool.serialize(serializer),
        }
    }
}

serialize_as_map!(ProviderTool, |tool, map| {
    map.some("provider", Some(&tool.provider))?;
    for (key, value) in &tool.definition {
        map.some(key, Some(value))?;
    }
});

serialize_as_map!(FunctionTool, |tool, map| {
    map.some("name", Some(&tool.name))?;
    map.some("description", tool.description.as_ref())?;
    map.some("parameters", Some(&tool.parameters))?;
    map.some("strict", tool.strict.as_ref())?;
    map.some("cache", tool.cache.as_ref())?;
});

impl Serialize for ToolChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::None => serializer.serialize_str("none"),
            Self::Required => serializer.serialize_str("required"),
            Self::Tool(name) => serializer.collect_map([("name", name)]),
        }
    }
}

serialize_as_map!(Settings, |settings, map| {
    map.some("model", settings.model.as_ref())?;
    map.some("temperature", settings.temperature.as_ref())?;
    map.some("top_p", settings.top_p.as_ref())?;
    map.some("max_tokens", settings.max_tokens.as_ref())?;
    map.many("stop", &settings.stop)?;
    map.some("seed", settings.seed.as_ref())?;
    map.some("presence_penalty", settings.presence_penalty.as_ref())?;
    map.some("frequency_penalty", settings.frequency_penalty.as_ref())?;
    map.some("top_k", settings.top_k.as_ref())?;
    map.some("effort", settings.effort.map(Effort::as_str).as_ref())?;
    map.some("verbosity", settings.verbosity.map(Verbosity::as_str).as_ref())?;
    map.some("thinking_budget", settings.thinking_budget.as_ref())?;
    map.some("parallel_tool_calls", settings.parallel_tool_calls.as_ref())?;
    map.some("extra", Some(&settings.extra).filter(|extra| !extra.is_empty()))?;
    for (provider, arguments) in &settings.providers {
        map.some(provider, Some(arguments))?;
    }
});

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for SchemaSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Inline(schema) => schema.serialize(serializer),
        }
    }
}
