//! Makes Gemini's parts from the parts of a message.

use std::borrow::Cow;

use crate::base64;
use crate::convert::image_address::{self, FILE, IMAGE};
use crate::convert::media_type;
use crate::convert::payload::Payload;
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, DROPPED, LEFT_OUT, PASSED_ON};
use crate::error::Result;
use crate::prompt::message::is_blank;
use crate::prompt::{Content, FilePart, PartBody, Role};
use crate::template::Output;

/// The types of images that the models read.
const IMAGE_TYPES: [&str; 5] = ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];

/// The formats of sounds that the models read.
const SOUNDS: [&str; 6] = ["wav", "mp3", "aiff", "aac", "ogg", "flac"];

/// Converts the content of a message. Empty if there is none.
pub(super) fn parts<S: Output>(
    content: Option<Content<S>>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Vec<Payload<S>>> {
    match content {
        None => Ok(Vec::new()),
        Some(Content::Text(text)) if is_blank(&text) => Ok(Vec::new()),
        Some(Content::Text(text)) => Ok(vec![text_part(Payload::Text(text))]),
        Some(Content::Parts(parts)) => {
            let mut writer = PartWriter { at, violations };
            let mut list = Vec::with_capacity(parts.len());
            for (index, part) in parts.into_iter().enumerate() {
                list.extend(writer.part(part.body, index)?);
            }
            Ok(list)
        }
    }
}

/// The text of a tool's result, and the parts beside it.
pub(super) fn result_content<S: Output>(
    content: Option<Content<S>>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<(Payload<S>, Vec<Payload<S>>)> {
    let parts = match content {
        None => return Ok((Payload::Static(""), Vec::new())),
        Some(Content::Text(text)) => return Ok((Payload::Text(text), Vec::new())),
        Some(Content::Parts(parts)) => parts,
    };
    let mut writer = PartWriter { at, violations };
    let (mut texts, mut media) = (Vec::new(), Vec::new());
    for (index, part) in parts.into_iter().enumerate() {
        match part.body {
            PartBody::Text(text) => texts.push(Payload::Text(text)),
            body => match writer.part(body, index)? {
                Some(Payload::Map(mut members)) if members.iter().any(|(key, _)| key.as_str() == "text") => {
                    texts.extend(members.pop().map(|(_, text)| text));
                }
                part => media.extend(part),
            },
        }
    }
    Ok((joined(texts), media))
}

/// The texts in one, each on a line of its own.
fn joined<S: Output>(mut texts: Vec<Payload<S>>) -> Payload<S> {
    if texts.len() <= 1 {
        return texts.pop().unwrap_or(Payload::Static(""));
    }
    let texts = texts.iter().filter_map(|text| text.with_str(str::to_owned));
    Payload::String(texts.collect::<Vec<_>>().join("\n"))
}

fn text_part<S>(text: Payload<S>) -> Payload<S> {
    Payload::map([("text", text)])
}

fn inline<S>(media_type: Payload<S>, data: Payload<S>) -> Payload<S> {
    Payload::map([("inline_data", Payload::map([("mime_type", media_type), ("data", data)]))])
}

fn linked<S>(media_type: &'static str, uri: S) -> Payload<S> {
    let file = [("mime_type", Payload::Static(media_type)), ("file_uri", Payload::Text(uri))];
    Payload::map([("file_data", Payload::map(file))])
}

/// Writes the parts of one message.
struct PartWriter<'w, 'r> {
    at: Position,
    violations: &'w mut ViolationHandler<'r>,
}

impl PartWriter<'_, '_> {
    /// The part as it is sent. `None` if it was dropped.
    fn part<S: Output>(&mut self, body: PartBody<S>, index: usize) -> Result<Option<Payload<S>>> {
        if let Some(violation) = rules::empty_part(&body, index, self.at) {
            return self.dropped(violation);
        }
        match body {
            PartBody::Text(text) if is_blank(&text) => {
                let problem = format!("part {index} is a blank text");
                self.dropped(self.violation(problem, "remove the part, or give it text"))
            }
            PartBody::Text(text) => Ok(Some(text_part(Payload::Text(text)))),
            body if matches!(self.at.role, Role::System | Role::Developer) => {
                let kind = rules::part_kind(&body);
                let problem = format!("part {index} is {kind}, but Gemini accepts only text in this message");
                self.dropped(self.violation(problem, "move the part to a user message"))
            }
            PartBody::ImageUrl { url, .. } => self.image(url, index),
            PartBody::Image { media_type, data } => {
                let media_type = media_type.with_str(|media_type| self.image_type(media_type, index))?;
                self.data(media_type, data, index)
            }
            PartBody::Audio { data, format } => self.sound(data, &format, index),
            PartBody::UploadedImage { file_id } => self.uploaded(file_id, None, "image/jpeg", index),
            PartBody::File(file) => self.file(*file, index),
            PartBody::SearchResult(result) => {
                let problem = format!("part {index} is a search result, which Gemini does not accept");
                self.violations.handle(self.violation(problem, "write it as text"), "sent as text")?;
                Ok(Some(text_part(Payload::String(rules::search_text(&result)))))
            }
        }
    }

    fn violation(&self, problem: String, hint: &'static str) -> RuleViolation {
        RuleViolation::new(self.at, problem, hint)
    }

    fn dropped<S>(&mut self, violation: RuleViolation) -> Result<Option<Payload<S>>> {
        self.violations.handle(violation, DROPPED)?;
        Ok(None)
    }

    /// Data in base64.
    fn data<S: Output>(
        &mut self,
        media_type: Payload<S>,
        data: S,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        // The package decodes only the standard alphabet, without line breaks.
        let respelled = data.with_str(|data| match base64::plain(data) {
            Some(Cow::Borrowed(_)) => Some(None),
            Some(Cow::Owned(plain)) => Some(Some(plain)),
            None => None,
        });
        let Some(respelled) = respelled else {
            let problem = format!("the data of part {index} are not base64");
            return self.dropped(self.violation(problem, "encode the data in base64"));
        };
        Ok(Some(inline(media_type, respelled.map_or(Payload::Text(data), Payload::String))))
    }

    /// The data of a `data:` URL, perhaps with another spelling of the MIME type.
    fn data_url<S: Output>(
        &mut self,
        url: &S,
        spelled: Option<Payload<S>>,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        let read = url.with_str(|url| {
            let (media_type, data) = media_type::data_url(url)?;
            let data = base64::plain(data)?.into_owned();
            let media_type = spelled.unwrap_or_else(|| Payload::String(media_type.to_owned()));
            Some(inline(media_type, Payload::String(data)))
        });
        if read.is_none() {
            let problem = format!("part {index} has no data in a base64 `data:` URL");
            return self.dropped(self.violation(problem, "write it as data:<MIME type>;base64,<data>"));
        }
        Ok(read)
    }

    fn image<S: Output>(&mut self, url: S, index: usize) -> Result<Option<Payload<S>>> {
        if !url.with_str(media_type::is_data_url) {
            return self.linked(url, None, (IMAGE, "image/jpeg"), index);
        }
        let media_type = url.with_str(|url| match media_type::data_url(url) {
            Some((media_type, _)) => self.image_type(media_type, index).map(Some),
            None => Ok(None),
        })?;
        self.data_url(&url, media_type, index)
    }

    /// The MIME type of an image as Gemini spells it. One that it does not accept is sent unchanged, if that is allowed.
    fn image_type<S>(&mut self, media_type: &str, index: usize) -> Result<Payload<S>> {
        let spelled = if media_type.eq_ignore_ascii_case("image/jpg") { "image/jpeg" } else { media_type };
        if let Some(known) = IMAGE_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(spelled)) {
            return Ok(Payload::Static(known));
        }
        let problem = format!("part {index} is an image of a MIME type that Gemini does not accept");
        let hint = "use image/png, image/jpeg, image/webp, image/heic or image/heif";
        self.violations.handle(self.violation(problem, hint), PASSED_ON)?;
        Ok(Payload::String(media_type.to_owned()))
    }

    /// An image or file with an address. Gemini needs its MIME type, which its name has; otherwise it is `usual`.
    fn linked<S: Output>(
        &mut self,
        url: S,
        name: Option<&S>,
        (what, usual): (&str, &'static str),
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        let is_stored = url.with_str(|url| url.starts_with("gs://"));
        if !is_stored && let Some(violation) = image_address::not_https(&url, what, index, self.at, "Gemini")
        {
            return self.dropped(violation);
        }
        let by_name = name.and_then(|name| name.with_str(media_type::of_name));
        let Some(media_type) = by_name.or_else(|| url.with_str(media_type::of_name)) else {
            let problem =
                format!("part {index} has an address that does not show its MIME type, which Gemini needs");
            let hint = "use an address that ends in an extension such as .png, or send the data in base64";
            let done = format!("sent as {usual}");
            self.violations.handle(self.violation(problem, hint), &done)?;
            return Ok(Some(linked(usual, url)));
        };
        Ok(Some(linked(media_type, url)))
    }

    fn sound<S: Output>(&mut self, data: S, format: &S, index: usize) -> Result<Option<Payload<S>>> {
        let known = format.with_str(|format| SOUNDS.into_iter().find(|known| *known == format));
        let Some(known) = known else {
            let problem = format!("part {index} is audio in a format that Gemini does not support");
            return self.dropped(self.violation(problem, "use wav, mp3, aiff, aac, ogg or flac"));
        };
        self.data(Payload::String(format!("audio/{known}")), data, index)
    }

    /// A file that was uploaded. Gemini knows it by its URI.
    fn uploaded<S: Output>(
        &mut self,
        file_id: S,
        name: Option<&S>,
        usual: &'static str,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        if !file_id.with_str(|id| id.starts_with("https://") || id.starts_with("gs://")) {
            let problem = format!("part {index} has the `file_id` of another provider");
            let hint = "use the URI of a file that was uploaded to Google, or send the data in base64";
            return self.dropped(self.violation(problem, hint));
        }
        self.linked(file_id, name, (FILE, usual), index)
    }

    fn file<S: Output>(&mut self, file: FilePart<S>, index: usize) -> Result<Option<Payload<S>>> {
        let lost = [("context", file.context.is_some()), ("citations", file.citations)];
        for (key, _) in lost.into_iter().filter(|(_, is_lost)| *is_lost) {
            let problem = format!("part {index} has `{key}`, which Gemini does not accept");
            self.violations.handle(self.violation(problem, "remove the key"), LEFT_OUT)?;
        }
        let name = file.filename.as_ref();
        if let Some(text) = file.text {
            let data = text.with_str(|text| base64::encode(text.as_bytes()));
            return Ok(Some(inline(Payload::Static("text/plain"), Payload::String(data))));
        }
        if let Some(id) = file.file_id {
            return self.uploaded(id, name, PDF, index);
        }
        if let Some(url) = file.url {
            return self.linked(url, name, (FILE, PDF), index);
        }
        match file.file_data {
            Some(data) => self.data_url(&data, None, index),
            None => Ok(None),
        }
    }
}

/// The MIME type of a file whose name does not show it.
const PDF: &str = "application/pdf";
