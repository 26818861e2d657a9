//! `secret`: a text looks like a key or token.
//!
//! Whoever reads the repository can use it, and every model that gets the prompt.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/search.yaml
//! template: "Search for {{query}}"
//! settings: {extra: {extra_headers: {Authorization: "Bearer AKIAQ3EGRWX7ZLPD5M2T"}}}
//! ```
//!
//! Good:
//!
//! ```yaml
//! # prompts/search.yaml
//! template: "Search for {{query}}"
//! ```
//!
//! Found are the formats of well-known services, private keys, and signed web tokens, anywhere in a prompt file or a
//! partial. Examples such as `sk-your-key` and `AKIAIOSFODNN7EXAMPLE` are not reported. The finding does not show the text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use crate::error::{LineStarts, Place};

/// The formats of keys and tokens. The name of each group is that of its owner.
#[allow(clippy::expect_used, reason = "the pattern is constant, and a test compiles it")]
static KEYS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<Anthropic>sk-ant-[A-Za-z0-9_-]{32,})",
        r"|(?P<OpenAI>sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{32,}|sk-[A-Za-z0-9]{32,})",
        r"|(?P<AWS>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)",
        r"|(?P<GitHub>\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{40,})",
        r"|(?P<GitLab>\bglpat-[A-Za-z0-9_-]{20,})",
        r"|(?P<Google>\bAIza[A-Za-z0-9_-]{35})",
        r"|(?P<HuggingFace>\bhf_[A-Za-z0-9]{30,})",
        r"|(?P<npm>\bnpm_[A-Za-z0-9]{36})",
        r"|(?P<PyPI>\bpypi-AgEI[A-Za-z0-9_-]{40,})",
        r"|(?P<SendGrid>\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,})",
        r"|(?P<Slack>\bxox[abprs]-[A-Za-z0-9-]{20,})",
        r"|(?P<Stripe>\b[rs]k_live_[A-Za-z0-9]{20,})",
        r"|(?P<token>\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,})",
        r"|(?P<private>-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=\\]{16,})",
    ))
    .expect("a pattern")
});

/// The fewest different characters of a key. Stand-ins such as `xxxxxxxx` have fewer.
const DIFFERENT: usize = 10;

/// The keys in a text: where they are, and what they look like.
fn keys(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for captures in KEYS.captures_iter(text) {
        let owner = KEYS.capture_names().flatten().find(|name| captures.name(name).is_some());
        let (Some(key), Some(owner)) = (captures.get(0), owner) else { continue };
        if !is_real(key.as_str()) {
            continue;
        }
        let what = match owner {
            "private" => "a private key".to_owned(),
            "token" => "a signed web token".to_owned(),
            "AWS" | "OpenAI" | "Anthropic" | "npm" => format!("an {owner} key"),
            _ => format!("a key of {owner}"),
        };
        found.push((key.start(), what));
    }
    found
}

fn is_real(key: &str) -> bool {
    let different: BTreeSet<char> = key.chars().collect();
    let lower = key.to_ascii_lowercase();
    let is_example =
        ["example", "your", "xxxx", "0123456789", "abcdefgh"].iter().any(|word| lower.contains(word));
    different.len() >= DIFFERENT && key.bytes().any(|byte| byte.is_ascii_digit()) && !is_example
}

const HINT: &str = "remove it, revoke it at the service, and read it from the environment";

/// The keys in a file.
#[must_use]
pub fn find_in_file(name: &str, text: &str) -> Vec<Finding> {
    let found = keys(text);
    if found.is_empty() {
        return Vec::new();
    }
    let lines = LineStarts::of(text);
    let finding = |(offset, what): (usize, String)| {
        // The line has the key, so it is not shown.
        let place = Place { source_line: None, ..Place::with_lines(Some(name), text, offset, &lines) };
        Finding::in_file(Code::Secret, format!("this looks like {what}"), place).with_hint(HINT)
    };
    found.into_iter().map(finding).collect()
}

/// The keys in the templates of a prompt that comes from no file.
pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    if checked.source.is_some() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (location, text) in checked.texts() {
        for (offset, what) in keys(text) {
            let place = checked.place(location, offset).map(|place| Place { source_line: None, ..place });
            let message = format!("this looks like {what} (prompt `{}`)", checked.prompt.id);
            findings.push(checked.finding(Code::Secret, message, place).with_hint(HINT));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn real_keys_are_found_and_examples_are_not() {
        let tail = "q7Zk2LmX9vBnR4tYw8PsD1fGh6JcA3uE5oViKbNx";
        for (start, length) in [
            ("sk-ant-api03-", 40),
            ("sk-proj-", 40),
            ("sk-", 40),
            ("ghp_", 36),
            ("glpat-", 20),
            ("AIza", 35),
            ("hf_", 34),
            ("npm_", 36),
            ("xoxb-", 30),
            ("sk_live_", 24),
        ] {
            let text = format!("key: {start}{}", &tail[..length]);
            assert_eq!(keys(&text).len(), 1, "{start}");
        }
        for text in [
            "sk-your-key-here-your-key-here-your-key-here",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "task-force-of-the-ministry-of-agriculture-and-fisheries",
            "-----BEGIN PRIVATE KEY----- is how one begins",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
        ] {
            assert_eq!(keys(text), [], "{text}");
        }
    }
}
