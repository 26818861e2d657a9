//! The arguments that a prompt sets under `settings.extra` and under the provider's name, such as `settings.openai`. They
//! are merged with those that a request is made of.
//!
//! Those of the provider win over `settings.extra` and over the settings for all providers.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::api::{Api, INFERENCE_CONFIG, Setting, inference_key};
use super::bedrock::tool_config::TOOL_CONFIG;
use super::gemini::declarations::spell_tool;
use super::given_arguments::{EXTRA_BODY, GivenArguments, MERGED, excluded_by, is_one_of, is_same_argument};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Settings, snake_case};

/// The arguments of `settings.extra` and of the provider's own settings.
#[derive(Debug, Default)]
pub(super) struct RequestExtra {
    arguments: Map<String, Value>,
    /// The members of `extra_body`.
    body: Map<String, Value>,
    /// The name under which the settings have those of the provider, such as `openai`.
    provider: &'static str,
    /// The arguments of the settings of the provider, with the members of its `extra_body`.
    own: Map<String, Value>,
}

impl RequestExtra {
    /// # Errors
    /// [`Kind::Conversion`] if it sets an argument that is made of other parts of the prompt.
    pub(super) fn new(settings: &Settings, api: Api, given: GivenArguments<'_>) -> Result<Self> {
        let provider = api.settings_key();
        let own = settings.of_provider(provider).cloned().unwrap_or_default();
        let mut own = if api == Api::Gemini { python_spelled(own, api) } else { own };
        let path = format!("settings.{provider}");
        for key in ["model", api.model_key()] {
            if own.shift_remove(key).is_some_and(|model| !model.is_string()) {
                let hint = "write the model's name".to_owned();
                return Err(wrong(&format!("{path}.{key}"), "is not a text", hint));
            }
        }
        let own = with_names_of(api, own);
        let (mut arguments, mut body) =
            split(own, api, &path, |key, path| check_conversation(api, key, path))?;
        let own: Map<String, Value> = body.clone().into_iter().chain(arguments.clone()).collect();
        let extra = settings.extra.clone();
        let extra = if api == Api::Gemini { python_spelled(extra, api) } else { extra };
        let (extra, extra_body) = split(extra, api, "settings.extra", |key, path| check_key(api, key, path))?;
        merge_members(&mut arguments, extra);
        merge_members(&mut body, extra_body);
        if api == Api::Gemini
            && let Some(Value::Array(tools)) = arguments.get_mut("tools")
        {
            tools.iter_mut().for_each(spell_tool);
        }
        let source = |key: &str| if own.contains_key(key) { provider } else { "extra" };
        for key in api.mappings() {
            for members in [&mut arguments, &mut body] {
                check_mapping(members, key, source(key))?;
            }
        }
        body.retain(|key, _| !given.has(key));
        for key in MERGED {
            let is_argument = given.has_member_of(key) || arguments.contains_key(key);
            if is_argument && let Some(value) = body.remove(key) {
                merge(arguments.entry(key), value);
            }
        }
        if let Some((argument, member)) = api.body_path()
            && !body.is_empty()
        {
            if let Some((member, Value::Object(members))) = member.zip(arguments.get_mut(argument)) {
                check_mapping(members, member, &format!("{}.{argument}", source(argument)))?;
            }
            let body = Value::Object(std::mem::take(&mut body));
            let body = match member {
                Some(member) => Value::Object(Map::from_iter([(member.to_owned(), body)])),
                None => body,
            };
            merge(arguments.entry(argument), body);
        }
        Ok(Self { arguments, body, provider, own })
    }

    /// The name under which the settings have an argument: that of the provider, or `extra`. `path` is the argument, or a
    /// member of it.
    pub(super) fn source(&self, key: &str, path: &str) -> String {
        let is_own = has_format(self.own.get(key), key, path);
        format!("settings.{}", if is_own { self.provider } else { "extra" })
    }

    /// Removes and returns the tools.
    ///
    /// # Errors
    /// [`Kind::Conversion`] if they are not a list.
    pub(super) fn take_tools(&mut self) -> Result<Vec<Value>> {
        match self.arguments.remove("tools") {
            None => Ok(Vec::new()),
            Some(Value::Array(tools)) => Ok(tools),
            Some(_) => {
                let path = format!("{}.tools", self.source("tools", "tools"));
                Err(wrong(&path, "is not a list", "write a list of tools".to_owned()))
            }
        }
    }

    /// Whether the settings of the provider set this argument, and so replace what the prompt makes of other settings.
    pub(super) fn overrides(&self, key: &str) -> bool {
        self.arguments
            .keys()
            .any(|argument| is_same_argument(argument, key) && self.own.contains_key(argument))
    }

    /// Whether it has tools.
    pub(super) fn has_tools(&self, api: Api) -> bool {
        match api {
            Api::Converse => self.member((TOOL_CONFIG, "tools")).is_some(),
            _ => self.arguments.contains_key("tools"),
        }
    }

    /// An argument.
    pub(super) fn argument(&self, key: &str) -> Option<&Value> {
        self.arguments.get(key)
    }

    /// An argument, or a member of `extra_body`.
    pub(super) fn anywhere(&self, key: &str) -> Option<&Value> {
        self.arguments.get(key).or_else(|| self.body.get(key))
    }

    /// Removes an argument, and the member of `extra_body` with its name.
    pub(super) fn remove(&mut self, key: &str) {
        self.arguments.shift_remove(key);
        self.body.shift_remove(key);
    }

    /// Whether it sets `path`, which is the argument `key` or the member `format` of it.
    pub(super) fn has(&self, key: &str, path: &str) -> bool {
        [&self.arguments, &self.body].into_iter().any(|members| has_format(members.get(key), key, path))
    }

    /// Removes a member of an argument, and the argument if it has no other.
    pub(super) fn remove_member(&mut self, (key, member): (&str, &str)) {
        if let Some(Value::Object(members)) = self.arguments.get_mut(key)
            && members.shift_remove(member).is_some()
            && members.is_empty()
        {
            self.arguments.shift_remove(key);
        }
    }

    /// A member of an argument.
    pub(super) fn member(&self, (key, member): (&str, &str)) -> Option<&Value> {
        self.arguments.get(key)?.get(member)
    }

    /// Whether the settings of the provider have this setting, which wins over the one for all providers.
    pub(super) fn has_own(&self, setting: Setting) -> bool {
        self.own.contains_key(setting.name())
    }

    /// Adds a setting that the provider's package has no argument for.
    ///
    /// # Errors
    /// [`Kind::Conversion`] if it is there already.
    pub(super) fn add_setting(&mut self, setting: Setting, value: Value) -> Result<()> {
        let name = setting.name();
        if self.has_own(setting) {
            return Ok(());
        }
        if self.arguments.contains_key(name) || self.body.contains_key(name) {
            let hint = format!("set only `settings.{name}`");
            let path = format!("settings.extra.{name}");
            return Err(wrong(&path, "sets the same as a setting of the prompt", hint));
        }
        self.body.insert(name.to_owned(), value);
        Ok(())
    }

    /// Adds a member to an argument, or to a member of `extra_body` for a package without this argument. One that is
    /// there stays.
    pub(super) fn add_member(
        &mut self,
        (key, member): (&str, &str),
        given: GivenArguments<'_>,
        in_body: bool,
        value: Value,
    ) {
        let is_argument = self.arguments.contains_key(key) || given.has_member_of(key);
        // A member of `extra_body` replaces the argument of the same name, so the member must be there too.
        let is_member = in_body || self.body.contains_key(key) || given.has(&format!("{EXTRA_BODY}.{key}"));
        let members = if is_member && !is_argument { &mut self.body } else { &mut self.arguments };
        merge(members.entry(key), Value::Object(Map::from_iter([(member.to_owned(), value)])));
    }

    /// Removes and returns the tools that are a member of an argument.
    ///
    /// # Errors
    /// [`Kind::Conversion`] if the argument is not a mapping, or its tools are not a list.
    pub(super) fn take_tools_of(&mut self, key: &str) -> Result<Vec<Value>> {
        let source = self.source(key, key);
        let members = match self.arguments.get_mut(key) {
            None => return Ok(Vec::new()),
            Some(Value::Object(members)) => members,
            Some(_) => {
                let hint = "write a mapping, such as {tools: […]}".to_owned();
                return Err(wrong(&format!("{source}.{key}"), "is not a mapping", hint));
            }
        };
        match members.shift_remove("tools") {
            None => Ok(Vec::new()),
            Some(Value::Array(tools)) => Ok(tools),
            Some(_) => {
                let hint = "write a list of tools".to_owned();
                Err(wrong(&format!("{source}.{key}.tools"), "is not a list", hint))
            }
        }
    }

    /// Sets the tools that are a member of an argument, which is a mapping if it is there.
    pub(super) fn set_tools_of(&mut self, key: &str, tools: Vec<Value>) {
        let entry = self.arguments.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(members) = entry {
            members.insert("tools".to_owned(), Value::Array(tools));
        }
    }

    /// Where each argument of the provider's own settings is set.
    pub(super) fn places(&self) -> HashMap<String, &'static str> {
        self.own.keys().map(|key| (key.clone(), self.provider)).collect()
    }

    /// The arguments, without those that the caller sets.
    pub(super) fn into_members(self, given: GivenArguments<'_>) -> impl Iterator<Item = (String, Value)> {
        let body = (!self.body.is_empty()).then(|| (EXTRA_BODY.to_owned(), Value::Object(self.body)));
        self.arguments.into_iter().chain(body).filter(move |(key, _)| !given.has(key))
    }
}

/// Whether an argument is set; if `path` is a member of it, whether it has that.
fn has_format(argument: Option<&Value>, key: &str, path: &str) -> bool {
    let member = path.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'));
    match (argument, member) {
        (Some(Value::Object(argument)), Some(member)) => argument.contains_key(member),
        (value, _) => value.is_some(),
    }
}

/// Gemini's arguments as its Python package spells them. The documentation of its REST API has `maxOutputTokens`.
fn python_spelled(arguments: Map<String, Value>, api: Api) -> Map<String, Value> {
    let spelled = arguments.into_iter().map(|(key, value)| {
        let word = snake_case(&key);
        match value {
            Value::Object(members) if holds_settings(&word) => {
                let members = members.into_iter().map(|(key, value)| (snake_case(&key), value)).collect();
                (word.clone(), Value::Object(python_spelled(members, api)))
            }
            value if api.takes(&word) => (word, value),
            value => (key, value),
        }
    });
    spelled.collect()
}

/// The arguments, with the API's names for those that have the name of a prompt's setting. Chat Completions has both names.
fn with_names_of(api: Api, mut own: Map<String, Value>) -> Map<String, Value> {
    for setting in Setting::ALL {
        let place = match api {
            Api::Responses | Api::Gemini => api.argument(setting).map(|name| (name, None)),
            Api::Converse => inference_key(setting).map(|name| (INFERENCE_CONFIG, Some(name))),
            _ => None,
        };
        let Some((key, member)) = place.filter(|(key, _)| *key != setting.name()) else { continue };
        let Some(value) = own.shift_remove(setting.name()) else { continue };
        let value = match value {
            Value::String(stop) if setting == Setting::Stop => Value::Array(vec![Value::String(stop)]),
            value => value,
        };
        match member {
            Some(member) => {
                merge(own.entry(key), Value::Object(Map::from_iter([(member.to_owned(), value)])));
            }
            None => {
                own.entry(key).or_insert(value);
            }
        }
    }
    own
}

/// Whether a member of Gemini's `config` has members with names of the package.
fn holds_settings(member: &str) -> bool {
    matches!(member, "thinking_config" | "tool_config" | "function_calling_config")
}

/// Separates the arguments that the provider's package takes from those that it sends in `extra_body`, and checks both.
fn split(
    mut arguments: Map<String, Value>,
    api: Api,
    path: &str,
    check: impl Fn(&str, &str) -> Result<()>,
) -> Result<(Map<String, Value>, Map<String, Value>)> {
    let mut body = match arguments.shift_remove(EXTRA_BODY) {
        None => Map::new(),
        Some(Value::Object(body)) => body,
        Some(_) => {
            let path = format!("{path}.{EXTRA_BODY}");
            return Err(wrong(&path, "is not a mapping", "write a mapping".to_owned()));
        }
    };
    for key in body.keys() {
        check(key, &format!("{path}.{EXTRA_BODY}.{key}"))?;
    }
    let mut taken = Map::new();
    for (key, value) in arguments {
        check(&key, &format!("{path}.{key}"))?;
        // The newest packages of Anthropic have no argument for a sampling setting, and all of them pass on the body.
        let is_sampling =
            Setting::ALL.into_iter().any(|setting| setting.is_sampling() && setting.name() == key);
        if api.takes(&key) && !(api == Api::Messages && is_sampling) {
            taken.insert(key, value);
        } else {
            body.entry(key).or_insert(value);
        }
    }
    Ok((taken, body))
}

/// Checks that an argument is not one that is made of the prompt's messages.
fn check_conversation(api: Api, key: &str, path: &str) -> Result<()> {
    if api.conversation_keys().contains(&key) {
        let hint = "write it as messages of the prompt".to_owned();
        return Err(wrong(path, "is made of another part of the prompt", hint));
    }
    Ok(())
}

/// Checks that an argument is not one that is made of another part of the prompt.
fn check_key(api: Api, key: &str, path: &str) -> Result<()> {
    let hint = if key == "model" || key == api.model_key() {
        "set `settings.model`".to_owned()
    } else if let Some(setting) = Setting::ALL.into_iter().find(|setting| api.argument(*setting) == Some(key))
    {
        format!("set `settings.{}`", setting.name())
    } else {
        return check_conversation(api, key, path);
    };
    Err(wrong(path, "is made of another part of the prompt", hint))
}

/// Checks that an argument is a mapping, to which others can be added. One that is null is none.
fn check_mapping(arguments: &mut Map<String, Value>, key: &str, source: &str) -> Result<()> {
    match arguments.get(key) {
        None | Some(Value::Object(_)) => Ok(()),
        Some(Value::Null) => {
            arguments.shift_remove(key);
            Ok(())
        }
        Some(_) => {
            let path = format!("settings.{source}.{key}");
            Err(wrong(&path, "is not a mapping", format!("write a mapping, such as {{{key}: {{…}}}}")))
        }
    }
}

fn wrong(path: &str, problem: &str, hint: String) -> Error {
    Error::new(Kind::Conversion, format!("`{path}` {problem}")).with_hint(hint)
}

/// Adds a mapping. Members that are there stay; those that are mappings are merged.
fn merge(entry: serde_json::map::Entry<'_>, value: Value) {
    if let (Value::Object(into), Value::Object(members)) =
        (entry.or_insert_with(|| Value::Object(Map::new())), value)
    {
        merge_members(into, members);
    }
}

fn merge_members(into: &mut Map<String, Value>, members: Map<String, Value>) {
    for (key, value) in members {
        if excluded_by(&key).is_some_and(|other| into.contains_key(other)) {
            continue;
        }
        match (into.get_mut(&key), value) {
            (None, value) => drop(into.insert(key, value)),
            (Some(Value::Object(_)), value @ Value::Object(_)) if !is_one_of(&key) => {
                merge(into.entry(key), value);
            }
            (Some(Value::Array(tools)), Value::Array(more)) if key == "tools" => tools.extend(more),
            (Some(_), _) => {}
        }
    }
}
