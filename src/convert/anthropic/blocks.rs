//! Makes Anthropic's content blocks from the parts of a message, its calls and its cache hints.

use std::borrow::Cow;

use crate::convert::image_address::{self, FILE, IMAGE};
use crate::convert::media_type;
use crate::convert::payload::{Member, Payload, member};
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, CallRef, DROPPED};
use crate::error::Result;
use crate::prompt::message::is_blank;
use crate::prompt::{CacheHint, Content, FilePart, FunctionCall, Part, PartBody, Role, SearchResultPart};
use crate::template::Output;

/// The content of a message or turn: one plain text, which is sent as a string, or blocks.
pub(super) struct TurnContent<S> {
    plain: Option<Payload<S>>,
    /// Empty while there is a plain text.
    blocks: Vec<Payload<S>>,
}

impl<S: Output> TurnContent<S> {
    pub(super) fn empty() -> Self {
        Self { plain: None, blocks: Vec::new() }
    }

    pub(super) fn of_blocks(blocks: Vec<Payload<S>>) -> Self {
        Self { plain: None, blocks }
    }

    fn plain(text: S) -> Self {
        Self { plain: Some(Payload::Text(text)), blocks: Vec::new() }
    }

    /// The blocks, to add more. A plain text becomes a block.
    pub(super) fn blocks_mut(&mut self) -> &mut Vec<Payload<S>> {
        self.blocks.extend(self.plain.take().map(text_block));
        &mut self.blocks
    }

    pub(super) fn into_payload(self) -> Payload<S> {
        self.plain.unwrap_or(Payload::List(self.blocks))
    }

    /// Appends the next content of the same turn.
    pub(super) fn append(&mut self, mut next: Self) {
        if self.plain.is_none() && self.blocks.is_empty() {
            *self = next;
        } else {
            self.blocks_mut().append(next.blocks_mut());
        }
    }

    /// Adds a message's cache hint to the last block, unless that block has a hint of its own.
    pub(super) fn cached(
        mut self,
        cache: Option<&CacheHint>,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) -> Result<Self> {
        if let Some(cache) = cache
            && let Some(Payload::Map(block)) = self.blocks_mut().last_mut()
            && block.iter().all(|(key, _)| key.as_str() != rules::CACHE_CONTROL)
        {
            block.push(rules::cache_control(cache, "Anthropic", at, violations)?);
        }
        Ok(self)
    }

    /// The text at the end, if the content ends with a text. Only text blocks have a `text`.
    pub(super) fn last_text(&mut self) -> Option<&mut Payload<S>> {
        let Some(plain) = &mut self.plain else {
            let Some(Payload::Map(block)) = self.blocks.last_mut() else { return None };
            return block.iter_mut().find(|(key, _)| key.as_str() == "text").map(|(_, text)| text);
        };
        Some(plain)
    }
}

/// Converts the content of a message. `None` if it is empty.
pub(super) fn turn_content<S: Output>(
    content: Option<Content<S>>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<TurnContent<S>>> {
    let parts = match content {
        None => return Ok(None),
        Some(Content::Text(text)) => return Ok((!is_blank(&text)).then(|| TurnContent::plain(text))),
        Some(Content::Parts(parts)) => parts,
    };
    let mut blocks = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        blocks.extend(block(part, index, at, violations)?);
    }
    Ok((!blocks.is_empty()).then_some(TurnContent { plain: None, blocks }))
}

/// The top-level `system`: a string if all of it is plain, blocks otherwise.
pub(super) fn system<S: Output>(mut contents: Vec<TurnContent<S>>) -> Option<Payload<S>> {
    if contents.len() <= 1 {
        return contents.pop().map(TurnContent::into_payload);
    }
    if contents.iter().any(|content| content.plain.is_none()) {
        return Some(Payload::List(
            contents.iter_mut().flat_map(|content| content.blocks_mut().drain(..)).collect(),
        ));
    }
    let mut joined = String::new();
    for text in contents.iter().filter_map(|content| content.plain.as_ref()) {
        if !joined.is_empty() {
            joined.push_str("\n\n");
        }
        text.with_str(|text| joined.push_str(text));
    }
    Some(Payload::String(joined))
}

/// A `tool_use` block. Arguments that are not JSON are sent as a text in an object, if that is allowed.
pub(super) fn tool_use<S: Output>(
    id: Payload<S>,
    call: FunctionCall<S>,
    call_ref: CallRef,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Payload<S>> {
    let input = rules::object_or_text(call.arguments, call_ref, at, violations)?;
    Ok(Payload::map([
        ("type", Payload::Static("tool_use")),
        ("id", id),
        ("name", Payload::Text(call.name)),
        ("input", input),
    ]))
}

fn text_block<S>(text: Payload<S>) -> Payload<S> {
    Payload::map([("type", Payload::Static("text")), ("text", text)])
}

/// Converts a part to a block. `None` if the part was dropped.
fn block<S: Output>(
    part: Part<S>,
    index: usize,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<Payload<S>>> {
    let block = match body_block(part.body, index, at) {
        Ok(block) => block,
        Err(violation) => {
            violations.handle(violation, DROPPED)?;
            return Ok(None);
        }
    };
    let Some(cache) = &part.cache else { return Ok(Some(block)) };
    TurnContent { plain: None, blocks: vec![block] }
        .cached(Some(cache), at, violations)
        .map(|mut content| content.blocks.pop())
}

fn body_block<S: Output>(body: PartBody<S>, index: usize, at: Position) -> Result<Payload<S>, RuleViolation> {
    if let Some(violation) = rules::empty_part(&body, index, at) {
        return Err(violation);
    }
    let text_only = matches!(at.role, Role::System | Role::Developer | Role::Assistant);
    let (kind, source) = match body {
        PartBody::Text(text) if is_blank(&text) => {
            let hint = "remove the part, or give it text";
            return Err(RuleViolation::new(at, format!("part {index} is a blank text"), hint));
        }
        PartBody::Text(text) => return Ok(text_block(Payload::Text(text))),
        PartBody::Audio { .. } => {
            let problem = format!("part {index} is audio, which Anthropic does not accept");
            return Err(RuleViolation::new(at, problem, "send a transcript as text"));
        }
        body if text_only => {
            let problem = format!(
                "part {index} is {}, but Anthropic accepts only text in this message",
                rules::part_kind(&body)
            );
            return Err(RuleViolation::new(at, problem, "move the part to a user message"));
        }
        PartBody::ImageUrl { url, .. } => ("image", linked_image(url, index, at)?),
        PartBody::Image { media_type, data } => {
            let media_type = media_type.with_str(image_type).ok_or_else(|| unknown_image(index, at))?;
            ("image", base64(media_type, rules::plain_base64(data, index, at)?))
        }
        PartBody::UploadedImage { file_id, .. } => ("image", uploaded(file_id)),
        PartBody::File(file) => return document(*file, index, at),
        PartBody::SearchResult(result) => return Ok(search_result(*result)),
    };
    Ok(Payload::map([("type", Payload::Static(kind)), ("source", source)]))
}

fn uploaded<S>(file_id: S) -> Payload<S> {
    Payload::map([("type", Payload::Static("file")), ("file_id", Payload::Text(file_id))])
}

fn search_result<S: Output>(result: SearchResultPart<S>) -> Payload<S> {
    let texts = result.content.into_iter().filter(|text| !is_blank(text));
    let content = texts.map(|text| text_block(Payload::Text(text))).collect();
    let mut block = vec![
        member("type", Payload::Static("search_result")),
        member("source", Payload::Text(result.source)),
        member("title", Payload::Text(result.title)),
        member("content", Payload::List(content)),
    ];
    block.extend(result.citations.then(citations));
    Payload::Map(block)
}

/// Lets the model cite the block.
fn citations<S>() -> Member<S> {
    member("citations", Payload::map([("enabled", Payload::Bool(true))]))
}

/// Base64 in the one spelling that the API reads.
fn plain(data: &str) -> Option<String> {
    crate::base64::plain(data).map(Cow::into_owned)
}

fn base64<S>(media_type: &'static str, data: Payload<S>) -> Payload<S> {
    Payload::map([
        ("type", Payload::Static("base64")),
        ("media_type", Payload::Static(media_type)),
        ("data", data),
    ])
}

/// The source of an image with a URL, which can be a `data:` URL.
fn linked_image<S: Output>(url: S, index: usize, at: Position) -> Result<Payload<S>, RuleViolation> {
    if let Some(violation) = image_address::not_https(&url, IMAGE, index, at, "Anthropic") {
        return Err(violation);
    }
    let inline = url.with_str(|url| {
        media_type::is_data_url(url).then(|| {
            let (media_type, data) = media_type::data_url(url)?;
            Some((image_type(media_type)?, plain(data)))
        })
    });
    match inline {
        None => Ok(Payload::map([("type", Payload::Static("url")), ("url", Payload::Text(url))])),
        Some(None) => Err(unknown_image(index, at)),
        Some(Some((_, None))) => Err(rules::not_base64(index, at)),
        Some(Some((media_type, Some(data)))) => Ok(base64(media_type, Payload::String(data))),
    }
}

fn unknown_image(index: usize, at: Position) -> RuleViolation {
    let problem = format!("part {index} is an image, but not a JPEG, PNG, GIF or WebP in base64");
    RuleViolation::new(at, problem, "convert the image to one of these formats")
}

/// A `document` block.
fn document<S: Output>(file: FilePart<S>, index: usize, at: Position) -> Result<Payload<S>, RuleViolation> {
    let FilePart { file_id, filename, file_data, url, text, title, context, citations: cites } =
        rules::with_inline_data(file);
    let broken = url.as_ref().and_then(|url| image_address::not_https(url, FILE, index, at, "Anthropic"));
    if let Some(violation) = broken {
        return Err(violation);
    }
    let source = match (url, text) {
        (Some(url), _) => Payload::map([("type", Payload::Static("url")), ("url", Payload::Text(url))]),
        (None, Some(text)) => Payload::map([
            ("type", Payload::Static("text")),
            ("media_type", Payload::Static("text/plain")),
            ("data", Payload::Text(text)),
        ]),
        (None, None) => stored_document(file_id, file_data, index, at)?,
    };
    let mut block = vec![member("type", Payload::Static("document")), member("source", source)];
    block.extend(title.or(filename).map(|title| member("title", Payload::Text(title))));
    block.extend(context.map(|context| member("context", Payload::Text(context))));
    block.extend(cites.then(citations));
    Ok(Payload::Map(block))
}

/// The source of a document that was uploaded or is in the message.
fn stored_document<S: Output>(
    file_id: Option<S>,
    file_data: Option<S>,
    index: usize,
    at: Position,
) -> Result<Payload<S>, RuleViolation> {
    if let Some(id) = file_id.filter(|id| !id.is_empty()) {
        return Ok(uploaded(id));
    }
    let pdf = file_data.and_then(|url| {
        url.with_str(|url| {
            let (media_type, data) = media_type::data_url(url)?;
            media_type.eq_ignore_ascii_case(PDF).then(|| plain(data))
        })
    });
    let pdf = match pdf {
        Some(Some(data)) => Some(base64(PDF, Payload::String(data))),
        Some(None) => return Err(rules::not_base64(index, at)),
        None => None,
    };
    pdf.ok_or_else(|| {
        let problem = format!("part {index} is a file, but not a PDF in a base64 `data:` URL");
        RuleViolation::new(at, problem, "send a PDF, a `file_id`, or the content of the file as text")
    })
}

pub(super) const PDF: &str = "application/pdf";

/// Anthropic's name for the media type of an image.
pub(super) fn image_type(media_type: &str) -> Option<&'static str> {
    let known = ["image/jpeg", "image/png", "image/gif", "image/webp"];
    if media_type.eq_ignore_ascii_case("image/jpg") {
        return Some(known[0]);
    }
    known.into_iter().find(|known| media_type.eq_ignore_ascii_case(known))
}
