//! The arguments that a prompt sets under `settings.extra`, which are merged with those that a request is made of.

use serde_json::{Map, Value};

use super::api::{Api, Setting};
use super::given_arguments::{EXTRA_BODY, GivenArguments, MERGED};
use crate::error::{Error, Kind, Result};

/// The arguments of `settings.extra`.
#[derive(Debug, Default)]
pub(super) struct RequestExtra {
    arguments: Map<String, Value>,
    /// The members of `extra_body`.
    body: Map<String, Value>,
}

impl RequestExtra {
    /// # Errors
    /// [`Kind::Conversion`] if it sets an argument that is made of other parts of the prompt.
    pub(super) fn new(
        mut arguments: Map<String, Value>,
        api: Api,
        given: GivenArguments<'_>,
    ) -> Result<Self> {
        let mut body = match arguments.remove(EXTRA_BODY) {
            None => Map::new(),
            Some(Value::Object(body)) => body,
            Some(_) => return Err(wrong(EXTRA_BODY, "is not a mapping", "write a mapping".to_owned())),
        };
        for (key, path) in arguments.keys().map(|key| (key, key.clone())) {
            check_key(api, key, &path)?;
        }
        for key in body.keys() {
            check_key(api, key, &format!("{EXTRA_BODY}.{key}"))?;
        }
        body.retain(|key, _| !given.has(key));
        for key in MERGED {
            let is_argument = given.has_member_of(key) || arguments.contains_key(key);
            if is_argument && let Some(value) = body.remove(key) {
                merge(arguments.entry(key), value);
            }
        }
        Ok(Self { arguments, body })
    }

    /// Removes and returns the tools.
    ///
    /// # Errors
    /// [`Kind::Conversion`] if they are not a list.
    pub(super) fn take_tools(&mut self) -> Result<Vec<Value>> {
        match self.arguments.remove("tools") {
            None => Ok(Vec::new()),
            Some(Value::Array(tools)) => Ok(tools),
            Some(_) => Err(wrong("tools", "is not a list", "write a list of tools".to_owned())),
        }
    }

    /// Whether it sets `path`, which is the argument `key` or the member `format` of it.
    pub(super) fn has(&self, key: &str, path: &str) -> bool {
        [&self.arguments, &self.body].into_iter().any(|members| match members.get(key) {
            Some(Value::Object(argument)) if path != key => argument.contains_key("format"),
            value => value.is_some(),
        })
    }

    /// Adds a setting that the provider's package has no argument for.
    ///
    /// # Errors
    /// [`Kind::Conversion`] if it is there already.
    pub(super) fn add_setting(&mut self, setting: Setting, value: Value) -> Result<()> {
        let name = setting.name();
        if self.arguments.contains_key(name) || self.body.contains_key(name) {
            let hint = format!("set only `settings.{name}`");
            return Err(wrong(name, "sets the same as a setting of the prompt", hint));
        }
        self.body.insert(name.to_owned(), value);
        Ok(())
    }

    /// Adds the member `format` to an argument, or to a member of `extra_body` for a package without this argument.
    pub(super) fn add_format(&mut self, key: &str, given: GivenArguments<'_>, in_body: bool, format: Value) {
        let is_argument = self.arguments.contains_key(key) || given.has_member_of(key);
        // A member of `extra_body` replaces the argument of the same name, so the format must be there too.
        let is_member = in_body || self.body.contains_key(key) || given.has(&format!("{EXTRA_BODY}.{key}"));
        let members = if is_member && !is_argument { &mut self.body } else { &mut self.arguments };
        merge(members.entry(key), Value::Object(Map::from_iter([("format".to_owned(), format)])));
    }

    /// The arguments, without those that the caller sets.
    pub(super) fn into_members(self, given: GivenArguments<'_>) -> impl Iterator<Item = (String, Value)> {
        let body = (!self.body.is_empty()).then(|| (EXTRA_BODY.to_owned(), Value::Object(self.body)));
        self.arguments.into_iter().chain(body).filter(move |(key, _)| !given.has(key))
    }
}

/// Checks that an argument is not one that is made of another part of the prompt.
fn check_key(api: Api, key: &str, path: &str) -> Result<()> {
    let hint = if key == "model" {
        "set `settings.model`".to_owned()
    } else if api.conversation_keys().contains(&key) {
        "write it as messages of the prompt".to_owned()
    } else if let Some(setting) = Setting::ALL.into_iter().find(|setting| api.argument(*setting) == Some(key))
    {
        format!("set `settings.{}`", setting.name())
    } else {
        return Ok(());
    };
    Err(wrong(path, "is made of another part of the prompt", hint))
}

fn wrong(path: &str, problem: &str, hint: String) -> Error {
    Error::new(Kind::Conversion, format!("`settings.extra.{path}` {problem}")).with_hint(hint)
}

/// Adds a value. Members of mappings are merged; those that are there stay.
fn merge(entry: serde_json::map::Entry<'_>, value: Value) {
    if let (Value::Object(into), Value::Object(members)) =
        (entry.or_insert_with(|| Value::Object(Map::new())), value)
    {
        for (key, value) in members {
            match into.get(&key) {
                None => {
                    into.insert(key, value);
                }
                Some(Value::Object(_)) if value.is_object() => merge(into.entry(key), value),
                Some(_) => {}
            }
        }
    }
}
