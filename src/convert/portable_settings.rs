//! The settings that providers spell differently: how much the model thinks, and how long it answers.

use serde_json::{Value, json};

use super::api::Api;
use super::bedrock::arguments as bedrock;
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
                Api::Messages | Api::Gemini | Api::Converse => self.left_out("verbosity", ""),
            }
        }
        Ok(())
    }

    fn effort(&mut self, effort: Effort, has_budget: bool, in_body: bool) {
        let word = json!(effort.as_str());
        match self.api {
            Api::Gemini => self.gemini_effort(effort, has_budget),
            Api::Converse => self.converse_effort(effort),
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
        match self.api {
            Api::Chat | Api::Responses => {
                self.left_out("thinking_budget", " (set `effort`)");
                return Ok(());
            }
            Api::Gemini => {
                return self.gemini_thinking_budget(budget);
            }
            Api::Converse if !self.is_claude() => {
                self.left_out("thinking_budget", bedrock::AS_THE_MODEL_HAS_IT);
                return Ok(());
            }
            Api::LiteLlm | Api::Messages | Api::Converse => {}
        }
        if budget == 0 {
            self.thinking(json!({"type": "disabled"}), in_body);
            return Ok(());
        }
        let sent =
            if self.api == Api::LiteLlm { Some(budget) } else { self.claude_budget(budget, settings)? };
        if let Some(sent) = sent {
            self.thinking(json!({"type": "enabled", "budget_tokens": sent}), in_body);
        }
        Ok(())
    }

    /// The budget as Claude accepts it. `None` if it is left out.
    fn claude_budget(&mut self, budget: u64, settings: &Settings) -> Result<Option<u64>> {
        let (claude, limit_name) = match self.api {
            Api::Converse => ("Claude", "inferenceConfig.maxTokens"),
            _ => ("Anthropic", "max_tokens"),
        };
        let sent = budget.max(MIN_BUDGET);
        if sent != budget {
            let problem = format!("{claude} accepts only a `thinking_budget` of at least {MIN_BUDGET}");
            let done = format!("sent as {MIN_BUDGET}");
            self.refuse_or_note(problem, "raise it, or set 0 for no thinking", &done)?;
        }
        // The values of the caller are not known here.
        let limit = match self.api {
            _ if self.given.has(limit_name) || self.given.has(bedrock::MAX_TOKENS.0) => None,
            Api::Converse => self.extra.member(bedrock::MAX_TOKENS).and_then(Value::as_u64),
            _ => settings.max_tokens.filter(|_| !self.extra.overrides("max_tokens")),
        };
        if let Some(limit) = limit.filter(|limit| *limit <= sent) {
            let problem =
                format!("{claude} accepts only a `thinking_budget` below `{limit_name}`, which is {limit}");
            self.refuse_or_note(problem, "raise `max_tokens`, or lower `thinking_budget`", "left out")?;
            return Ok(None);
        }
        Ok(Some(sent))
    }

    /// Adds `thinking`, unless the caller or the provider's settings set it.
    fn thinking(&mut self, thinking: Value, in_body: bool) {
        if self.api == Api::Converse {
            let fields = (bedrock::MODEL_FIELDS, "thinking");
            return self.extra.add_member(fields, self.given, false, thinking);
        }
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
}
