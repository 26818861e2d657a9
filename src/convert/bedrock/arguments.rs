//! The arguments of Bedrock's `converse` beside the conversation: tools and the choice between them, settings, and the
//! format of the answer.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

pub(crate) use super::blocks::CACHE_POINT;
use super::tool_config::{TOOL_CHOICE, TOOL_CONFIG, allows_text};
use crate::convert::api::{INFERENCE_CONFIG, Setting, inference_key};
use crate::convert::cache_hints::MAX_HINTS;
use crate::convert::payload::Payload;
use crate::convert::request::RequestBuilder;
use crate::convert::rules::PASSED_ON;
use crate::error::Result;
use crate::prompt::{Effort, FunctionTool, ToolChoice};
use crate::schema::ResponseSchema;
use crate::template::Output;

/// The argument for settings that only some models have.
pub(in crate::convert) const MODEL_FIELDS: &str = "additionalModelRequestFields";

/// The argument and its member for the maximum number of tokens.
pub(in crate::convert) const MAX_TOKENS: (&str, &str) = (INFERENCE_CONFIG, "maxTokens");

/// What to do about a setting that only some models have.
pub(in crate::convert) const AS_THE_MODEL_HAS_IT: &str = " (if the model has it, write it under `settings.bedrock.additionalModelRequestFields`, as the model spells it)";

/// Whether it is a cache point.
fn is_point<S>(block: &Payload<S>) -> bool {
    matches!(block, Payload::Map(members) if members.iter().any(|(key, _)| key.as_str() == CACHE_POINT))
}

/// The number of cache points among the system blocks, in messages, or among the tools.
fn points<S>(value: &Payload<S>) -> usize {
    match value {
        Payload::List(items) => items.iter().map(|item| usize::from(is_point(item)) + points(item)).sum(),
        Payload::Map(members) => members
            .iter()
            .filter(|(key, _)| matches!(key.as_str(), "content" | "tools"))
            .map(|(_, value)| points(value))
            .sum(),
        _ => 0,
    }
}

/// A function as a tool.
pub(in crate::convert) fn tool_spec(tool: &FunctionTool, parameters: &Value, strict: Option<bool>) -> Value {
    let mut spec = Map::from_iter([("name".to_owned(), json!(tool.name))]);
    // The API refuses an empty one.
    if let Some(description) = tool.description.as_ref().filter(|text| !text.is_empty()) {
        spec.insert("description".to_owned(), json!(description));
    }
    spec.insert("inputSchema".to_owned(), json!({"json": parameters}));
    if let Some(strict) = strict {
        spec.insert("strict".to_owned(), json!(strict));
    }
    json!({"toolSpec": spec})
}

impl<S: Output> RequestBuilder<'_, S> {
    /// Whether the model is one of Anthropic's.
    pub(in crate::convert) fn is_claude(&self) -> bool {
        self.model.contains("anthropic") || self.model.contains("claude")
    }

    /// The member of [`MODEL_FIELDS`] for `top_k`, as the model spells it. `None` for a model that has no such setting, or
    /// whose name does not show what it has.
    fn top_k(&self, value: &Value) -> Option<(&'static str, Value)> {
        let is = |maker: &str| self.model.contains(maker);
        if self.is_claude() || is("mistral.") {
            Some(("top_k", value.clone()))
        } else if is("amazon.nova") {
            Some((INFERENCE_CONFIG, json!({"topK": value})))
        } else {
            is("cohere.").then(|| ("k", value.clone()))
        }
    }

    /// Adds the tools and the choice between them.
    pub(in crate::convert) fn converse_tools(
        &mut self,
        mut tools: Vec<Value>,
        choice: Option<ToolChoice>,
        parallel: Option<bool>,
    ) -> Result<()> {
        if parallel.is_some() {
            self.left_out("parallel_tool_calls", "");
        }
        let called = self.called_tools();
        if self.replaces_tools() {
            self.extra.remove(TOOL_CONFIG);
        }
        let has_others = self.given.has(TOOL_CONFIG)
            || self.given.adds_tools
            || self.extra.argument(TOOL_CONFIG).is_some_and(|config| config.get("tools").is_some());
        if tools.is_empty() && !called.is_empty() && !has_others {
            let problem = "the conversation has calls of tools, and Bedrock needs these tools in the request"
                .to_owned();
            self.refuse_or_note(
                problem,
                "add the tools to the prompt",
                "sent with tools without parameters",
            )?;
            let spec =
                |name| json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}});
            tools = called.iter().map(spec).collect();
        }
        let choice = match choice {
            Some(ToolChoice::None) if called.is_empty() => {
                // Without its tools, the model cannot call one.
                return Ok(());
            }
            Some(ToolChoice::None) => {
                let problem =
                    "Bedrock has no `tool_choice` `none`, and needs the tools of earlier calls".to_owned();
                self.refuse_or_note(
                    problem,
                    "remove `tool_choice`, or the calls of the history",
                    "left out",
                )?;
                None
            }
            Some(ToolChoice::Auto) => Some(json!({"auto": {}})),
            Some(ToolChoice::Required) => Some(json!({"any": {}})),
            Some(ToolChoice::Tool(name)) => Some(json!({"tool": {"name": name}})),
            None => None,
        };
        if !tools.is_empty() {
            self.add_tool_specs(tools)?;
        }
        if let Some(choice) = choice {
            self.extra.add_member((TOOL_CONFIG, TOOL_CHOICE), self.given, false, choice);
        }
        Ok(())
    }

    /// Adds tools before those of the settings. One that has the name of another is left out.
    fn add_tool_specs(&mut self, tools: Vec<Value>) -> Result<()> {
        let more = self.extra.take_tools_of(TOOL_CONFIG)?;
        let tools = self.distinct_tools(tools.into_iter().chain(more).collect())?;
        self.extra.set_tools_of(TOOL_CONFIG, tools);
        Ok(())
    }

    /// The names of the tools that the conversation has calls of.
    fn called_tools(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut known = HashSet::new();
        let position = |payload: &Payload<S>, key: &str| match payload {
            Payload::Map(members) => members.iter().position(|(known, _)| known.as_str() == key),
            _ => None,
        };
        let messages = self.members.iter().find(|(key, _)| key.as_str() == "messages");
        let Some((_, Payload::List(messages))) = messages else { return names };
        for message in messages {
            let Payload::Map(fields) = message else { continue };
            let Some((_, Payload::List(blocks))) = position(message, "content").map(|at| &fields[at]) else {
                continue;
            };
            for block in blocks {
                let Payload::Map(block) = block else { continue };
                let Some((_, Payload::Map(call))) = block.iter().find(|(key, _)| key.as_str() == "toolUse")
                else {
                    continue;
                };
                let is_own = call.iter().all(|(key, _)| key.as_str() != "type");
                let name = call.iter().find(|(key, _)| key.as_str() == "name");
                if let Some(name) = name.and_then(|(_, name)| name.with_str(str::to_owned))
                    && is_own
                    && known.insert(name.clone())
                {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Adds a setting: to [`INFERENCE_CONFIG`], or to [`MODEL_FIELDS`].
    pub(in crate::convert) fn converse_setting(&mut self, setting: Setting, value: Value) -> Result<()> {
        if let Some(key) = inference_key(setting) {
            let value = self.accepted_value(setting, value)?;
            self.extra.add_member((INFERENCE_CONFIG, key), self.given, false, value);
            return Ok(());
        }
        match setting {
            Setting::TopK if self.extra.has_own(setting) => return Ok(()),
            Setting::TopK => match self.top_k(&value) {
                Some((key, value)) => {
                    self.extra.add_member((MODEL_FIELDS, key), self.given, false, value);
                }
                None => self.left_out(setting.name(), AS_THE_MODEL_HAS_IT),
            },
            _ => self.left_out(setting.name(), AS_THE_MODEL_HAS_IT),
        }
        Ok(())
    }

    /// Adds how much the model thinks.
    pub(in crate::convert) fn converse_effort(&mut self, effort: Effort) {
        let sent = effort.max(Effort::Low);
        if sent != effort {
            let word = effort.as_str();
            self.report.note(format!("Bedrock has no effort `{word}`; sent as `low`"));
        }
        self.extra.add_member(("outputConfig", "effort"), self.given, false, json!(sent.as_str()));
    }

    /// Adds the format of the answer, whose schema is a text.
    pub(in crate::convert) fn converse_format(&mut self, response: &ResponseSchema, name: &str) {
        let schema = json!({"name": name, "schema": response.schema.to_string()});
        let format = json!({"type": "json_schema", "structure": {"jsonSchema": schema}});
        self.extra.add_member(("outputConfig", "textFormat"), self.given, false, format);
    }

    /// Adds the schema of the answer as a tool that the model must call.
    pub(in crate::convert) fn schema_tool(&mut self, response: &ResponseSchema, name: &str) -> Result<()> {
        if !response.is_object() {
            let problem = format!(
                "the output schema `{}` is not an object, but the parameters of a tool must be an object",
                response.name
            );
            let hint = "put it into an object under a key, or pass structured_output=False";
            return self.refuse_or_note(problem, hint, "left out");
        }
        let others = self.other_tool_names();
        let name = self.free_tool_name(name, &others)?;
        let choice = if others.is_empty() { json!({"tool": {"name": name}}) } else { json!({"any": {}}) };
        let problem = "the choice of tools does not make the model call the tool of the output schema";
        let hint = "set `tool_choice` to `required`, remove it, or leave out schema_tool=True";
        if allows_text(self.given, &name) {
            self.refuse_or_note(problem.to_owned(), hint, "sent unchanged")?;
        } else if self.lets_answer_in_text(&name) {
            self.refuse_or_note(problem.to_owned(), hint, "replaced")?;
            self.extra.remove_member((TOOL_CONFIG, TOOL_CHOICE));
        }
        let spec = json!({"name": name, "description": "Give the answer.", "inputSchema": {"json": response.schema}});
        self.add_tool_specs(vec![json!({"toolSpec": spec})])?;
        self.extra.add_member((TOOL_CONFIG, TOOL_CHOICE), self.given, false, choice);
        Ok(())
    }

    /// The names of the tools so far, and of those of the caller.
    fn other_tool_names(&self) -> Vec<String> {
        let tools = self.extra.member((TOOL_CONFIG, "tools")).and_then(Value::as_array);
        let name = |tool: &Value| tool.pointer("/toolSpec/name")?.as_str().map(str::to_owned);
        let own = tools.into_iter().flatten().filter_map(name);
        own.chain(self.given.tool_names.iter().cloned()).collect()
    }

    /// A name for the tool of the output schema that no other tool has.
    fn free_tool_name(&mut self, name: &str, taken: &[String]) -> Result<String> {
        if taken.iter().all(|other| other != name) {
            return Ok(name.to_owned());
        }
        let mut free = format!("{name}_answer");
        while taken.contains(&free) {
            free.push('_');
        }
        let problem = format!("the output schema and a tool are both named `{name}`");
        let hint = "rename one of them, because the schema is sent as a tool";
        self.refuse_or_note(problem, hint, &format!("the schema is sent as the tool `{free}`"))?;
        Ok(free)
    }

    /// Whether the choice of tools lets the model answer without a call of this tool.
    fn lets_answer_in_text(&self, name: &str) -> bool {
        let is_given = self.given.has("toolConfig.toolChoice");
        self.extra.member((TOOL_CONFIG, TOOL_CHOICE)).filter(|_| !is_given).is_some_and(|choice| {
            choice.get("any").is_none() && choice.pointer("/tool/name") != Some(&json!(name))
        })
    }

    /// Removes cache points of the tools beyond the maximum of a request.
    pub(in crate::convert) fn check_cache_points(&mut self) -> Result<()> {
        let sent = self.members.iter().map(|(_, value)| points(value)).sum::<usize>();
        let extra = (sent + self.given.tool_hints.len()).saturating_sub(MAX_HINTS);
        let mut left = extra;
        let config = self.members.iter_mut().find(|(key, _)| key.as_str() == TOOL_CONFIG);
        if let Some((_, Payload::Map(config))) = config
            && let Some((_, Payload::List(tools))) =
                config.iter_mut().find(|(key, _)| key.as_str() == "tools")
        {
            for at in (0..tools.len()).rev() {
                if left > 0 && is_point(&tools[at]) {
                    tools.remove(at);
                    left -= 1;
                }
            }
        }
        if extra > 0 {
            let problem = format!(
                "Bedrock accepts at most {MAX_HINTS} cache points in a request, with those of the tools"
            );
            self.refuse_or_note(
                problem,
                "remove a cache point of the tools or of the messages",
                if left == 0 { "the others are left out" } else { PASSED_ON },
            )?;
        }
        Ok(())
    }
}
