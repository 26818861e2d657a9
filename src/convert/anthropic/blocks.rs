//! Anthropic's content blocks: what the parts of a message, its calls and its cache hints become.

use crate::convert::form::{Form, member};
use crate::convert::report::{Fault, Judge, Position};
use crate::convert::rules::{self, DROPPED, Which};
use crate::error::Result;
use crate::prompt::{CacheHint, Content, FunctionCall, Part, PartBody, Role};
use crate::template::Output;

/// What a message or turn says: one plain text, which is sent as such, or blocks.
pub(super) struct Said<S> {
    plain: Option<Form<S>>,
    /// Empty while there is a plain text.
    blocks: Vec<Form<S>>,
}

impl<S: Output> Said<S> {
    pub(super) fn nothing() -> Self {
        Self { plain: None, blocks: Vec::new() }
    }

    fn plain(text: S) -> Self {
        Self { plain: Some(Form::Text(text)), blocks: Vec::new() }
    }

    /// The blocks, for adding to them; a plain text becomes one.
    pub(super) fn blocks_mut(&mut self) -> &mut Vec<Form<S>> {
        self.blocks.extend(self.plain.take().map(text_block));
        &mut self.blocks
    }

    pub(super) fn into_form(self) -> Form<S> {
        self.plain.unwrap_or(Form::List(self.blocks))
    }

    /// Adds what is said next in the same turn.
    pub(super) fn append(&mut self, mut next: Self) {
        if self.plain.is_none() && self.blocks.is_empty() {
            *self = next;
        } else {
            self.blocks_mut().append(next.blocks_mut());
        }
    }

    /// The same with a message's cache hint on the last block, unless that has one of its own.
    pub(super) fn cached(
        mut self,
        cache: Option<&CacheHint>,
        at: Position,
        judge: &mut Judge<'_>,
    ) -> Result<Self> {
        if let Some(cache) = cache
            && let Some(Form::Map(block)) = self.blocks_mut().last_mut()
            && block.iter().all(|(key, _)| key.as_str() != rules::CACHE_CONTROL)
        {
            block.push(rules::cache_control(cache, at, judge)?);
        }
        Ok(self)
    }

    /// The text that is said last, where the last thing said is one. Only text blocks have a `text`.
    pub(super) fn last_text(&mut self) -> Option<&mut Form<S>> {
        let Some(plain) = &mut self.plain else {
            let Some(Form::Map(block)) = self.blocks.last_mut() else { return None };
            return block.iter_mut().find(|(key, _)| key.as_str() == "text").map(|(_, text)| text);
        };
        Some(plain)
    }
}

/// What a message's content says; `None` where that is nothing.
pub(super) fn say<S: Output>(
    content: Option<Content<S>>,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Said<S>>> {
    let parts = match content {
        None => return Ok(None),
        Some(Content::Text(text)) => return Ok((!rules::is_blank(&text)).then(|| Said::plain(text))),
        Some(Content::Parts(parts)) => parts,
    };
    let mut blocks = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        blocks.extend(block(part, index, at, judge)?);
    }
    Ok((!blocks.is_empty()).then_some(Said { plain: None, blocks }))
}

/// The top-level `system`: a string while all of it is plain, blocks otherwise.
pub(super) fn system<S: Output>(mut said: Vec<Said<S>>) -> Option<Form<S>> {
    if said.len() <= 1 {
        return said.pop().map(Said::into_form);
    }
    if said.iter().any(|said| said.plain.is_none()) {
        return Some(Form::List(said.iter_mut().flat_map(|said| said.blocks_mut().drain(..)).collect()));
    }
    let mut joined = String::new();
    for text in said.iter().filter_map(|said| said.plain.as_ref()) {
        if !joined.is_empty() {
            joined.push_str("\n\n");
        }
        text.with_str(|text| joined.push_str(text));
    }
    Some(Form::String(joined))
}

/// A `tool_use` block.
pub(super) fn tool_use<S: Output>(
    id: Form<S>,
    call: FunctionCall<S>,
    which: Which,
    at: Position,
) -> Result<Form<S>> {
    let input = rules::object(call.arguments, which, at)?;
    Ok(Form::map([
        ("type", Form::Static("tool_use")),
        ("id", id),
        ("name", Form::Text(call.name)),
        ("input", input),
    ]))
}

fn text_block<S>(text: Form<S>) -> Form<S> {
    Form::map([("type", Form::Static("text")), ("text", text)])
}

/// A part as a block; `None` where it was dropped.
fn block<S: Output>(
    part: Part<S>,
    index: usize,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    let block = match body_block(part.body, index, at) {
        Ok(block) => block,
        Err(fault) => {
            judge.lossy(fault, DROPPED)?;
            return Ok(None);
        }
    };
    let Some(cache) = &part.cache else { return Ok(Some(block)) };
    Said { plain: None, blocks: vec![block] }.cached(Some(cache), at, judge).map(|mut said| said.blocks.pop())
}

fn body_block<S: Output>(body: PartBody<S>, index: usize, at: Position) -> Result<Form<S>, Fault> {
    if let Some(fault) = rules::hollow_part(&body, index, at) {
        return Err(fault);
    }
    let text_only = matches!(at.role, Role::System | Role::Developer | Role::Assistant);
    let (kind, source, title) = match body {
        PartBody::Text(text) if rules::is_blank(&text) => {
            let hint = "remove the part, or give it text";
            return Err(Fault::new(at, format!("part {index} is a text with nothing to read"), hint));
        }
        PartBody::Text(text) => return Ok(text_block(Form::Text(text))),
        PartBody::Audio { .. } => {
            let problem = format!("part {index} is audio, for which Anthropic has no form");
            return Err(Fault::new(at, problem, "send a transcript as text"));
        }
        body if text_only => {
            let problem =
                format!("part {index} is {}, where Anthropic takes only text", rules::part_kind(&body));
            return Err(Fault::new(at, problem, "move the part to a user message"));
        }
        PartBody::ImageUrl { url, .. } => ("image", linked_image(url, index, at)?, None),
        PartBody::Image { media_type, data } => {
            let media_type = media_type.with_str(image_type).ok_or_else(|| unknown_image(index, at))?;
            ("image", base64(media_type, Form::Text(data)), None)
        }
        PartBody::File { file_id, filename, file_data } => {
            ("document", document(file_id, file_data, index, at)?, filename)
        }
    };
    let mut block = Vec::with_capacity(2 + usize::from(title.is_some()));
    block.push(member("type", Form::Static(kind)));
    block.push(member("source", source));
    block.extend(title.map(|title| member("title", Form::Text(title))));
    Ok(Form::Map(block))
}

fn base64<S>(media_type: &'static str, data: Form<S>) -> Form<S> {
    Form::map([("type", Form::Static("base64")), ("media_type", Form::Static(media_type)), ("data", data)])
}

/// The source of an image with an address, which may be a `data:` one.
fn linked_image<S: Output>(url: S, index: usize, at: Position) -> Result<Form<S>, Fault> {
    let held = url.with_str(|url| {
        is_data_url(url).then(|| {
            let (media_type, data) = data_url(url)?;
            Some(base64(image_type(media_type)?, Form::String(data.to_owned())))
        })
    });
    match held {
        None => Ok(Form::map([("type", Form::Static("url")), ("url", Form::Text(url))])),
        Some(source) => source.ok_or_else(|| unknown_image(index, at)),
    }
}

fn unknown_image(index: usize, at: Position) -> Fault {
    let problem = format!("part {index} is an image that is not JPEG, PNG, GIF or WebP in base64");
    Fault::new(at, problem, "convert the image to one of these")
}

/// The source of a document.
fn document<S: Output>(
    file_id: Option<S>,
    file_data: Option<S>,
    index: usize,
    at: Position,
) -> Result<Form<S>, Fault> {
    if let Some(id) = file_id.filter(|id| !id.is_empty()) {
        return Ok(Form::map([("type", Form::Static("file")), ("file_id", Form::Text(id))]));
    }
    let pdf = file_data.and_then(|url| {
        url.with_str(|url| {
            let (media_type, data) = data_url(url)?;
            media_type.eq_ignore_ascii_case(PDF).then(|| base64(PDF, Form::String(data.to_owned())))
        })
    });
    pdf.ok_or_else(|| {
        let problem = format!("part {index} is a file that is not a PDF in a base64 `data:` address");
        Fault::new(at, problem, "send a PDF or a `file_id`, or the file's text as text")
    })
}

const PDF: &str = "application/pdf";

/// The spelling that Anthropic knows for an image's type.
fn image_type(media_type: &str) -> Option<&'static str> {
    let known = ["image/jpeg", "image/png", "image/gif", "image/webp"];
    if media_type.eq_ignore_ascii_case("image/jpg") {
        return Some(known[0]);
    }
    known.into_iter().find(|known| media_type.eq_ignore_ascii_case(known))
}

fn is_data_url(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// Type and base64 text of a `data:` address; `None` where it is written in another way.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (header, data) = url.get(5..).filter(|_| is_data_url(url))?.split_once(',')?;
    let (media_type, encoding) = header.rsplit_once(';')?;
    if data.is_empty() || !encoding.eq_ignore_ascii_case("base64") {
        return None;
    }
    Some((media_type.split(';').next().unwrap_or_default(), data))
}
