//! Checks that no request makes Claude call a tool while it thinks, which its API refuses. LiteLLM sends both on.

use serde_json::Value;

use super::api::Api;
use super::bedrock::arguments::MODEL_FIELDS;
use super::bedrock::tool_config::{TOOL_CHOICE, TOOL_CONFIG};
use super::payload::Payload;
use super::request::RequestBuilder;
use crate::error::Result;
use crate::template::Output;

const THINKING: &str = "thinking";

const CHOICE: &str = "tool_choice";

/// LiteLLM's argument that makes Claude think.
const EFFORT: &str = "reasoning_effort";

/// Whether a model with this `thinking.type` thinks.
fn is_thinking(word: &str) -> bool {
    matches!(word, "enabled" | "adaptive")
}

/// Whether a `tool_choice`, or the type of one, makes the model call a tool.
fn is_forced(word: &str) -> bool {
    matches!(word, "any" | "tool" | "required" | "function")
}

/// Whether a `reasoning_effort` makes the model think.
fn is_effort(word: &str) -> bool {
    !matches!(word, "" | "none" | "disable")
}

impl<S: Output> RequestBuilder<'_, S> {
    /// Leaves out thinking beside a choice that makes the model call a tool, or the choice if the caller asks for the
    /// thinking.
    ///
    /// # Errors
    /// [`crate::error::Kind::Conversion`] in strict mode.
    pub(super) fn check_forced_choice(&mut self) -> Result<()> {
        let (forces, thinks) = match self.api {
            Api::Messages => (self.forces_call(), self.thinks()),
            Api::LiteLlm if self.is_claude() => {
                (self.forces_call(), self.thinks().or_else(|| self.has_effort()))
            }
            Api::Converse => (self.forces_converse_call(), self.converse_thinks()),
            _ => return Ok(()),
        };
        let of_caller = |source| matches!(source, Some(Source::Caller));
        if forces.is_none() || thinks.is_none() || (of_caller(forces) && of_caller(thinks)) {
            return Ok(());
        }
        let problem = "Claude accepts no `tool_choice` that makes it call a tool while it thinks".to_owned();
        let hint = if self.sends_schema_as_tool {
            "remove `thinking_budget`, or leave out schema_tool=True"
        } else if self.api == Api::LiteLlm {
            "remove `thinking_budget` and `effort`, or set `tool_choice` to `auto`"
        } else {
            "remove `thinking_budget`, or set `tool_choice` to `auto`"
        };
        if of_caller(thinks) {
            self.refuse_or_note(problem, hint, "the choice is left out")?;
            self.extra.remove_member((TOOL_CONFIG, TOOL_CHOICE));
            self.drop_argument(CHOICE);
        } else {
            self.refuse_or_note(problem, hint, "sent without thinking")?;
            self.extra.remove_member((MODEL_FIELDS, THINKING));
            self.drop_argument(THINKING);
            if self.api == Api::LiteLlm {
                self.drop_argument(EFFORT);
            }
        }
        Ok(())
    }

    fn drop_argument(&mut self, key: &str) {
        self.members.retain(|(known, _)| known.as_str() != key);
        self.extra.remove(key);
    }

    fn forces_call(&self) -> Option<Source> {
        if self.given.has(CHOICE) {
            let words = ["tool_choice.type", CHOICE].map(|path| self.given.word(path));
            return words.into_iter().flatten().any(is_forced).then_some(Source::Caller);
        }
        self.type_of(CHOICE).filter(|word| is_forced(word)).map(|_| Source::Prompt)
    }

    fn thinks(&self) -> Option<Source> {
        let paths = ["extra_body.thinking", THINKING];
        if let Some(path) = paths.into_iter().find(|path| self.given.has(path)) {
            let word = self.given.word(&format!("{path}.type"));
            return word.filter(|word| is_thinking(word)).map(|_| Source::Caller);
        }
        self.type_of(THINKING).filter(|word| is_thinking(word)).map(|_| Source::Prompt)
    }

    /// Whether LiteLLM is given an effort.
    fn has_effort(&self) -> Option<Source> {
        if self.given.has(EFFORT) {
            return self.given.word(EFFORT).filter(|word| is_effort(word)).map(|_| Source::Caller);
        }
        self.type_of(EFFORT).filter(|word| is_effort(word)).map(|_| Source::Prompt)
    }

    /// An argument of the request so far that is a word, or else its `type`.
    fn type_of(&self, key: &str) -> Option<String> {
        let word = |value: &Value| value.as_str().map(str::to_owned);
        match self.members.iter().find(|(known, _)| known.as_str() == key) {
            None => self.extra.anywhere(key).and_then(|value| word(value.get("type").unwrap_or(value))),
            Some((_, Payload::Map(members))) => {
                members.iter().find(|(known, _)| known.as_str() == "type")?.1.with_str(str::to_owned)
            }
            Some((_, value)) => value.with_str(str::to_owned),
        }
    }

    fn forces_converse_call(&self) -> Option<Source> {
        if self.given.has("toolConfig.toolChoice") {
            let words = ["toolConfig.toolChoice.any", "toolConfig.toolChoice.tool.name"];
            return words.into_iter().find_map(|path| self.given.word(path)).map(|_| Source::Caller);
        }
        let choice = self.extra.member((TOOL_CONFIG, TOOL_CHOICE))?;
        ["any", "tool"].iter().any(|key| choice.get(key).is_some()).then_some(Source::Prompt)
    }

    fn converse_thinks(&self) -> Option<Source> {
        let path = "additionalModelRequestFields.thinking";
        if self.given.has(path) {
            let word = self.given.word("additionalModelRequestFields.thinking.type");
            return word.filter(|word| is_thinking(word)).map(|_| Source::Caller);
        }
        let word = self.extra.member((MODEL_FIELDS, THINKING))?.get("type")?.as_str()?;
        is_thinking(word).then_some(Source::Prompt)
    }
}

/// Who sets a part of a request.
#[derive(Debug, Clone, Copy)]
enum Source {
    Caller,
    Prompt,
}
