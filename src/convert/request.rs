//! Builds whole requests: the messages with the model, the tools, the settings and the format of the answer.
//!
//! A setting that the API does not have is left out with a warning, in strict mode too: the same prompt goes to several
//! providers, and no provider needs a setting that it does not have.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::api::{Api, Setting};
use super::converter::{Provider, ProviderConverter};
use super::given_arguments::{EXTRA_BODY, GivenArguments, is_same_argument};
use super::payload::{Member, Payload, member};
use super::report::Report;
use super::request_extra::RequestExtra;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Rendered, Settings, Tool, ToolChoice};
use crate::schema::ResponseSchema;
use crate::template::Output;

/// The parts of a request that do not come from the prompt.
#[derive(Debug, Default)]
pub struct RequestOptions<'a> {
    /// The model, if the caller gives it.
    pub model: Option<&'a str>,
    /// The arguments that the caller sets.
    pub given: GivenArguments<'a>,
    /// The schema of the answer.
    pub response: Option<Arc<ResponseSchema>>,
    /// Send Anthropic `temperature`, `top_p` and `top_k`, which its newer models refuse.
    pub sampling: bool,
    /// Put the format of Anthropic's answer into `extra_body`, for packages without `output_config`.
    pub format_in_body: bool,
    /// OpenAI's argument for the maximum number of tokens is `max_tokens`, as servers with an API like OpenAI's have it.
    pub old_max_tokens: bool,
}

impl ProviderConverter {
    /// The arguments of the API call that sends a rendered prompt.
    ///
    /// # Errors
    /// As [`ProviderConverter::convert`]. Also [`Kind::Conversion`] if no model is given, if Anthropic's `max_tokens`
    /// is missing, and in strict mode for tools or settings that the API would refuse.
    pub fn request<S: Output>(
        self,
        prompt: &Prompt,
        rendered: Rendered<S>,
        asked: RequestOptions<'_>,
        report: &mut Report,
    ) -> Result<Payload<S>> {
        let settings = prompt.settings();
        let api = self.api();
        let of_provider = settings.of_provider(api.settings_key()).and_then(|own| own.get("model")?.as_str());
        let model = asked.model.or(of_provider).or(settings.model.as_deref()).ok_or_else(|| {
            Error::new(Kind::Conversion, "no model is given")
                .with_hint("pass model=..., or set `model` in the prompt's settings")
        })?;
        let model = Payload::String(model.to_owned());
        let extra = RequestExtra::new(&settings, api, asked.given)?;
        let mut builder = RequestBuilder {
            api,
            strict: self.is_strict(),
            given: asked.given,
            members: Vec::new(),
            extra,
            report,
        };
        builder.members.push(member("model", model));
        let payload = self.for_requests().convert(rendered, builder.report)?;
        builder.conversation(payload);
        builder.tools(prompt, settings.parallel_tool_calls)?;
        builder.settings(&settings, &asked)?;
        builder.portable_settings(&settings, asked.format_in_body)?;
        if let Some(response) = asked.response {
            builder.response(&response, asked.format_in_body);
        }
        builder.extra()?;
        Ok(Payload::Map(builder.members))
    }

    /// Whether a request makes the provider follow the output schema.
    ///
    /// LiteLLM may drop the schema on the way.
    #[must_use]
    pub fn enforces(self, prompt: &Prompt, response: &ResponseSchema, given: GivenArguments<'_>) -> bool {
        let api = self.api();
        let extra = RequestExtra::new(&prompt.settings(), api, given);
        response.not_strict.is_none()
            && api != Api::LiteLlm
            && !sets_format(api, given)
            && extra.is_ok_and(|extra| !extra.has(api.format_key(), api.format_path()))
    }

    /// The arguments of the call that hold the conversation.
    #[must_use]
    pub fn conversation_keys(self) -> &'static [&'static str] {
        self.api().conversation_keys()
    }

    fn api(self) -> Api {
        match self.provider {
            Provider::OpenAi(_) => Api::Chat,
            Provider::Responses { .. } => Api::Responses,
            Provider::Anthropic(_) => Api::Messages,
            Provider::LiteLlm(_) => Api::LiteLlm,
        }
    }
}

/// Whether the caller sets the format of the answer.
fn sets_format(api: Api, given: GivenArguments<'_>) -> bool {
    let in_body = format!("{EXTRA_BODY}.{}", api.format_key());
    given.has(api.format_key())
        || given.has(api.format_path())
        || (api.format_key() == api.format_path() && given.has(&in_body))
}

/// The settings that have a value, in the order of the documentation.
fn given_settings(settings: &Settings) -> Vec<(Setting, Value)> {
    let all = [
        (Setting::Temperature, settings.temperature.map(Value::from)),
        (Setting::TopP, settings.top_p.map(Value::from)),
        (Setting::TopK, settings.top_k.map(Value::from)),
        (Setting::MaxTokens, settings.max_tokens.map(Value::from)),
        (Setting::Stop, (!settings.stop.is_empty()).then(|| json!(settings.stop))),
        (Setting::Seed, settings.seed.map(Value::from)),
        (Setting::Presence, settings.presence_penalty.map(Value::from)),
        (Setting::Frequency, settings.frequency_penalty.map(Value::from)),
    ];
    all.into_iter().filter_map(|(setting, value)| Some((setting, value?))).collect()
}

/// The maximum number of stop texts at OpenAI.
const OPENAI_STOPS: usize = 4;

/// Collects the arguments of one request.
pub(super) struct RequestBuilder<'m, S> {
    pub(super) api: Api,
    strict: bool,
    pub(super) given: GivenArguments<'m>,
    pub(super) members: Vec<Member<S>>,
    pub(super) extra: RequestExtra,
    pub(super) report: &'m mut Report,
}

impl<S: Output> RequestBuilder<'_, S> {
    pub(super) fn push(&mut self, key: &'static str, value: Value) {
        if !self.given.has(key) && !self.extra.overrides(key) {
            self.members.push(member(key, Payload::from_json(value)));
        }
    }

    fn conversation(&mut self, payload: Payload<S>) {
        match payload {
            Payload::Map(members) => self.members.extend(members),
            Payload::List(_) => self.members.push(member("messages", payload)),
            text => self.members.push(member(self.api.conversation_keys()[0], text)),
        }
    }

    fn tools(&mut self, prompt: &Prompt, parallel: Option<bool>) -> Result<()> {
        let any = !prompt.tools.is_empty() || self.extra.has_tools();
        if prompt.tools.is_empty() {
            self.parallel_tool_calls(parallel, None, any);
            return Ok(());
        }
        let mut tools: Vec<Value> = prompt.tools.iter().map(|tool| self.tool(tool)).collect();
        tools.extend(self.extra.take_tools()?);
        self.push("tools", Value::Array(tools));
        let choice = prompt.tool_choice.as_ref().map(|choice| self.tool_choice(choice));
        self.parallel_tool_calls(parallel, choice, any);
        Ok(())
    }

    fn tool(&self, tool: &Tool) -> Value {
        let mut parameters = Map::new();
        // The providers require `type`, which a prompt file can leave out.
        parameters.insert("type".to_owned(), json!("object"));
        parameters.extend(tool.parameters.clone());
        let mut members = Map::new();
        if self.api == Api::Responses {
            members.insert("type".to_owned(), json!("function"));
        }
        members.insert("name".to_owned(), json!(tool.name));
        if let Some(description) = &tool.description {
            members.insert("description".to_owned(), json!(description));
        }
        let schema = if self.api == Api::Messages { "input_schema" } else { "parameters" };
        members.insert(schema.to_owned(), Value::Object(parameters));
        // Without `strict` the Responses API enforces the schema, and most schemas do not meet its rules for that.
        let strict = tool.strict.or((self.api == Api::Responses).then_some(false));
        if let Some(strict) = strict {
            members.insert("strict".to_owned(), json!(strict));
        }
        match self.api {
            Api::Responses | Api::Messages => Value::Object(members),
            _ => json!({"type": "function", "function": members}),
        }
    }

    fn tool_choice(&self, choice: &ToolChoice) -> Value {
        match (self.api, choice) {
            (Api::Messages, ToolChoice::Auto) => json!({"type": "auto"}),
            (Api::Messages, ToolChoice::None) => json!({"type": "none"}),
            (Api::Messages, ToolChoice::Required) => json!({"type": "any"}),
            (Api::Messages, ToolChoice::Tool(name)) => json!({"type": "tool", "name": name}),
            (_, ToolChoice::Auto) => json!("auto"),
            (_, ToolChoice::None) => json!("none"),
            (_, ToolChoice::Required) => json!("required"),
            (Api::Responses, ToolChoice::Tool(name)) => json!({"type": "function", "name": name}),
            (_, ToolChoice::Tool(name)) => json!({"type": "function", "function": {"name": name}}),
        }
    }

    fn settings(&mut self, settings: &Settings, asked: &RequestOptions<'_>) -> Result<()> {
        let sampling = asked.sampling && self.api == Api::Messages;
        let old_limit = asked.old_max_tokens && self.api == Api::Chat;
        for (setting, value) in given_settings(settings) {
            match self.api.argument(setting) {
                Some(_) if old_limit && setting == Setting::MaxTokens => self.push("max_tokens", value),
                Some(key) => {
                    let value = self.accepted_value(setting, value)?;
                    self.push(key, value);
                }
                None if self.given.has(setting.name()) => {}
                None if (sampling && setting.is_sampling()) || (old_limit && setting == Setting::TopK) => {
                    let value = self.accepted_value(setting, value)?;
                    self.extra.add_setting(setting, value)?;
                }
                None if sampling || !setting.is_sampling() || self.api != Api::Messages => {
                    self.left_out(setting.name(), "");
                }
                None => {
                    self.left_out(setting.name(), " (pass sampling=True for a model that accepts it)");
                }
            }
        }
        let is_set = self.members.iter().any(|(key, _)| key.as_str() == "max_tokens");
        let is_given = self.given.has("max_tokens") || self.extra.overrides("max_tokens");
        if self.api == Api::Messages && !is_set && !is_given {
            return Err(Error::new(Kind::Conversion, "Anthropic requires `max_tokens`")
                .with_hint("pass max_tokens=..., or set `max_tokens` in the prompt's settings"));
        }
        Ok(())
    }

    /// The value as the provider accepts it.
    fn accepted_value(&mut self, setting: Setting, value: Value) -> Result<Value> {
        match (setting, value) {
            (Setting::Stop, Value::Array(mut stops))
                if stops.len() > OPENAI_STOPS && self.api == Api::Chat =>
            {
                let problem = format!("OpenAI accepts at most {OPENAI_STOPS} texts in `stop`");
                self.refuse_or_note(problem, "use fewer texts", "the others are left out")?;
                stops.truncate(OPENAI_STOPS);
                Ok(Value::Array(stops))
            }
            (Setting::Temperature, value)
                if self.api == Api::Messages && value.as_f64().is_some_and(|value| value > 1.0) =>
            {
                self.refuse_or_note(
                    "Anthropic accepts only a temperature from 0 to 1".to_owned(),
                    "set it to at most 1",
                    "sent as 1",
                )?;
                Ok(json!(1.0))
            }
            (_, value) => Ok(value),
        }
    }

    pub(super) fn left_out(&mut self, name: &str, remedy: &str) {
        let api = self.api.name();
        self.report.note(format!("{api} does not accept `settings.{name}`; left out{remedy}"));
    }

    /// Returns an error in strict mode. Otherwise adds a warning that says what was `done`.
    pub(super) fn refuse_or_note(&mut self, problem: String, hint: &'static str, done: &str) -> Result<()> {
        if self.strict {
            return Err(Error::new(Kind::Conversion, problem).with_hint(hint));
        }
        self.report.note(format!("{problem}; {done}"));
        Ok(())
    }

    fn response(&mut self, response: &ResponseSchema, in_body: bool) {
        let strict = response.not_strict.is_none();
        let format = || {
            let mut format = Map::new();
            format.insert("name".to_owned(), json!(schema_name(&response.name)));
            format.insert("schema".to_owned(), response.schema.clone());
            format.insert("strict".to_owned(), json!(strict));
            format
        };
        let (key, member) = (self.api.format_key(), self.api.format_path());
        if sets_format(self.api, self.given) {
            if !self.given.removes(key) {
                let problem = format!("the argument `{member}` replaces the format");
                self.report.note(format!("{problem}; the output schema `{}` is not sent", response.name));
            }
            return;
        }
        if self.extra.has(key, member) {
            let problem = format!("`settings.extra` sets `{member}`");
            self.report.note(format!("{problem}; the output schema `{}` is not sent", response.name));
            return;
        }
        if let Some(reason) = &response.not_strict {
            let done = if self.api == Api::Messages { "left out" } else { "sent without strict mode" };
            let problem = format!("the output schema `{}` cannot be enforced: {reason}", response.name);
            self.report.note(format!("{problem}; {done}"));
        }
        match self.api {
            Api::Responses => {
                let mut config = Map::from_iter([("type".to_owned(), json!("json_schema"))]);
                config.extend(format());
                self.extra.add_member((key, "format"), self.given, false, Value::Object(config));
            }
            Api::Messages if strict => {
                let format = json!({"type": "json_schema", "schema": response.schema});
                self.extra.add_member((key, "format"), self.given, in_body, format);
            }
            Api::Messages => {}
            _ => self.push(key, json!({"type": "json_schema", "json_schema": format()})),
        }
    }

    /// Adds the arguments of `settings.extra`.
    fn extra(&mut self) -> Result<()> {
        for (key, value) in std::mem::take(&mut self.extra).into_members(self.given) {
            if self.members.iter().any(|(written, _)| is_same_argument(written.as_str(), &key)) {
                let problem = format!("`settings.extra.{key}` is set, and the prompt itself sets `{key}`");
                return Err(Error::new(Kind::Conversion, problem).with_hint("keep one of the two"));
            }
            self.members.push((key.into(), Payload::from_json(value)));
        }
        Ok(())
    }
}

/// A schema's name as OpenAI accepts it: up to 64 letters, digits, `_` and `-`.
fn schema_name(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let spelling: String = name.chars().take(64).map(letter).collect();
    if spelling.is_empty() { "answer".to_owned() } else { spelling }
}
