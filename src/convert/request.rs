//! Builds whole requests: the messages with the model, the tools, the settings and the format of the answer.
//!
//! A setting that the API does not have is left out with a warning, in strict mode too: the same prompt goes to several
//! providers, and no provider needs a setting that it does not have.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::api::{Api, Setting};
use super::bedrock::tool_config::{TOOL_CONFIG, allows_text};
use super::converter::{Provider, ProviderConverter};
use super::given_arguments::{EXTRA_BODY, GivenArguments, is_same_argument};
use super::openai::WrittenHints;
use super::payload::{Member, Payload, member};
use super::report::Report;
use super::request_extra::RequestExtra;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Rendered, Settings};
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
        asked: &RequestOptions<'_>,
        report: &mut Report,
    ) -> Result<Payload<S>> {
        let settings = prompt.settings();
        let model = self.model(&settings, asked)?;
        let mut builder = self.builder(&settings, asked, report)?;
        builder.model = model;
        builder.members.push(member(self.api().model_key(), Payload::String(model.to_owned())));
        let kept = ["previous_response_id", "conversation"];
        let continues = kept.into_iter().any(|key| builder.given.has(key) || builder.extra.overrides(key));
        let converter = if continues { self.continuing() } else { self };
        let payload = converter.for_requests().convert(rendered, builder.report)?;
        builder.conversation(payload);
        builder.finish(prompt, &settings, asked)
    }

    /// Checks what all requests of a prompt have: the model, tools, settings and the format of the answer.
    ///
    /// # Errors
    /// As [`ProviderConverter::request`], without those about messages.
    pub fn check_request(self, prompt: &Prompt, asked: &RequestOptions<'_>) -> Result<()> {
        let settings = prompt.settings();
        let model = self.model(&settings, asked)?;
        let mut report = Report::default();
        let mut builder: RequestBuilder<'_, String> = self.builder(&settings, asked, &mut report)?;
        builder.model = model;
        builder.finish(prompt, &settings, asked).map(|_| ())
    }

    /// The model that is asked for, or else that of the settings.
    fn model<'m>(self, settings: &'m Settings, asked: &RequestOptions<'m>) -> Result<&'m str> {
        let api = self.api();
        let own = settings.of_provider(api.settings_key());
        let of_provider = own.and_then(|own| own.get("model").or_else(|| own.get(api.model_key()))?.as_str());
        let model = asked.model.or(of_provider).or(settings.model.as_deref()).ok_or_else(|| {
            Error::new(Kind::Conversion, "no model is given")
                .with_hint("pass model=..., or set `model` in the prompt's settings")
        })?;
        if model.trim().is_empty() {
            let hint = "pass the name of a model, such as model=\"…\", or leave `model` out for the one in the settings";
            return Err(Error::new(Kind::Conversion, "the name of the model is empty").with_hint(hint));
        }
        Ok(model)
    }

    /// The arguments of the API call besides the model and the conversation, for a client that has these.
    ///
    /// # Errors
    /// As [`ProviderConverter::request`].
    pub fn arguments<S: Output>(
        self,
        prompt: &Prompt,
        asked: &RequestOptions<'_>,
        report: &mut Report,
    ) -> Result<Payload<S>> {
        let settings = prompt.settings();
        let mut builder = self.builder(&settings, asked, report)?;
        builder.is_partial = true;
        builder.finish(prompt, &settings, asked)
    }

    fn builder<'m, S: Output>(
        self,
        settings: &'m Settings,
        asked: &RequestOptions<'m>,
        report: &'m mut Report,
    ) -> Result<RequestBuilder<'m, S>> {
        let api = self.api();
        Ok(RequestBuilder {
            api,
            strict: self.is_strict(),
            is_other_server: asked.old_max_tokens,
            is_partial: false,
            model: "",
            sends_schema_as_tool: self.sends_schema_as_tool(),
            hints: self.written_hints(),
            tool_hints: 0,
            given: asked.given,
            members: Vec::new(),
            extra: RequestExtra::new(settings, api, asked.given)?,
            report,
        })
    }

    /// Whether a request makes the provider follow the output schema.
    ///
    /// LiteLLM may drop the schema on the way.
    #[must_use]
    pub fn enforces(self, prompt: &Prompt, response: &ResponseSchema, given: GivenArguments<'_>) -> bool {
        if self.sends_schema_as_tool() {
            return response.is_object()
                && !given.has(TOOL_CONFIG)
                && !allows_text(given, &schema_name(&response.name));
        }
        let api = self.api();
        let extra = RequestExtra::new(&prompt.settings(), api, given);
        response.not_strict.is_none()
            && api != Api::LiteLlm
            && given_format(api, given).is_none()
            && extra.is_ok_and(|extra| format_of_settings(api, &extra).is_none())
    }

    /// Whether a request needs instructions for the answer, because the provider does not enforce its schema.
    #[must_use]
    pub fn needs_instructions(
        self,
        prompt: &Prompt,
        response: Option<&ResponseSchema>,
        given: GivenArguments<'_>,
    ) -> bool {
        !response.is_some_and(|response| self.enforces(prompt, response, given))
    }

    /// The arguments of the call that hold the conversation.
    #[must_use]
    pub fn conversation_keys(self) -> &'static [&'static str] {
        self.api().conversation_keys()
    }

    pub(super) fn api(self) -> Api {
        match self.provider {
            Provider::OpenAi(_) => Api::Chat,
            Provider::Responses(_) => Api::Responses,
            Provider::Anthropic(_) => Api::Messages,
            Provider::LiteLlm(_) => Api::LiteLlm,
            Provider::Gemini(_) => Api::Gemini,
            Provider::Bedrock(_) => Api::Converse,
        }
    }
}

/// The argument of the caller that sets the format of the answer, or the member of it that does.
fn given_format(api: Api, given: GivenArguments<'_>) -> Option<&'static str> {
    let (key, path) = (api.format_key(), api.format_path());
    let in_body = format!("{EXTRA_BODY}.{key}");
    if given.has(key) || given.has(path) || (key == path && given.has(&in_body)) {
        return Some(path);
    }
    let sets_type = || given.has(MIME_TYPE) && given.word(MIME_TYPE) != Some(JSON_TYPE);
    match api {
        Api::Gemini if given.has(OTHER_SCHEMA) => Some(OTHER_SCHEMA),
        Api::Gemini if sets_type() => Some(MIME_TYPE),
        _ => None,
    }
}

/// The argument of the settings that sets the format of the answer, and its member that does.
fn format_of_settings(api: Api, extra: &RequestExtra) -> Option<(&'static str, &'static str)> {
    let sets_type = || extra.argument(MIME_TYPE).is_some_and(|word| word != JSON_TYPE);
    let (key, path) = (api.format_key(), api.format_path());
    if extra.has(key, path) {
        return Some((key, path));
    }
    match api {
        Api::Gemini if extra.has(OTHER_SCHEMA, OTHER_SCHEMA) => Some((OTHER_SCHEMA, OTHER_SCHEMA)),
        Api::Gemini if sets_type() => Some((MIME_TYPE, MIME_TYPE)),
        _ => None,
    }
}

/// Gemini's argument for a schema in its older format, which cannot be beside a JSON Schema.
const OTHER_SCHEMA: &str = "response_schema";

/// Gemini's argument for the MIME type of the answer, and the type that a schema needs.
const MIME_TYPE: &str = "response_mime_type";
const JSON_TYPE: &str = "application/json";

/// The settings that have a value, in the order of the documentation.
pub(super) fn given_settings(settings: &Settings) -> Vec<(Setting, Value)> {
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the request")]
pub(super) struct RequestBuilder<'m, S> {
    pub(super) api: Api,
    pub(super) strict: bool,
    /// Whether it is a server with an API like OpenAI's.
    pub(super) is_other_server: bool,
    /// Whether the client that sends the request has a model and a limit of its own.
    is_partial: bool,
    /// Whether the schema of the answer is sent as a tool that the model must call.
    pub(super) sends_schema_as_tool: bool,
    /// The cache hints that are written.
    pub(super) hints: WrittenHints,
    /// The number of cache hints of tools so far.
    pub(super) tool_hints: usize,
    /// The model. Empty in a request without one.
    pub(super) model: &'m str,
    pub(super) given: GivenArguments<'m>,
    pub(super) members: Vec<Member<S>>,
    pub(super) extra: RequestExtra,
    pub(super) report: &'m mut Report,
}

impl<S: Output> RequestBuilder<'_, S> {
    /// Adds tools, settings and the format of the answer.
    fn finish(
        mut self,
        prompt: &Prompt,
        settings: &Settings,
        asked: &RequestOptions<'_>,
    ) -> Result<Payload<S>> {
        self.tools(prompt, settings.parallel_tool_calls)?;
        self.settings(settings, asked)?;
        self.portable_settings(settings, asked.format_in_body)?;
        if let Some(response) = &asked.response {
            self.response(response, asked.format_in_body)?;
        }
        self.check_forced_choice()?;
        self.extra()?;
        match self.api {
            Api::Gemini => self.nest_config(),
            Api::Converse => self.check_cache_points()?,
            _ => {}
        }
        self.check_hints()?;
        Ok(Payload::Map(self.members))
    }

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

    fn settings(&mut self, settings: &Settings, asked: &RequestOptions<'_>) -> Result<()> {
        let sampling = asked.sampling && self.api == Api::Messages;
        let old_limit = asked.old_max_tokens && self.api == Api::Chat;
        for (setting, value) in given_settings(settings) {
            if self.api == Api::Converse {
                self.converse_setting(setting, value)?;
                continue;
            }
            match self.api.argument(setting) {
                Some(_) if old_limit && setting == Setting::MaxTokens => self.push("max_tokens", value),
                Some(key) => {
                    let value = self.accepted_value(setting, value)?;
                    self.push(key, value);
                }
                None if self.is_replaced(setting) => {}
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
        if self.api == Api::Messages && !is_set && !is_given && !self.is_partial {
            return Err(Error::new(Kind::Conversion, "Anthropic requires `max_tokens`")
                .with_hint("pass max_tokens=..., or set `max_tokens` in the prompt's settings"));
        }
        Ok(())
    }

    /// Whether the caller gives a value for a setting that the provider's package has no argument for.
    fn is_replaced(&self, setting: Setting) -> bool {
        let name = setting.name();
        self.given.has(name) || self.given.has(&format!("{EXTRA_BODY}.{name}")) || self.extra.has_own(setting)
    }

    /// The value as the provider accepts it.
    pub(super) fn accepted_value(&mut self, setting: Setting, value: Value) -> Result<Value> {
        match (setting, value) {
            (Setting::Stop, Value::Array(mut stops))
                if stops.len() > OPENAI_STOPS && self.api == Api::Chat && !self.is_other_server =>
            {
                let problem = format!("OpenAI accepts at most {OPENAI_STOPS} texts in `stop`");
                self.refuse_or_note(problem, "use fewer texts", "the others are left out")?;
                stops.truncate(OPENAI_STOPS);
                Ok(Value::Array(stops))
            }
            (Setting::Stop, Value::Array(mut stops))
                if self.api == Api::Converse && stops.iter().any(|stop| stop == "") =>
            {
                let problem = "Bedrock accepts no empty text in `stop`".to_owned();
                self.refuse_or_note(problem, "remove it", "left out")?;
                stops.retain(|stop| stop != "");
                Ok(Value::Array(stops))
            }
            (Setting::Temperature, value)
                if matches!(self.api, Api::Messages | Api::Converse)
                    && value.as_f64().is_some_and(|value| value > 1.0) =>
            {
                let provider = if self.api == Api::Converse { "Bedrock" } else { "Anthropic" };
                self.refuse_or_note(
                    format!("{provider} accepts only a temperature from 0 to 1"),
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

    fn response(&mut self, response: &ResponseSchema, in_body: bool) -> Result<()> {
        if self.sends_schema_as_tool {
            return self.schema_tool(response, &schema_name(&response.name));
        }
        let strict = response.not_strict.is_none();
        let format = || {
            let mut format = Map::new();
            format.insert("name".to_owned(), json!(schema_name(&response.name)));
            format.insert("schema".to_owned(), response.schema.clone());
            format.insert("strict".to_owned(), json!(strict));
            format
        };
        let key = self.api.format_key();
        if let Some(name) = given_format(self.api, self.given) {
            if !self.given.removes(key) && !self.given.removes(name) {
                let problem = format!("the argument `{name}` replaces the format");
                self.report.note(format!("{problem}; the output schema `{}` is not sent", response.name));
            }
            return Ok(());
        }
        if let Some((key, member)) = format_of_settings(self.api, &self.extra) {
            let problem = format!("`{}` sets `{member}`", self.extra.source(key, member));
            self.report.note(format!("{problem}; the output schema `{}` is not sent", response.name));
            return Ok(());
        }
        // Anthropic's subset has only objects, and Gemini accepts any answer.
        if !matches!(self.api, Api::Messages | Api::Converse | Api::Gemini) && !response.is_object() {
            let api = self.api.name();
            let problem =
                format!("the output schema `{}` is not an object, and {api} accepts no other", response.name);
            let hint = "put it into an object under a key, or pass structured_output=False";
            return self.refuse_or_note(problem, hint, "left out");
        }
        if let Some(reason) = &response.not_strict {
            let may_send = !matches!(self.api, Api::Messages | Api::Converse | Api::Gemini);
            let done = if may_send { "sent without strict mode" } else { "left out" };
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
            Api::Gemini if strict => {
                self.push(MIME_TYPE, json!(JSON_TYPE));
                self.push(key, response.schema.clone());
            }
            Api::Converse if strict => self.converse_format(response, &schema_name(&response.name)),
            Api::Messages | Api::Gemini | Api::Converse => {}
            _ => self.push(key, json!({"type": "json_schema", "json_schema": format()})),
        }
        Ok(())
    }

    /// Adds the arguments of `settings.extra`.
    fn extra(&mut self) -> Result<()> {
        let extra = std::mem::take(&mut self.extra);
        let places = extra.places();
        for (key, value) in extra.into_members(self.given) {
            let place = places.get(&key).copied().unwrap_or("extra");
            if self.members.iter().any(|(written, _)| is_same_argument(written.as_str(), &key)) {
                let problem = format!("`settings.{place}.{key}` is set, and the prompt itself sets `{key}`");
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
