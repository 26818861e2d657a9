//! The members of Gemini's `config`: tools, the choice between them, and how much the model thinks.

use serde_json::{Map, Value, json};

use super::declarations::{DECLARATIONS, begins_as_name, spell_tool};
use crate::convert::api::Api;
use crate::convert::given_arguments::CONFIG;
use crate::convert::payload::{Member, Payload, member};
use crate::convert::request::RequestBuilder;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Effort, FunctionTool, Prompt, Tool, ToolChoice};
use crate::schema::strict_parameters;
use crate::template::Output;

/// Whether the model is one whose thinking has a budget and no level.
fn has_budget(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or_default();
    name.starts_with("gemini-2.") || name.starts_with("gemini-1.")
}

/// The smallest budget of a model that cannot switch its thinking off.
const MIN_BUDGET: u64 = 128;

/// Whether the model cannot switch its thinking off.
fn always_thinks(model: &str) -> bool {
    model.rsplit('/').next().unwrap_or_default().starts_with("gemini-2.5-pro")
}

impl<S: Output> RequestBuilder<'_, S> {
    /// Moves the functions of all tools into one tool, which comes first.
    pub(in crate::convert) fn joined_declarations(&mut self, tools: Vec<Value>) -> Result<Vec<Value>> {
        let (mut functions, mut others) = (Vec::new(), Vec::with_capacity(tools.len()));
        for mut tool in tools {
            spell_tool(&mut tool);
            let Value::Object(mut members) = tool else {
                others.push(tool);
                continue;
            };
            match members.get_mut(DECLARATIONS) {
                Some(Value::Array(declared)) => {
                    functions.append(declared);
                    members.shift_remove(DECLARATIONS);
                    others.extend((!members.is_empty()).then_some(Value::Object(members)));
                }
                _ => others.push(Value::Object(members)),
            }
        }
        let functions = self.distinct_tools(functions)?;
        if !functions.is_empty() {
            others.insert(0, json!({DECLARATIONS: functions}));
        }
        Ok(others)
    }

    /// A function as a tool. Its parameters are written in the subset that the API accepts.
    pub(in crate::convert) fn declaration(
        &mut self,
        tool: &FunctionTool,
        parameters: &Value,
    ) -> Result<Value> {
        if !begins_as_name(&tool.name) {
            let problem = format!("Gemini accepts no tool named `{}`", tool.name);
            let hint = "begin the name with a letter or an underscore";
            self.refuse_or_note(problem, hint, "sent unchanged")?;
        }
        let parameters = match strict_parameters(parameters, Api::Gemini.schema_mode()) {
            Ok(accepted) => accepted,
            Err(reason) => {
                let problem = format!("tool `{}`: {}", tool.name, reason.message());
                if self.strict {
                    let hint = reason.hint().unwrap_or("change the parameters").to_owned();
                    return Err(Error::new(Kind::Conversion, problem).with_hint(hint));
                }
                self.report.note(format!("{problem}; sent unchanged"));
                parameters.clone()
            }
        };
        let mut declaration = Map::from_iter([("name".to_owned(), json!(tool.name))]);
        if let Some(description) = &tool.description {
            declaration.insert("description".to_owned(), json!(description));
        }
        declaration.insert("parameters_json_schema".to_owned(), parameters);
        Ok(json!({DECLARATIONS: [declaration]}))
    }

    /// Adds the choice of a tool. A tool with `strict` makes the model keep to the parameters of all of them.
    pub(in crate::convert) fn gemini_choice(
        &mut self,
        prompt: &Prompt,
        choice: Option<ToolChoice>,
        parallel: Option<bool>,
    ) {
        if parallel.is_some() {
            self.left_out("parallel_tool_calls", "");
        }
        let sends_tools = !self.replaces_tools();
        let is_strict = sends_tools
            && prompt
                .tools
                .iter()
                .any(|tool| matches!(tool, Tool::Function(function) if function.strict == Some(true)));
        let mut config = Map::new();
        let (mode, name) = match choice {
            Some(ToolChoice::None) => ("NONE", None),
            Some(ToolChoice::Required) => ("ANY", None),
            Some(ToolChoice::Tool(name)) => ("ANY", Some(name)),
            Some(ToolChoice::Auto) | None if is_strict => ("VALIDATED", None),
            Some(ToolChoice::Auto) => ("AUTO", None),
            None => return,
        };
        config.insert("mode".to_owned(), json!(mode));
        if let Some(name) = name {
            config.insert("allowed_function_names".to_owned(), json!([name]));
        }
        let path = ("tool_config", "function_calling_config");
        self.extra.add_member(path, self.given, false, Value::Object(config));
    }

    /// Adds the level of thinking, or the budget of an older model.
    pub(in crate::convert) fn gemini_effort(&mut self, effort: Effort, is_set: bool) {
        if is_set {
            self.report.note(
                "Gemini accepts only one of `effort` and `thinking_budget`; `effort` left out".to_owned(),
            );
            return;
        }
        if has_budget(self.model) {
            let budget = match effort {
                Effort::None if always_thinks(self.model) => {
                    let problem = "the model cannot switch its thinking off";
                    self.report.note(format!("{problem}; effort `none` sent as `low`"));
                    1024
                }
                Effort::None => 0,
                Effort::Minimal | Effort::Low => 1024,
                Effort::Medium => 8192,
                Effort::High | Effort::XHigh | Effort::Max => 24576,
            };
            self.gemini_budget(budget);
            return;
        }
        let level = match effort {
            Effort::None | Effort::Minimal => "MINIMAL",
            Effort::Low => "LOW",
            Effort::Medium => "MEDIUM",
            Effort::High => "HIGH",
            Effort::XHigh | Effort::Max => "XHIGH",
        };
        if matches!(effort, Effort::None | Effort::Max) {
            let word = effort.as_str();
            self.report
                .note(format!("Gemini has no effort `{word}`; sent as `{}`", level.to_ascii_lowercase()));
        }
        self.extra.add_member(("thinking_config", "thinking_level"), self.given, false, json!(level));
    }

    /// Adds the budget of the settings. A model that always thinks has a smallest one.
    pub(in crate::convert) fn gemini_thinking_budget(&mut self, budget: u64) -> Result<()> {
        let is_small = always_thinks(self.model) && budget < MIN_BUDGET;
        if is_small && !self.given.has("thinking_config.thinking_budget") {
            let problem = format!("the model accepts only a `thinking_budget` of at least {MIN_BUDGET}");
            let done = format!("sent as {MIN_BUDGET}");
            self.refuse_or_note(
                problem,
                "raise it, or use a model whose thinking can be switched off",
                &done,
            )?;
        }
        self.gemini_budget(if is_small { MIN_BUDGET } else { budget });
        Ok(())
    }

    /// Adds the budget for thinking.
    pub(in crate::convert) fn gemini_budget(&mut self, budget: u64) {
        self.extra.add_member(("thinking_config", "thinking_budget"), self.given, false, json!(budget));
    }

    /// Moves everything but the model and the contents into `config`.
    pub(in crate::convert) fn nest_config(&mut self) {
        let mut config: Vec<Member<S>> = Vec::with_capacity(self.members.len());
        let mut outside = Vec::with_capacity(3);
        for (key, value) in std::mem::take(&mut self.members) {
            match (key.as_str(), value) {
                ("model" | "contents", value) => outside.push((key, value)),
                (CONFIG, Payload::Map(members)) => config.extend(members),
                (_, value) => config.push((key, value)),
            }
        }
        if !config.is_empty() {
            outside.push(member(CONFIG, Payload::Map(config)));
        }
        self.members = outside;
    }
}
