//! The tools of a request, the choice between them, and whether the model may call several at once.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::api::Api;
use super::bedrock::arguments::{self as bedrock, CACHE_POINT};
use super::bedrock::tool_config::{TOOL_CONFIG, TOOLS_PATH};
use super::cache_hints::MAX_HINTS;
use super::cache_order::count;
use super::openai::WrittenHints;
use super::request::RequestBuilder;
use super::rules::{BREAKPOINT, CACHE_CONTROL, LEFT_OUT};
use crate::error::{Error, Kind, Result};
use crate::prompt::{CacheHint, FunctionTool, Prompt, ProviderTool, Tool, ToolChoice};
use crate::schema::strict_parameters;
use crate::template::Output;

/// The name of a function, in the format of any API.
fn tool_name(tool: &Value) -> Option<&str> {
    let inner = ["function", "toolSpec"].iter().find_map(|key| tool.get(key)?.get("name"));
    tool.get("name").or(inner)?.as_str()
}

impl<S: Output> RequestBuilder<'_, S> {
    /// Adds the tools of the prompt and of its settings. Those of the caller are appended later.
    pub(super) fn tools(&mut self, prompt: &Prompt, parallel: Option<bool>) -> Result<()> {
        let is_replaced = self.replaces_tools();
        let mut own = Vec::with_capacity(prompt.tools.len());
        if !is_replaced {
            for tool in &prompt.tools {
                own.extend(self.tool(tool)?.map(|sent| (tool.name(), sent)));
                own.extend(self.cache_point(tool)?.map(|sent| (tool.name(), sent)));
            }
        }
        let of_prompt = !own.is_empty();
        let of_settings = self.extra.has_tools(self.api) && !is_replaced;
        let has_tools = of_prompt || of_settings || self.given.adds_tools;
        let mut choice = prompt.tool_choice.clone().filter(|_| has_tools);
        if let Some(ToolChoice::Tool(name)) = &choice
            && own.iter().all(|(sent, _)| sent != name)
        {
            let problem = format!("`tool_choice` names `{name}`, which is a tool of another provider");
            self.report.note(format!("{problem}; left out"));
            choice = None;
        }
        if self.api == Api::Converse {
            return self.converse_tools(own.into_iter().map(|(_, sent)| sent).collect(), choice, parallel);
        }
        if of_prompt {
            let mut tools: Vec<Value> = own.into_iter().map(|(_, sent)| sent).collect();
            tools.extend(self.extra.take_tools()?);
            tools = if self.api == Api::Gemini {
                self.joined_declarations(tools)?
            } else {
                self.distinct_tools(tools)?
            };
            self.push("tools", Value::Array(tools));
        }
        if self.api == Api::Gemini {
            self.gemini_choice(prompt, choice, parallel.filter(|_| has_tools));
            return Ok(());
        }
        let choice = choice.map(|choice| self.tool_choice(&choice));
        match parallel {
            Some(parallel) if has_tools => self.parallel_tool_calls(parallel, choice),
            Some(_) if !is_replaced => {
                let problem = "`settings.parallel_tool_calls` is for a prompt with tools";
                self.report.note(format!("{problem}; left out"));
            }
            _ => self.push_choice(choice),
        }
        Ok(())
    }

    /// Whether the caller removes the tools of the prompt.
    pub(super) fn replaces_tools(&self) -> bool {
        match self.api {
            Api::Converse => self.given.has(TOOL_CONFIG) || self.given.has(TOOLS_PATH),
            _ => self.given.has("tools"),
        }
    }

    /// Removes tools with the name of a later one, so that a tool of the provider's settings replaces the prompt's.
    pub(super) fn distinct_tools(&mut self, tools: Vec<Value>) -> Result<Vec<Value>> {
        let mut last = HashMap::new();
        let named = |tool: &Value| tool_name(tool).map(str::to_owned);
        for (at, tool) in tools.iter().enumerate() {
            last.extend(named(tool).map(|name| (name, at)));
        }
        let mut distinct = Vec::with_capacity(tools.len());
        for (at, tool) in tools.into_iter().enumerate() {
            match named(&tool).filter(|name| last.get(name) != Some(&at)) {
                None => distinct.push(tool),
                Some(name) => {
                    let problem = format!("two tools have the name `{name}`");
                    self.refuse_or_note(
                        problem,
                        "rename or remove one of them",
                        "the first one is left out",
                    )?;
                }
            }
        }
        Ok(distinct)
    }

    /// The tool in the format of the API. `None` if it is not for this API.
    fn tool(&mut self, tool: &Tool) -> Result<Option<Value>> {
        match tool {
            Tool::Function(function) => self.function(function).map(Some),
            Tool::Provider(tool) if tool.provider != self.api.settings_key() => Ok(None),
            Tool::Provider(tool) => self.provider_tool(tool),
        }
    }

    /// A tool of the provider, unchanged.
    fn provider_tool(&mut self, tool: &ProviderTool) -> Result<Option<Value>> {
        const OF_CHAT: [&str; 2] = ["function", "custom"];
        let kind = tool.definition.get("type").and_then(Value::as_str).unwrap_or_default();
        if self.api == Api::Chat && !self.is_other_server && !OF_CHAT.contains(&kind) {
            let problem = format!("{} accepts no tool of type `{kind}`", self.api.name());
            self.refuse_or_note(problem, "use the Responses API: api=\"responses\"", "left out")?;
            return Ok(None);
        }
        let mut sent = tool.definition.clone();
        if let Some(cache) = sent.shift_remove("cache") {
            let hint = self.hint_of(tool, &cache)?;
            if let Some(hint) = hint {
                sent.extend(self.tool_hint(tool.name(), &hint)?);
            }
        }
        if matches!(self.api, Api::Chat | Api::Responses) && sent.shift_remove(BREAKPOINT).is_some() {
            let problem =
                format!("tool `{}` has `{BREAKPOINT}`, which OpenAI accepts only in messages", tool.name());
            self.refuse_or_note(problem, TOOL_HINT, LEFT_OUT)?;
        }
        Ok(Some(Value::Object(sent)))
    }

    fn function(&mut self, tool: &FunctionTool) -> Result<Value> {
        let mut parameters = Map::new();
        // The providers require `type`, which a prompt file can leave out.
        parameters.insert("type".to_owned(), json!("object"));
        parameters.extend(tool.parameters.clone());
        let (parameters, strict) = self.enforced(tool, Value::Object(parameters))?;
        match self.api {
            Api::Gemini => return self.declaration(tool, &parameters),
            Api::Converse => return Ok(bedrock::tool_spec(tool, &parameters, strict)),
            _ => {}
        }
        let mut members = Map::new();
        if self.api == Api::Responses {
            members.insert("type".to_owned(), json!("function"));
        }
        members.insert("name".to_owned(), json!(tool.name));
        if let Some(description) = &tool.description {
            members.insert("description".to_owned(), json!(description));
        }
        let schema = if self.api == Api::Messages { "input_schema" } else { "parameters" };
        members.insert(schema.to_owned(), parameters);
        let cache = match &tool.cache {
            Some(hint) => self.tool_hint(&tool.name, hint)?,
            None => None,
        };
        // Without `strict` the Responses API enforces the schema, and most schemas do not meet its rules for that.
        let strict = strict.or((self.api == Api::Responses).then_some(false));
        if let Some(strict) = strict {
            members.insert("strict".to_owned(), json!(strict));
        }
        if matches!(self.api, Api::Responses | Api::Messages) {
            members.extend(cache);
            return Ok(Value::Object(members));
        }
        let function = ("function".to_owned(), Value::Object(members));
        let kind = ("type".to_owned(), json!("function"));
        Ok(Value::Object([kind, function].into_iter().chain(cache).collect()))
    }

    /// The cache hint of a provider's tool, as prompts have it.
    fn hint_of(&mut self, tool: &ProviderTool, cache: &Value) -> Result<Option<CacheHint>> {
        let hint = CacheHint::from_json(cache);
        if hint.is_none() && !matches!(cache, Value::Null | Value::Bool(false)) {
            let problem = format!("tool `{}` has a `cache` that is no cache hint", tool.name());
            self.refuse_or_note(problem, "write `cache: true` or `cache: {ttl: 1h}`", LEFT_OUT)?;
        }
        Ok(hint)
    }

    /// The `cache_control` of a tool. One that the API does not accept is left out.
    fn tool_hint(&mut self, tool: &str, hint: &CacheHint) -> Result<Option<(String, Value)>> {
        if self.hints.is_breakpoint(hint) && matches!(self.api, Api::Chat | Api::Responses) {
            let problem = format!("tool `{tool}` has a cache hint, which OpenAI accepts only in messages");
            self.refuse_or_note(problem, TOOL_HINT, LEFT_OUT)?;
        }
        let is_replaced = self.given.tool_names.iter().any(|name| name == tool);
        let is_sent = hint.portable.is_some()
            && !is_replaced
            && match self.api {
                Api::Messages => self.takes_hint("Anthropic", CACHE_CONTROL)?,
                Api::LiteLlm => self.hints == WrittenHints::CacheControl,
                _ => false,
            };
        let written = || (CACHE_CONTROL.to_owned(), with_ttl("ephemeral", hint));
        Ok(is_sent.then(written))
    }

    /// The cache point after a function, which is an element of its own at Bedrock.
    fn cache_point(&mut self, tool: &Tool) -> Result<Option<Value>> {
        let of_provider = match tool {
            Tool::Provider(tool) if tool.provider == self.api.settings_key() => tool.definition.get("cache"),
            _ => None,
        };
        let hint = match (tool, of_provider) {
            (Tool::Function(function), _) => function.cache.clone(),
            (_, cache) => cache.and_then(CacheHint::from_json),
        };
        let Some(hint) = &hint else { return Ok(None) };
        if self.api != Api::Converse || hint.portable.is_none() || !self.takes_hint("Bedrock", CACHE_POINT)? {
            return Ok(None);
        }
        Ok(Some(json!({ CACHE_POINT: with_ttl("default", hint) })))
    }

    /// Counts a cache hint beside those of the conversation. Returns whether the API accepts it.
    fn takes_hint(&mut self, provider: &str, key: &str) -> Result<bool> {
        let sent: usize = self.members.iter().map(|(_, value)| count(value, key)).sum();
        if sent + self.tool_hints < MAX_HINTS {
            self.tool_hints += 1;
            return Ok(true);
        }
        let problem = format!("{provider} accepts at most four cache hints in a request");
        self.refuse_or_note(problem, TOOL_HINT, "the hint of the tool is left out")?;
        Ok(false)
    }

    /// The parameters as they are sent, and `strict`. Parameters that the provider cannot enforce as they are written
    /// are an error in strict mode. Otherwise they are sent unchanged, and are not enforced.
    pub(super) fn enforced(
        &mut self,
        tool: &FunctionTool,
        parameters: Value,
    ) -> Result<(Value, Option<bool>)> {
        if tool.strict != Some(true) {
            return Ok((parameters, tool.strict));
        }
        let reason = match strict_parameters(&parameters, self.api.schema_mode()) {
            Ok(enforced) => return Ok((enforced, Some(true))),
            Err(reason) => reason,
        };
        let problem = format!("tool `{}` cannot be strict: {}", tool.name, reason.message());
        if self.strict {
            let remedy = reason.hint().unwrap_or("change the parameters");
            let hint = format!("{remedy}, or leave `strict` out of the tool");
            return Err(Error::new(Kind::Conversion, problem).with_hint(hint));
        }
        self.report.note(format!("{problem}; sent without strict mode"));
        Ok((parameters, Some(false)))
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

    fn push_choice(&mut self, choice: Option<Value>) {
        if let Some(choice) = choice {
            self.push("tool_choice", choice);
        }
    }

    /// Adds the choice of a tool, and whether the model may call several at once, which is a part of the choice for
    /// Anthropic.
    fn parallel_tool_calls(&mut self, parallel: bool, choice: Option<Value>) {
        if self.api != Api::Messages {
            self.push("parallel_tool_calls", json!(parallel));
            self.push_choice(choice);
            return;
        }
        let disable = ("disable_parallel_tool_use", json!(!parallel));
        if self.given.has("tool_choice") {
            let problem = "the argument `tool_choice` replaces `settings.parallel_tool_calls`";
            self.report.note(format!("{problem}; set `disable_parallel_tool_use` in it"));
        } else if self.extra.has("tool_choice", "tool_choice") {
            self.push_choice(choice);
            if self.extra.member(("tool_choice", "type")) != Some(&json!("none")) {
                self.extra.add_member(("tool_choice", disable.0), self.given, false, disable.1);
            }
        } else {
            let mut choice = choice.unwrap_or_else(|| json!({"type": "auto"}));
            if let Value::Object(members) = &mut choice
                && members.get("type") != Some(&json!("none"))
            {
                members.insert(disable.0.to_owned(), disable.1);
            }
            self.push("tool_choice", choice);
        }
    }
}

const TOOL_HINT: &str =
    "give a system message the hint instead: providers read the tools first, so it covers them too";

fn with_ttl(kind: &str, hint: &CacheHint) -> Value {
    match hint.ttl() {
        Some(ttl) => json!({ "type": kind, "ttl": ttl }),
        None => json!({ "type": kind }),
    }
}
