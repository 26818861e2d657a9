//! `provider-refusal`: a provider would refuse what the prompt renders to. Needs `--provider`.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/chat.yaml, checked with --provider anthropic
//! messages:
//!   - {role: system, content: You are kind.}
//! ```
//!
//! Good:
//!
//! ```yaml
//! # prompts/chat.yaml, checked with --provider anthropic
//! messages:
//!   - {role: system, content: You are kind.}
//!   - {role: user, content: "{{question}}"}
//! ```
//!
//! The prompt is converted with stand-ins for its variables. It is refused only if no values of its variables, and no
//! messages in its placeholders, could be accepted. A message that is optional counts as one that is sent.

use super::checked_prompt::{CheckedPrompt, PromptSource};
use super::code::Code;
use super::finding::Finding;
use crate::convert::RefusalReason;
use crate::prompt::TemplateLocation;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let has_text = checked.prompt.template.is_some() || checked.prompt.chat_template.is_some();
    let providers = checked.options.providers.iter().filter(|_| has_text);
    let mut findings: Vec<Finding> = Vec::new();
    for provider in providers {
        for RefusalReason { entry, text } in provider.for_requests().refusals(checked.prompt) {
            let (id, name) = (&checked.prompt.id, provider.name());
            let message = format!("{name} refuses prompt `{id}`: {text}");
            let of_message =
                entry.and_then(|index| checked.place(TemplateLocation::Message { index, text: 0 }, 0));
            let place = of_message.or_else(|| checked.source.map(PromptSource::id));
            let finding = checked.finding(Code::ProviderRefusal, message, place);
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}
