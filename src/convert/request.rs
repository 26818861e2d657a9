//! Whole requests: beside the messages the model, the tools, the settings, and the form that the answer must have.
//!
//! What a provider's interface has no place for is left out and noted in the report, strict or not: the same prompt goes
//! to several providers, and none of them would miss it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::converter::{Converter, Provider};
use super::form::{Form, Member, member};
use super::report::Report;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Rendered, Settings, Tool, ToolChoice};
use crate::schema::ResponseSchema;
use crate::template::Output;

/// What a request is made of besides a rendered prompt.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The model, where the caller names it.
    pub model: Option<&'a str>,
    /// The members that the caller sets, and that are therefore not made here.
    pub given: &'a [String],
    /// What the answer must be.
    pub response: Option<Arc<ResponseSchema>>,
    /// Ask Anthropic for a temperature and its kin, which its newer models refuse.
    pub sampling: bool,
}

impl Converter {
    /// The arguments of the call that sends a rendered prompt.
    ///
    /// # Errors
    /// As [`Converter::form`]; [`Kind::Conversion`] too where no model is named, where Anthropic's `max_tokens` is
    /// missing, and in strict mode for tools or settings that the interface would refuse.
    pub fn request<S: Output>(
        self,
        prompt: &Prompt,
        rendered: Rendered<S>,
        asked: Request<'_>,
        report: &mut Report,
    ) -> Result<Form<S>> {
        let settings = prompt.settings();
        let model = asked.model.or(settings.model.as_deref()).ok_or_else(|| {
            Error::new(Kind::Conversion, "no model is named")
                .with_hint("pass model=..., or set `model` in the prompt's settings")
        })?;
        let model = Form::String(model.to_owned());
        let api = self.api(matches!(rendered, Rendered::Text(_)) && !self.to_messages);
        let mut maker =
            Maker { api, strict: self.is_strict(), given: asked.given, members: Vec::new(), report };
        maker.members.push(member("model", model));
        let form = self.form(rendered, maker.report)?;
        maker.conversation(form);
        maker.tools(prompt)?;
        let mut extra = settings.extra.clone();
        maker.settings(&settings, asked.sampling, &mut extra)?;
        if let Some(response) = asked.response {
            maker.response(&response, &mut extra);
        }
        for (key, value) in extra {
            // The caller's extra body is joined with this one.
            if key == EXTRA_BODY || !maker.is_given(&key) {
                maker.members.push((key.into(), Form::of_json(value)));
            }
        }
        Ok(Form::Map(maker.members))
    }

    fn api(self, text: bool) -> Api {
        match self.provider {
            Provider::OpenAi(_) if text => Api::Completions,
            Provider::OpenAi(_) => Api::Chat,
            Provider::Responses { .. } => Api::Responses,
            Provider::Anthropic(_) => Api::Messages,
            Provider::LiteLlm(_) if text => Api::LiteLlmText,
            Provider::LiteLlm(_) => Api::LiteLlm,
        }
    }
}

/// The calls that a request may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    /// `client.chat.completions.create`
    Chat,
    /// `client.completions.create`
    Completions,
    /// `client.responses.create`
    Responses,
    /// `client.messages.create`
    Messages,
    /// `litellm.completion`
    LiteLlm,
    /// `litellm.text_completion`
    LiteLlmText,
}

impl Api {
    fn name(self) -> &'static str {
        match self {
            Self::Chat => "OpenAI's Chat Completions",
            Self::Completions => "OpenAI's Completions",
            Self::Responses => "OpenAI's Responses",
            Self::Messages => "Anthropic's Messages",
            Self::LiteLlm | Self::LiteLlmText => "LiteLLM",
        }
    }

    /// Whether it takes a text and nothing else: no tools, no form of the answer.
    fn is_text(self) -> bool {
        matches!(self, Self::Completions | Self::LiteLlmText)
    }

    /// The argument that a setting is; `None` where the call has none.
    fn argument(self, setting: Setting) -> Option<&'static str> {
        use Setting as S;
        Some(match (self, setting) {
            (Self::Messages, S::Stop) => "stop_sequences",
            (Self::Chat, S::MaxTokens) => "max_completion_tokens",
            (Self::Responses, S::MaxTokens) => "max_output_tokens",
            (_, S::MaxTokens) => "max_tokens",
            (Self::Messages, _) | (Self::Responses, S::Stop | S::Seed | S::Presence | S::Frequency) => {
                return None;
            }
            (Self::LiteLlm | Self::LiteLlmText, S::TopK) => "top_k",
            (_, S::TopK) => return None,
            (_, setting) => setting.name(),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    Temperature,
    TopP,
    TopK,
    MaxTokens,
    Stop,
    Seed,
    Presence,
    Frequency,
}

impl Setting {
    /// The key in a prompt's settings.
    fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::MaxTokens => "max_tokens",
            Self::Stop => "stop",
            Self::Seed => "seed",
            Self::Presence => "presence_penalty",
            Self::Frequency => "frequency_penalty",
        }
    }

    /// Whether Anthropic has it, but no argument of its newer packages, and its newer models refuse it.
    fn is_sampling(self) -> bool {
        matches!(self, Self::Temperature | Self::TopP | Self::TopK)
    }
}

/// What is set, in the order of the documentation.
fn set(settings: &Settings) -> Vec<(Setting, Value)> {
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

/// The member under which Anthropic's package passes on what it has no argument for. Both its oldest and its newest
/// releases take it.
const EXTRA_BODY: &str = "extra_body";

/// How many texts may end an answer of OpenAI's.
const OPENAI_STOPS: usize = 4;

/// Gathers the members of one request.
struct Maker<'m, S> {
    api: Api,
    strict: bool,
    given: &'m [String],
    members: Vec<Member<S>>,
    report: &'m mut Report,
}

impl<S: Output> Maker<'_, S> {
    fn is_given(&self, key: &str) -> bool {
        // Chat Completions has an older and a newer name for one thing, and takes only one of them.
        let other = if key == "max_completion_tokens" { "max_tokens" } else { key };
        self.given.iter().any(|given| given == key || given == other)
    }

    fn push(&mut self, key: &'static str, value: Value) {
        if !self.is_given(key) {
            self.members.push(member(key, Form::of_json(value)));
        }
    }

    fn conversation(&mut self, form: Form<S>) {
        match form {
            Form::Map(members) => self.members.extend(members),
            Form::List(_) => self.members.push(member("messages", form)),
            text => {
                let key = if self.api == Api::Responses { "input" } else { "prompt" };
                self.members.push(member(key, text));
            }
        }
    }

    fn tools(&mut self, prompt: &Prompt) -> Result<()> {
        if prompt.tools.is_empty() {
            return Ok(());
        }
        if self.api.is_text() {
            let problem = format!("{} takes no tools", self.api.name());
            return self.lossy(problem, "pass to_messages=True, or write the prompt as a chat");
        }
        let tools = prompt.tools.iter().map(|tool| self.tool(tool)).collect();
        self.push("tools", Value::Array(tools));
        if let Some(choice) = &prompt.tool_choice {
            self.push("tool_choice", self.tool_choice(choice));
        }
        Ok(())
    }

    fn tool(&self, tool: &Tool) -> Value {
        let mut parameters = Map::new();
        // The providers want it said, which a prompt file need not.
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
        // Responses holds the model to the schema where it is not told, and most schemas cannot be held to.
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

    fn settings(
        &mut self,
        settings: &Settings,
        sampling: bool,
        extra: &mut Map<String, Value>,
    ) -> Result<()> {
        for (setting, value) in set(settings) {
            match self.api.argument(setting) {
                Some(key) => {
                    let value = self.lawful(setting, value)?;
                    self.push(key, value);
                }
                None if self.is_given(setting.name()) => {}
                None if sampling && setting.is_sampling() && self.api == Api::Messages => {
                    let value = self.lawful(setting, value)?;
                    put(extra, setting.name(), value);
                }
                None => self.left_out(setting),
            }
        }
        let is_set = self.members.iter().any(|(key, _)| key.as_str() == "max_tokens");
        if self.api == Api::Messages
            && !is_set
            && !self.is_given("max_tokens")
            && !extra.contains_key("max_tokens")
        {
            return Err(Error::new(Kind::Conversion, "Anthropic needs `max_tokens`")
                .with_hint("pass max_tokens=..., or set `max_tokens` in the prompt's settings"));
        }
        Ok(())
    }

    /// The value as the provider takes it.
    fn lawful(&mut self, setting: Setting, value: Value) -> Result<Value> {
        match (setting, value) {
            (Setting::Stop, Value::Array(mut stops))
                if stops.len() > OPENAI_STOPS && matches!(self.api, Api::Chat | Api::Completions) =>
            {
                let problem = format!("OpenAI takes at most {OPENAI_STOPS} texts in `stop`");
                self.lossy(problem, "name fewer")?;
                stops.truncate(OPENAI_STOPS);
                Ok(Value::Array(stops))
            }
            (Setting::Temperature, value)
                if self.api == Api::Messages && value.as_f64().is_some_and(|value| value > 1.0) =>
            {
                self.lossy("Anthropic takes a temperature from 0 to 1".to_owned(), "lower it to 1")?;
                Ok(json!(1.0))
            }
            (_, value) => Ok(value),
        }
    }

    fn left_out(&mut self, setting: Setting) {
        let (name, api) = (setting.name(), self.api.name());
        let remedy = if setting.is_sampling() && self.api == Api::Messages {
            " (pass sampling=True for a model that takes it)"
        } else {
            ""
        };
        self.report.note(format!("`settings.{name}` has no place in {api}; left out{remedy}"));
    }

    /// Refuses in strict mode; otherwise notes that something was left out.
    fn lossy(&mut self, problem: String, hint: &'static str) -> Result<()> {
        if self.strict {
            return Err(Error::new(Kind::Conversion, problem).with_hint(hint));
        }
        self.report.note(format!("{problem}; left out"));
        Ok(())
    }

    fn response(&mut self, response: &ResponseSchema, extra: &mut Map<String, Value>) {
        let strict = response.not_strict.is_none();
        let format = || {
            let mut format = Map::new();
            format.insert("name".to_owned(), json!(spelt(&response.name)));
            format.insert("schema".to_owned(), response.schema.clone());
            format.insert("strict".to_owned(), json!(strict));
            format
        };
        let key = match self.api {
            Api::Chat | Api::LiteLlm => "response_format",
            Api::Responses => "text",
            Api::Messages => "output_config",
            // The prompt's own instructions ask for the form.
            Api::Completions | Api::LiteLlmText => return,
        };
        if self.is_given(key) {
            return;
        }
        if let Some(reason) = &response.not_strict {
            let done = if self.api == Api::Messages { "left out" } else { "asked for without strictness" };
            let problem = format!("the output schema `{}` cannot be held to: {reason}", response.name);
            self.report.note(format!("{problem}; {done}"));
        }
        match self.api {
            Api::Responses => {
                let mut config = Map::from_iter([("type".to_owned(), json!("json_schema"))]);
                config.extend(format());
                self.push(key, json!({"format": config}));
            }
            // Its package has the argument only of late.
            Api::Messages if strict => {
                put(extra, key, json!({"format": {"type": "json_schema", "schema": response.schema}}));
            }
            Api::Messages => {}
            _ => self.push(key, json!({"type": "json_schema", "json_schema": format()})),
        }
    }
}

/// Puts a member into the extra body of a request, unless the prompt's settings have it there.
fn put(extra: &mut Map<String, Value>, key: &str, value: Value) {
    let body = extra.entry(EXTRA_BODY).or_insert_with(|| json!({}));
    if let Value::Object(body) = body {
        body.entry(key).or_insert(value);
    }
}

/// A schema's name as OpenAI takes it: up to 64 letters, digits, `_` and `-`.
fn spelt(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let spelt: String = name.chars().take(64).map(letter).collect();
    if spelt.is_empty() { "answer".to_owned() } else { spelt }
}
