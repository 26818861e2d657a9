//! The settings that providers spell differently: how much the model thinks, how long it answers, and whether it may call
//! several tools at once.

use serde_json::{Map, Value, json};

use super::api::Api;
use super::request::RequestBuilder;
use crate::error::Result;
use crate::prompt::{Effort, Settings};
use crate::template::Output;

/// Anthropic's smallest budget for thinking.
const MIN_BUDGET: u64 = 1024;

impl<S: Output> RequestBuilder<'_, S> {
    /// Adds `effort`, `verbosity` and `thinking_budget`. `in_body`: Anthropic's package has no `output_config`.
    pub(super) fn portable_settings(&mut self, settings: &Settings, in_body: bool) -> Result<()> {
        if let Some(budget) = settings.thinking_budget {
            self.thinking_budget(budget, settings, in_body)?;
        }
        if let Some(effort) = settings.effort {
            self.effort(effort, settings.thinking_budget.is_some(), in_body);
        }
        if let Some(verbosity) = settings.verbosity {
            let verbosity = json!(verbosity.as_str());
            match self.api {
                Api::Chat | Api::LiteLlm => self.push("verbosity", verbosity),
                Api::Responses => self.extra.add_member(("text", "verbosity"), self.given, false, verbosity),
                Api::Messages => self.left_out("verbosity", ""),
            }
        }
        Ok(())
    }

    fn effort(&mut self, effort: Effort, has_budget: bool, in_body: bool) {
        let word = json!(effort.as_str());
        match self.api {
            Api::Chat | Api::LiteLlm => self.push("reasoning_effort", word),
            Api::Responses => self.extra.add_member(("reasoning", "effort"), self.given, false, word),
            Api::Messages if effort >= Effort::Low => {
                self.extra.add_member(("output_config", "effort"), self.given, in_body, word);
            }
            Api::Messages => {
                let thinks =
                    has_budget || self.given.has("thinking") || self.extra.has("thinking", "thinking");
                let done = if thinks {
                    self.extra.add_member(("output_config", "effort"), self.given, in_body, json!("low"));
                    "sent as `low`"
                } else {
                    self.thinking(json!({"type": "disabled"}), in_body);
                    "sent without thinking"
                };
                let word = effort.as_str();
                self.report.note(format!("Anthropic has no effort `{word}`; {done}"));
            }
        }
    }

    fn thinking_budget(&mut self, budget: u64, settings: &Settings, in_body: bool) -> Result<()> {
        if matches!(self.api, Api::Chat | Api::Responses) {
            self.left_out("thinking_budget", " (set `effort`)");
            return Ok(());
        }
        if budget == 0 {
            self.thinking(json!({"type": "disabled"}), in_body);
            return Ok(());
        }
        let mut sent = budget;
        if self.api == Api::Messages {
            if budget < MIN_BUDGET {
                let problem = format!("Anthropic accepts only a `thinking_budget` of at least {MIN_BUDGET}");
                self.refuse_or_note(problem, "raise it, or set 0 for no thinking", "raised")?;
                sent = MIN_BUDGET;
            }
            let is_own = !self.given.has("max_tokens") && !self.extra.overrides("max_tokens");
            if is_own && settings.max_tokens.is_some_and(|limit| limit <= sent) {
                let problem = "Anthropic accepts only a `thinking_budget` below `max_tokens`".to_owned();
                return self.refuse_or_note(problem, "raise `max_tokens`", "left out");
            }
        }
        self.thinking(json!({"type": "enabled", "budget_tokens": sent}), in_body);
        Ok(())
    }

    /// Adds `thinking`, unless the caller or the provider's settings set it.
    fn thinking(&mut self, thinking: Value, in_body: bool) {
        if self.given.has("thinking") || self.extra.has("thinking", "thinking") {
            return;
        }
        if in_body {
            let Value::Object(members) = thinking else { return };
            for (name, value) in members {
                self.extra.add_member(("thinking", &name), self.given, true, value);
            }
        } else {
            self.push("thinking", thinking);
        }
    }

    /// Adds the choice of a tool, and whether the model may call several at once.
    pub(super) fn parallel_tool_calls(
        &mut self,
        parallel: Option<bool>,
        choice: Option<Value>,
        has_tools: bool,
    ) {
        let mut choice = choice;
        match parallel {
            None => {}
            Some(_) if !has_tools => {
                let problem = "`settings.parallel_tool_calls` is for a prompt with tools";
                self.report.note(format!("{problem}; left out"));
            }
            Some(parallel) if self.api == Api::Messages => {
                let choice = choice.get_or_insert_with(|| json!({"type": "auto"}));
                if let Value::Object(members) = choice
                    && members.get("type") != Some(&json!("none"))
                {
                    members
                        .extend(Map::from_iter([("disable_parallel_tool_use".to_owned(), json!(!parallel))]));
                }
            }
            Some(parallel) => self.push("parallel_tool_calls", json!(parallel)),
        }
        if let Some(choice) = choice {
            self.push("tool_choice", choice);
        }
    }
}
