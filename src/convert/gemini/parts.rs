//! Makes Gemini's parts from the parts of a message.

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

/// The types of files that the models read, besides texts and images.
const FILE_TYPES: [&str; 38] = [
    PDF,
    "application/json",
    "application/javascript",
    "application/x-javascript",
    "application/x-python",
    "application/x-python-code",
    "audio/wav",
    "audio/x-wav",
    "audio/mp3",
    "audio/mpeg",
    "audio/mpga",
    "audio/mp4",
    "audio/m4a",
    "audio/x-m4a",
    "audio/aiff",
    "audio/x-aiff",
    "audio/aac",
    "audio/x-aac",
    "audio/ogg",
    "audio/opus",
    "audio/flac",
    "audio/x-flac",
    "audio/pcm",
    "audio/l16",
    "audio/webm",
    "video/mp4",
    "video/mpeg",
    "video/mpg",
    "video/mov",
    "video/quicktime",
    "video/avi",
    "video/x-msvideo",
    "video/x-flv",
    "video/flv",
    "video/webm",
    "video/wmv",
    "video/x-ms-wmv",
    "video/3gpp",
];

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

fn linked<S>(media_type: Payload<S>, uri: String) -> Payload<S> {
    let file = [("mime_type", media_type), ("file_uri", Payload::String(uri))];
    Payload::map([("file_data", Payload::map(file))])
}

/// Writes the parts of one message.
pub(super) struct PartWriter<'w, 'r> {
    pub(super) at: Position,
    pub(super) violations: &'w mut ViolationHandler<'r>,
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
            PartBody::ImageUrl { url, .. } => self.image(&url, index),
            PartBody::Image { media_type, data } => {
                let media_type =
                    media_type.with_str(|media_type| self.accepted_type(media_type, IMAGE, index))?;
                self.data(media_type, data, index)
            }
            PartBody::Audio { data, format } => self.sound(data, &format, index),
            PartBody::UploadedImage { file_id, media_type } => {
                self.uploaded_image(&file_id, media_type.as_ref(), index)
            }
            PartBody::File(file) => self.file(*file, index),
            PartBody::SearchResult(result) => {
                let problem = format!("part {index} is a search result, which Gemini does not accept");
                self.violations.handle(self.violation(problem, "write it as text"), "sent as text")?;
                Ok(Some(text_part(Payload::String(rules::search_text(&result)))))
            }
        }
    }

    pub(super) fn violation(&self, problem: String, hint: &'static str) -> RuleViolation {
        RuleViolation::new(self.at, problem, hint)
    }

    pub(super) fn dropped<S>(&mut self, violation: RuleViolation) -> Result<Option<Payload<S>>> {
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
        match rules::plain_base64(data, index, self.at) {
            Ok(data) => Ok(Some(inline(media_type, data))),
            Err(violation) => self.dropped(violation),
        }
    }

    /// The data of a `data:` URL. A general MIME type gives way to that of the name.
    fn data_url<S: Output>(
        &mut self,
        url: &S,
        name: Option<&S>,
        what: &str,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        url.with_str(|url| {
            let Some((given, data)) = media_type::data_url(url) else {
                let problem = format!("part {index} has no data in a base64 `data:` URL");
                return self.dropped(self.violation(problem, "write it as data:<MIME type>;base64,<data>"));
            };
            let is_general = given.is_empty() || given.eq_ignore_ascii_case("application/octet-stream");
            let by_name = name.filter(|_| is_general).and_then(|name| name.with_str(media_type::of_name));
            let media_type = self.accepted_type(by_name.unwrap_or(given), what, index)?;
            match base64::plain(data) {
                Some(data) => Ok(Some(inline(media_type, Payload::String(data.into_owned())))),
                None => self.dropped(rules::not_base64(index, self.at)),
            }
        })
    }

    fn image<S: Output>(&mut self, url: &S, index: usize) -> Result<Option<Payload<S>>> {
        if url.with_str(media_type::is_data_url) {
            return self.data_url(url, None, IMAGE, index);
        }
        self.linked(url, None, (IMAGE, "image/jpeg"), index)
    }

    /// The MIME type as Gemini spells it. One that it does not accept is sent unchanged, if that is allowed.
    pub(super) fn accepted_type<S>(
        &mut self,
        media_type: &str,
        what: &str,
        index: usize,
    ) -> Result<Payload<S>> {
        let spelled = media_type::essence(media_type).to_ascii_lowercase();
        let spelled = if spelled == "image/jpg" { "image/jpeg".to_owned() } else { spelled };
        let is_file = || FILE_TYPES.contains(&spelled.as_str()) || spelled.starts_with("text/");
        if IMAGE_TYPES.contains(&spelled.as_str()) || (what == FILE && is_file()) {
            return Ok(Payload::String(spelled));
        }
        let (kind, hint) = if what == IMAGE {
            ("an image", "use image/png, image/jpeg, image/webp, image/heic or image/heif")
        } else {
            ("a file", "use PDF, JSON, a text, or an image, sound or video in a common format")
        };
        let problem = format!("part {index} is {kind} of a MIME type that Gemini does not accept");
        self.violations.handle(self.violation(problem, hint), PASSED_ON)?;
        Ok(Payload::String(media_type.to_owned()))
    }

    /// An image or file with an address. Gemini needs its MIME type, which its name has; otherwise it is `usual`.
    fn linked<S: Output>(
        &mut self,
        url: &S,
        name: Option<&S>,
        (what, usual): (&str, &'static str),
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        let uri = match image_address::with_scheme(url, &SCHEMES, what, index, "Gemini") {
            Ok(uri) => uri,
            Err(problem) => {
                let hint = "send the data in base64, or give an `https://` or `gs://` address";
                return self.dropped(self.violation(problem, hint));
            }
        };
        let by_name = name.and_then(|name| name.with_str(media_type::of_name));
        let media_type = if let Some(media_type) = by_name.or_else(|| media_type::of_name(&uri)) {
            self.accepted_type(media_type, what, index)?
        } else {
            let problem = format!(
                "the address of the {what} in part {index} does not show its MIME type, which Gemini needs"
            );
            let hint = if what == IMAGE {
                "use an address that ends in an extension such as .png, send the data in base64, or write an image \
                 at Google as {type: image, file_id: <its URI>, media_type: image/png}"
            } else {
                "use an address or a file name that ends in an extension such as .pdf, or send the data in base64"
            };
            self.violations.handle(self.violation(problem, hint), &format!("sent as {usual}"))?;
            Payload::Static(usual)
        };
        Ok(Some(linked(media_type, uri)))
    }

    fn sound<S: Output>(&mut self, data: S, format: &S, index: usize) -> Result<Option<Payload<S>>> {
        let known =
            format.with_str(|format| SOUNDS.into_iter().find(|known| known.eq_ignore_ascii_case(format)));
        let Some(known) = known else {
            let problem = format!("part {index} is audio in a format that Gemini does not support");
            return self.dropped(self.violation(problem, "use wav, mp3, aiff, aac, ogg or flac"));
        };
        self.data(Payload::String(format!("audio/{known}")), data, index)
    }

    /// An image that was uploaded. Google's URIs do not show their MIME types.
    fn uploaded_image<S: Output>(
        &mut self,
        file_id: &S,
        media_type: Option<&S>,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        let Ok(uri) = image_address::with_scheme(file_id, &SCHEMES, IMAGE, index, "Gemini") else {
            return self.dropped(self.not_at_google(index));
        };
        let given = media_type.filter(|media_type| !is_blank(*media_type));
        let given = given.map(|media_type| media_type.with_str(str::to_owned));
        let by_name = || media_type::of_name(&uri).map(str::to_owned);
        let media_type = if let Some(media_type) = given.or_else(by_name) {
            self.accepted_type(&media_type, IMAGE, index)?
        } else {
            let problem = format!("part {index} has no `media_type`, which Gemini needs beside `file_id`");
            let violation = self.violation(problem, "add `media_type`, such as image/png");
            self.violations.handle(violation, "sent as image/jpeg")?;
            Payload::Static("image/jpeg")
        };
        Ok(Some(linked(media_type, uri)))
    }

    fn not_at_google(&self, index: usize) -> RuleViolation {
        let problem = format!("the `file_id` of part {index} is not the URI of a file at Google");
        let hint = "use the `uri` of the uploaded file, which begins with https:// or gs://, or send the data in base64";
        self.violation(problem, hint)
    }

    /// A file that was uploaded. Gemini knows it by its URI.
    fn uploaded<S: Output>(
        &mut self,
        file_id: &S,
        name: Option<&S>,
        index: usize,
    ) -> Result<Option<Payload<S>>> {
        if image_address::with_scheme(file_id, &SCHEMES, FILE, index, "Gemini").is_err() {
            return self.dropped(self.not_at_google(index));
        }
        self.linked(file_id, name, (FILE, PDF), index)
    }

    fn file<S: Output>(&mut self, file: FilePart<S>, index: usize) -> Result<Option<Payload<S>>> {
        let file = rules::with_inline_data(file);
        let lost = [
            ("title", file.title.is_some()),
            ("context", file.context.is_some()),
            ("citations", file.citations),
        ];
        for (key, _) in lost.into_iter().filter(|(_, is_lost)| *is_lost) {
            let problem = format!("part {index} has `{key}`, which Gemini does not accept");
            self.violations.handle(self.violation(problem, "remove the key"), LEFT_OUT)?;
        }
        let name = file.filename.as_ref().or(file.title.as_ref());
        if let Some(text) = file.text {
            let data = text.with_str(|text| base64::encode(text.as_bytes()));
            return Ok(Some(inline(Payload::Static("text/plain"), Payload::String(data))));
        }
        if let Some(id) = file.file_id {
            return self.uploaded(&id, name, index);
        }
        match (file.file_data, file.url) {
            (Some(data), _) => self.data_url(&data, name, FILE, index),
            (None, Some(url)) => self.linked(&url, name, (FILE, PDF), index),
            (None, None) => Ok(None),
        }
    }
}

/// The beginnings of the addresses that Gemini reads.
pub(super) const SCHEMES: [&str; 2] = ["https://", "gs://"];

/// The MIME type of a file whose name does not show it.
const PDF: &str = "application/pdf";
