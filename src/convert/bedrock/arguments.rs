//! The arguments of Bedrock's `converse` beside the conversation: tools and the choice between them, settings, and the
//! format of the answer.

use serde_json::{Map, Value, json};

use crate::convert::api::Setting;
use crate::convert::payload::Payload;
use crate::convert::request::RequestBuilder;
use crate::error::Result;
use crate::prompt::{Effort, FunctionTool, ToolChoice};
use crate::schema::ResponseSchema;
use crate::template::Output;

/// The argument for what only the model understands.
const MODEL_FIELDS: &str = "additionalModelRequestFields";

const TOOL_CONFIG: &str = "toolConfig";

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
        let has_others = self.given.has_member_of(TOOL_CONFIG)
            || self.given.has(TOOL_CONFIG)
            || self.given.adds_tools
            || self.extra.has(TOOL_CONFIG, TOOL_CONFIG);
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
            self.extra.add_tools(TOOL_CONFIG, tools);
        }
        if let Some(choice) = choice {
            self.extra.add_member((TOOL_CONFIG, "toolChoice"), self.given, false, choice);
        }
        Ok(())
    }

    /// The names of the tools that the conversation has calls of.
    fn called_tools(&self) -> Vec<String> {
        let mut names = Vec::new();
        let members = |payload: &'_ Payload<S>, key: &str| match payload {
            Payload::Map(members) => members.iter().position(|(known, _)| known.as_str() == key),
            _ => None,
        };
        let messages = self.members.iter().find(|(key, _)| key.as_str() == "messages");
        let Some((_, Payload::List(messages))) = messages else { return names };
        for message in messages {
            let Payload::Map(fields) = message else { continue };
            let Some((_, Payload::List(blocks))) = members(message, "content").map(|at| &fields[at]) else {
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
                    && !names.contains(&name)
                {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Adds a setting: to `inferenceConfig`, or to what only the model understands.
    pub(in crate::convert) fn converse_setting(&mut self, setting: Setting, value: Value) -> Result<()> {
        let key = match setting {
            Setting::MaxTokens => "maxTokens",
            Setting::Temperature => "temperature",
            Setting::TopP => "topP",
            Setting::Stop => "stopSequences",
            Setting::TopK => {
                self.extra.add_member((MODEL_FIELDS, "top_k"), self.given, false, value);
                return Ok(());
            }
            Setting::Seed | Setting::Presence | Setting::Frequency => {
                self.left_out(setting.name(), " (set `settings.bedrock`, as the model has it)");
                return Ok(());
            }
        };
        let value = self.accepted_value(setting, value)?;
        self.extra.add_member(("inferenceConfig", key), self.given, false, value);
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
            let problem =
                format!("the output schema `{}` is not an object, and a tool takes no other", response.name);
            let hint = "put it into an object under a key, or pass structured_output=False";
            return self.refuse_or_note(problem, hint, "left out");
        }
        let spec = json!({"name": name, "description": "Give the answer.", "inputSchema": {"json": response.schema}});
        self.extra.add_tools(TOOL_CONFIG, vec![json!({"toolSpec": spec})]);
        self.extra.add_member(
            (TOOL_CONFIG, "toolChoice"),
            self.given,
            false,
            json!({"tool": {"name": name}}),
        );
        Ok(())
    }
}
