//! The blocks of a history in Bedrock's own format, which are sent as they came where the API accepts them.

use super::blocks::{BlockWriter, CACHE_POINT, DOCUMENTS, IMAGES, SOUNDS, key_of};
use crate::base64;
use crate::convert::payload::{Member, Payload, find, member, put};
use crate::convert::report::{Position, RuleViolation};
use crate::convert::rules::{DROPPED, LEFT_OUT};
use crate::error::Result;
use crate::prompt::Tree;
use crate::template::Output;

/// The formats of videos.
const VIDEOS: [&str; 9] = ["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"];

/// The kinds of content with a format and a source, each with its formats.
const MEDIA: [(&str, &[&str]); 4] =
    [("image", &IMAGES), ("document", &DOCUMENTS), ("audio", &SOUNDS), ("video", &VIDEOS)];

impl BlockWriter<'_> {
    /// The block as it is sent. `None` if it was dropped.
    pub(super) fn own_block<S: Output>(
        &mut self,
        item: Tree<S>,
        index: usize,
        at: Position,
    ) -> Result<Option<Payload<S>>> {
        let mut block = with_bytes(item).map_err(|NotBase64| {
            let problem = format!("the bytes of block {index} are not base64");
            RuleViolation::new(at, problem, "give them as bytes, or as base64 text")
        })?;
        if key_of(&block) == Some(CACHE_POINT) {
            if !self.points.accept(at, &mut self.violations)? {
                return Ok(None);
            }
            self.points.note_carried(is_long(&block), at, &mut self.violations);
        }
        let is_sent = self.check(&mut block, index, at)?;
        Ok(is_sent.then_some(block))
    }

    /// Whether the API accepts the block, after repairs.
    fn check<S: Output>(&mut self, block: &mut Payload<S>, index: usize, at: Position) -> Result<bool> {
        let Payload::Map(members) = block else { return Ok(true) };
        let Some((key, value)) = members.first_mut() else { return Ok(true) };
        if key.as_str() == "text" && value.with_str(|text| text.trim().is_empty()) == Some(true) {
            let problem = format!("block {index} is a blank text");
            return self.dropped(RuleViolation::new(at, problem, "remove the block, or give it text"));
        }
        let Payload::Map(fields) = value else { return Ok(true) };
        match key.as_str() {
            "toolResult" => self.check_result(fields, index, at),
            kind => match MEDIA.into_iter().find(|(known, _)| *known == kind) {
                Some((kind, formats)) => self.check_media((kind, formats), fields, index, at),
                None => Ok(true),
            },
        }
    }

    fn dropped(&mut self, violation: RuleViolation) -> Result<bool> {
        self.violations.handle(violation, DROPPED).map(|()| false)
    }

    fn check_result<S: Output>(
        &mut self,
        result: &mut Vec<Member<S>>,
        index: usize,
        at: Position,
    ) -> Result<bool> {
        let status = result.iter().position(|(key, _)| key.as_str() == "status");
        if let Some(status) = status
            && result[status].1.with_str(|status| matches!(status, "success" | "error")) != Some(true)
        {
            let problem = format!("the `status` of block {index} is not `success` or `error`");
            self.violations.handle(RuleViolation::new(at, problem, "use one of them"), LEFT_OUT)?;
            result.remove(status);
        }
        let Some(Payload::List(blocks)) = find(result, "content") else {
            result.push(member("content", Payload::List(Vec::new())));
            return Ok(true);
        };
        for mut block in std::mem::take(blocks) {
            let is_text = key_of(&block) == Some("text");
            if is_text || self.check(&mut block, index, at)? {
                blocks.push(block);
            }
        }
        Ok(true)
    }

    fn check_media<S: Output>(
        &mut self,
        (kind, formats): (&str, &[&str]),
        fields: &mut Vec<Member<S>>,
        index: usize,
        at: Position,
    ) -> Result<bool> {
        let has_source = matches!(find(fields, "source"), Some(Payload::Map(source)) if !source.is_empty());
        if !has_source {
            let problem = format!("the {kind} in block {index} has no `source`");
            return self.dropped(RuleViolation::new(at, problem, "add its `source`, or remove the block"));
        }
        let format = find(fields, "format").map(|format| format.with_str(str::to_owned).unwrap_or_default());
        let is_known = match &format {
            Some(format) => formats.contains(&format.as_str()),
            None => kind == "document",
        };
        if kind == "image" && format.as_deref() == Some("jpg") {
            put(fields, "format", Payload::Static("jpeg"));
        } else if !is_known {
            let problem = format!("the {kind} in block {index} is in a format that Bedrock does not accept");
            return self.dropped(RuleViolation::new(at, problem, hint_of(kind)));
        }
        if kind == "document" {
            self.own_name(fields, index, at)?;
        }
        Ok(true)
    }

    fn own_name<S: Output>(
        &mut self,
        document: &mut Vec<Member<S>>,
        index: usize,
        at: Position,
    ) -> Result<()> {
        let given = find(document, "name").and_then(|name| name.with_str(str::to_owned)).unwrap_or_default();
        let name = if given.trim().is_empty() {
            self.names.unique("document")
        } else {
            let accepted = self.accepted_name(&given, index, at)?;
            self.names.own(&given, &accepted)
        };
        if name != given {
            put(document, "name", Payload::String(name));
        }
        Ok(())
    }
}

/// What to do about a format.
fn hint_of(kind: &str) -> &'static str {
    match kind {
        "image" => "set `format` to png, jpeg, gif or webp",
        "document" => "set `format` to pdf, csv, doc, docx, xls, xlsx, html, txt or md",
        "audio" => "set `format` to one of Bedrock's, such as mp3 or wav",
        _ => "set `format` to one of Bedrock's, such as mp4 or webm",
    }
}

/// Whether a cache point has the longer time.
fn is_long<S: Output>(block: &Payload<S>) -> bool {
    let Payload::Map(block) = block else { return false };
    let Some((_, Payload::Map(point))) = block.first() else { return false };
    point.iter().any(|(key, ttl)| key.as_str() == "ttl" && ttl.with_str(|ttl| ttl == "1h") == Some(true))
}

/// A text where Bedrock has bytes is not base64.
struct NotBase64;

/// A block of a history, in which bytes are base64.
fn with_bytes<S: Output>(block: Tree<S>) -> Result<Payload<S>, NotBase64> {
    Ok(match block {
        Tree::Map(members) => {
            let members = members.into_iter().map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    ("bytes" | "redactedContent", Tree::Text(text)) => {
                        Payload::Bytes(text.with_str(base64::decode).ok_or(NotBase64)?)
                    }
                    // Data of the application, in which the same keys mean something else.
                    ("input" | "json", value) => Payload::from_tree(value),
                    (_, value) => with_bytes(value)?,
                };
                Ok((key.into(), value))
            });
            Payload::Map(members.collect::<Result<_, NotBase64>>()?)
        }
        Tree::List(items) => {
            Payload::List(items.into_iter().map(with_bytes).collect::<Result<_, NotBase64>>()?)
        }
        block => Payload::from_tree(block),
    })
}
