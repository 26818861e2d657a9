//! The blocks of a history in Anthropic's own format, which are sent as they came where the API accepts them.
//!
//! Keys and kinds of blocks that are not known here are sent too: the API gets new ones, and its replies must go back in.

use super::blocks::{PDF, image_type};
use crate::base64;
use crate::convert::image_address::{self, FILE, IMAGE};
use crate::convert::payload::{Member, Payload, find, put, text_of};
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, CallRef, DROPPED, LEFT_OUT, PASSED_ON};
use crate::convert::sent_calls::SentCalls;
use crate::error::Result;
use crate::prompt::{Role, ToolCall};
use crate::template::Output;

/// The kinds of blocks that only a user or a result can have.
const OF_USERS: [&str; 4] = ["image", "document", "search_result", "container_upload"];

/// Checks the blocks of a message, and repairs or drops those that the API refuses.
pub(super) fn checked<S: Output>(
    blocks: Vec<Payload<S>>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Vec<Payload<S>>> {
    BlockChecker { at, is_result: false, violations }.all(blocks)
}

/// Writes the id that a call is sent with, and its arguments as an object.
pub(super) fn write_call<S: Output>(
    block: &mut Vec<Member<S>>,
    call: ToolCall<S>,
    index: usize,
    at: Position,
    (calls, violations): (&mut SentCalls, &mut ViolationHandler<'_>),
) -> Result<()> {
    let call_ref = CallRef::Tool(index);
    if let Some(id) = calls.tool_call(&call.id, call_ref, at, violations)? {
        put(block, "id", Payload::String(id));
    }
    if !matches!(find(block, "input"), Some(Payload::Map(_))) {
        let input = rules::object_or_text(call.function.arguments, call_ref, at, violations)?;
        put(block, "input", input);
    }
    Ok(())
}

/// Whether it is a block of this kind.
pub(super) fn is_kind<S: Output>(block: &[Member<S>], kind: &str) -> bool {
    let is = |value: &Payload<S>| value.with_str(|found| found == kind) == Some(true);
    block.iter().any(|(key, value)| key.as_str() == "type" && is(value))
}

/// What is wrong with a block, and what to do.
type BlockProblem = (&'static str, &'static str);

struct BlockChecker<'a, 'v> {
    at: Position,
    /// Whether the blocks are in the result of a tool.
    is_result: bool,
    violations: &'a mut ViolationHandler<'v>,
}

impl BlockChecker<'_, '_> {
    fn all<S: Output>(&mut self, blocks: Vec<Payload<S>>) -> Result<Vec<Payload<S>>> {
        let mut kept = Vec::with_capacity(blocks.len());
        for (index, mut block) in blocks.into_iter().enumerate() {
            let stays = match &mut block {
                Payload::Map(members) => self.check(members, index)?,
                _ => true,
            };
            if stays {
                kept.push(block);
            }
        }
        Ok(kept)
    }

    /// Whether the API accepts the block, after repairs.
    fn check<S: Output>(&mut self, block: &mut Vec<Member<S>>, index: usize) -> Result<bool> {
        let kind = text_of(block, "type").unwrap_or_default();
        self.check_hint(block, &kind, index)?;
        if kind == "tool_result" {
            self.check_result(block, index)?;
        }
        if matches!(kind.as_str(), "server_tool_use" | "mcp_tool_use") {
            return self.check_server_call(block, index);
        }
        match self.refused(block, &kind, index) {
            None => Ok(true),
            Some(violation) => self.violations.handle(violation, DROPPED).map(|()| false),
        }
    }

    /// Why the API refuses a block of this kind. Data and their type are written as it reads them.
    fn refused<S: Output>(&self, block: &mut [Member<S>], kind: &str, index: usize) -> Option<RuleViolation> {
        let found = match kind {
            "" => Err(("has no `type`", "give it one, or remove the block")),
            "text" if is_blank(block, "text") => {
                Err(("is a blank text", "remove the block, or give it text"))
            }
            "thinking" if !is_text(block, "thinking") || !is_text(block, "signature") => {
                Err(("is thinking without its text or its `signature`", "give it back as the model sent it"))
            }
            "redacted_thinking" if is_blank(block, "data") => {
                Err(("is redacted thinking without its `data`", "give it back as the model sent it"))
            }
            "container_upload" if is_blank(block, "file_id") => {
                Err(("is a file without its `file_id`", "give it a `file_id`, or remove the block"))
            }
            "search_result" => search_result(block),
            "image" | "document" => match find(block, "source") {
                Some(Payload::Map(source)) => {
                    if let Some(violation) = self.refused_address(source, kind, index) {
                        return Some(violation);
                    }
                    check_source(source, kind == "image")
                }
                _ => Err(("has no `source`", "give it one, or remove the block")),
            },
            _ => Ok(()),
        };
        let (problem, hint) = found.and_then(|()| self.check_place(kind)).err()?;
        Some(self.violation(index, problem, hint))
    }

    fn violation(&self, index: usize, problem: &str, hint: &'static str) -> RuleViolation {
        let place = if self.is_result { "block {} of the result" } else { "block {}" };
        let place = place.replace("{}", &index.to_string());
        RuleViolation::new(self.at, format!("{place} {problem}"), hint)
    }

    /// Removes a cache hint that the API does not accept.
    fn check_hint<S: Output>(&mut self, block: &mut Vec<Member<S>>, kind: &str, index: usize) -> Result<()> {
        let Some(hint) = find(block, rules::CACHE_CONTROL) else { return Ok(()) };
        let violation = if matches!(kind, "thinking" | "redacted_thinking") {
            self.violation(index, "is thinking with `cache_control`", "put it on another block")
        } else if !is_hint(hint) {
            let remedy = "write `{type: ephemeral}`, with a `ttl` of 5m or 1h if it is needed";
            self.violation(index, "has a `cache_control` that Anthropic does not accept", remedy)
        } else {
            return Ok(());
        };
        self.violations.handle(violation, LEFT_OUT)?;
        block.retain(|(key, _)| key.as_str() != rules::CACHE_CONTROL);
        Ok(())
    }

    fn check_result<S: Output>(&mut self, block: &mut Vec<Member<S>>, index: usize) -> Result<()> {
        if let Some(is_error) = find(block, "is_error")
            && !matches!(is_error, Payload::Bool(_))
        {
            let violation =
                self.violation(index, "has an `is_error` that is not true or false", "set it to one");
            self.violations.handle(violation, LEFT_OUT)?;
            block.retain(|(key, _)| key.as_str() != "is_error");
        }
        if let Some(Payload::List(blocks)) = find(block, "content") {
            let mut inner = BlockChecker { at: self.at, is_result: true, violations: &mut *self.violations };
            *blocks = inner.all(std::mem::take(blocks))?;
            // The API accepts a result without content, but not with an empty list.
            if blocks.is_empty() {
                block.retain(|(key, _)| key.as_str() != "content");
            }
        }
        Ok(())
    }

    /// A call that the provider runs, and whose result is in the same turn, so that neither can be dropped.
    fn check_server_call<S: Output>(&mut self, block: &mut [Member<S>], index: usize) -> Result<bool> {
        let problem = if is_blank(block, "id") {
            "has no `id`"
        } else if is_blank(block, "name") {
            "has no `name`"
        } else if matches!(find(block, "input"), Some(Payload::Map(_))) {
            return Ok(true);
        } else {
            "has an `input` that is not an object"
        };
        let violation = self.violation(index, problem, "give it back as the model sent it");
        self.violations.handle(violation, PASSED_ON).map(|()| true)
    }

    /// Whether the message may have a block of this kind.
    fn check_place(&self, kind: &str) -> Result<(), BlockProblem> {
        if self.is_result || matches!(self.at.role, Role::User | Role::Tool | Role::Function) {
            return Ok(());
        }
        if OF_USERS.contains(&kind) {
            return Err((
                "is of a kind that Anthropic accepts only from the user",
                "move it to a user message",
            ));
        }
        Ok(())
    }

    /// Why the API cannot read the address of a source.
    fn refused_address<S: Output>(
        &self,
        source: &mut [Member<S>],
        kind: &str,
        index: usize,
    ) -> Option<RuleViolation> {
        let what = if kind == "image" { IMAGE } else { FILE };
        let is_link = is_kind(source, "url");
        match find(source, "url") {
            Some(Payload::Text(url)) if is_link && !url.is_empty() => {
                image_address::not_https(url, what, index, self.at, "Anthropic")
            }
            _ => None,
        }
    }
}

/// Checks the source of an image or a document.
fn check_source<S: Output>(source: &mut Vec<Member<S>>, is_image: bool) -> Result<(), BlockProblem> {
    match text_of(source, "type").as_deref() {
        Some("base64") => inline(source, is_image),
        Some("url") if is_blank(source, "url") => {
            Err(("has a source without its `url`", "give it one, or remove the block"))
        }
        Some("file") if is_blank(source, "file_id") => {
            Err(("has a source without its `file_id`", "give it one, or remove the block"))
        }
        Some("text") if is_blank(source, "data") => {
            Err(("is a document without text", "give it text, or remove the block"))
        }
        None => Err(("has a `source` without a `type`", "set it to base64, url or file")),
        Some(_) => Ok(()),
    }
}

/// Checks data in base64, and writes them and their type as the API reads them.
fn inline<S: Output>(source: &mut Vec<Member<S>>, is_image: bool) -> Result<(), BlockProblem> {
    let known = |text: String| {
        if is_image { image_type(&text) } else { text.eq_ignore_ascii_case(PDF).then_some(PDF) }
    };
    let Some(media_type) = text_of(source, "media_type").and_then(known) else {
        return Err(if is_image {
            ("is not a JPEG, PNG, GIF or WebP", "convert the image, and set `media_type` to its type")
        } else {
            ("is in base64, but not a PDF", "send a PDF, or its content as a source of type text")
        });
    };
    if is_blank(source, "data") {
        return Err(("has a source without `data`", "give it data, or remove the block"));
    }
    put(source, "media_type", Payload::Static(media_type));
    let plain = |data: &str| base64::plain(data).map(rules::into_respelled);
    match find(source, "data").and_then(|data| data.with_str(plain)).flatten() {
        None => return Err(("has `data` that are not base64", "encode the data in base64")),
        Some(None) => {}
        Some(Some(respelled)) => put(source, "data", Payload::String(respelled)),
    }
    Ok(())
}

fn search_result<S: Output>(block: &mut [Member<S>]) -> Result<(), BlockProblem> {
    let has_text = match find(block, "content") {
        Some(Payload::List(texts)) => texts.iter_mut().any(|text| match text {
            Payload::Map(text) => !is_blank(text, "text"),
            _ => false,
        }),
        _ => false,
    };
    if !has_text || !is_text(block, "source") || !is_text(block, "title") {
        return Err((
            "is a search result without its `source`, `title` or text",
            "give it all three, or remove the block",
        ));
    }
    Ok(())
}

/// Whether it is `{type: ephemeral}`, with or without a time.
fn is_hint<S: Output>(hint: &Payload<S>) -> bool {
    let Payload::Map(members) = hint else { return false };
    let is = |value: &Payload<S>, words: &[&str]| value.with_str(|text| words.contains(&text)) == Some(true);
    is_kind(members, "ephemeral")
        && members.iter().all(|(key, value)| match key.as_str() {
            "ttl" => matches!(value, Payload::Null) || is(value, &["5m", "1h"]),
            _ => true,
        })
}

fn is_text<S: Output>(block: &[Member<S>], key: &str) -> bool {
    block.iter().any(|(known, value)| known.as_str() == key && value.with_str(|_| ()).is_some())
}

/// Whether the member is missing, not a text, or has only white space.
fn is_blank<S: Output>(block: &[Member<S>], key: &str) -> bool {
    let has_text = |value: &Payload<S>| value.with_str(|text| !text.trim().is_empty()) == Some(true);
    !block.iter().any(|(known, value)| known.as_str() == key && has_text(value))
}
