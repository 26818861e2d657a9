//! Makes Bedrock's content blocks from the parts of a message and its cache hints.

use super::document_names::{self, DocumentNames, MAX_NAME};
use crate::base64;
use crate::convert::cache_hints::CacheHints;
use crate::convert::image_address::{self, FILE, IMAGE};
use crate::convert::media_type;
use crate::convert::payload::{Member, Payload, member};
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, DROPPED, LEFT_OUT, PASSED_ON};
use crate::error::Result;
use crate::prompt::message::is_blank;
use crate::prompt::{CacheHint, Content, FilePart, Message, PartBody, Role, SearchResultPart};
use crate::template::Output;

/// The formats of images.
pub(super) const IMAGES: [&str; 4] = ["png", "jpeg", "gif", "webp"];

/// The formats of documents.
pub(super) const DOCUMENTS: [&str; 9] = ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];

/// The formats of sounds.
pub(super) const SOUNDS: [&str; 15] = [
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm",
    "webm",
];

/// The key of a cache point.
pub(crate) const CACHE_POINT: &str = "cachePoint";

/// Writes the blocks of a conversation.
pub(super) struct BlockWriter<'r> {
    pub(super) violations: ViolationHandler<'r>,
    pub(super) points: CacheHints,
    pub(super) names: DocumentNames,
}

impl<'r> BlockWriter<'r> {
    pub(super) fn new<S: Output>(violations: ViolationHandler<'r>, messages: &[Message<S>]) -> Self {
        Self { violations, points: CacheHints::new("Bedrock"), names: DocumentNames::beside(messages) }
    }

    /// The content of a message and its cache hint. Empty if there is no content.
    pub(super) fn content<S: Output>(
        &mut self,
        content: Option<Content<S>>,
        cache: Option<&CacheHint>,
        at: Position,
    ) -> Result<Vec<Payload<S>>> {
        let mut blocks = match content {
            None => Vec::new(),
            Some(Content::Text(text)) if is_blank(&text) => Vec::new(),
            Some(Content::Text(text)) => vec![text_block(Payload::Text(text))],
            Some(Content::Parts(parts)) => {
                let mut blocks = Vec::with_capacity(parts.len());
                for (index, part) in parts.into_iter().enumerate() {
                    let block = self.block(part.body, index, at)?;
                    let is_sent = block.is_some();
                    blocks.extend(block);
                    if is_sent && let Some(cache) = &part.cache {
                        blocks.extend(self.cache_point(cache, at)?);
                    }
                }
                blocks
            }
        };
        let has_point = blocks.last().is_some_and(|block| key_of(block) == Some(CACHE_POINT));
        if let Some(cache) = cache.filter(|_| !blocks.is_empty() && !has_point) {
            blocks.extend(self.cache_point(cache, at)?);
        }
        Ok(blocks)
    }

    /// The content of a tool's result, which can be empty.
    pub(super) fn result_content<S: Output>(
        &mut self,
        content: Option<Content<S>>,
        at: Position,
    ) -> Result<Vec<Payload<S>>> {
        match content {
            None => Ok(Vec::new()),
            Some(Content::Text(text)) if is_blank(&text) => Ok(Vec::new()),
            Some(Content::Text(text)) => Ok(vec![text_block(Payload::Text(text))]),
            Some(Content::Parts(parts)) => {
                let mut blocks = Vec::with_capacity(parts.len());
                for (index, part) in parts.into_iter().enumerate() {
                    blocks.extend(self.block(part.body, index, at)?);
                }
                Ok(blocks)
            }
        }
    }

    /// A cache point after the blocks so far. `None` if there are too many.
    pub(super) fn cache_point<S>(&mut self, cache: &CacheHint, at: Position) -> Result<Option<Payload<S>>> {
        if !self.points.accept(at, &mut self.violations)? {
            return Ok(None);
        }
        let mut point = vec![member("type", Payload::Static("default"))];
        let takes_time = self.points.accept_time(cache.ttl() == Some("1h"), at, &mut self.violations)?;
        match cache.ttl() {
            Some("1h") if !takes_time => {}
            None => {}
            Some("5m") => point.push(member("ttl", Payload::Static("5m"))),
            Some("1h") => point.push(member("ttl", Payload::Static("1h"))),
            Some(_) => {
                let problem = "Bedrock does not support the `ttl` of this cache hint";
                self.violations.handle(RuleViolation::new(at, problem, "use 5m or 1h"), LEFT_OUT)?;
            }
        }
        Ok(Some(Payload::map([(CACHE_POINT, Payload::Map(point))])))
    }

    /// Checks that there is a text beside documents.
    pub(super) fn check_documents<S>(&mut self, blocks: &[Payload<S>], at: Position) -> Result<()> {
        let has = |key: &str| blocks.iter().any(|block| key_of(block) == Some(key));
        if !has("document") || has("text") {
            return Ok(());
        }
        let problem = "Bedrock accepts a document only in a message that has a text too";
        let hint = "add a text part, such as a question about the document";
        self.violations.handle(RuleViolation::new(at, problem, hint).of_parts(), PASSED_ON)
    }

    /// The block of a part. `None` if it was dropped.
    fn block<S: Output>(
        &mut self,
        body: PartBody<S>,
        index: usize,
        at: Position,
    ) -> Result<Option<Payload<S>>> {
        match self.accepted(body, index, at) {
            Ok(block) => Ok(Some(block)),
            Err(BlockRefusal::Violation(violation)) => {
                self.violations.handle(violation, DROPPED)?;
                Ok(None)
            }
            Err(BlockRefusal::Error(error)) => Err(error),
        }
    }

    fn accepted<S: Output>(
        &mut self,
        body: PartBody<S>,
        index: usize,
        at: Position,
    ) -> Result<Payload<S>, BlockRefusal> {
        if let Some(violation) = rules::empty_part(&body, index, at) {
            return Err(violation.into());
        }
        let refuse = |problem: String, hint| BlockRefusal::from(RuleViolation::new(at, problem, hint));
        let is_result = matches!(at.role, Role::Tool | Role::Function);
        match body {
            PartBody::Text(text) if is_blank(&text) => {
                Err(refuse(format!("part {index} is a blank text"), "remove the part, or give it text"))
            }
            PartBody::Text(text) => Ok(text_block(Payload::Text(text))),
            body if matches!(at.role, Role::System | Role::Developer | Role::Assistant) => {
                let kind = rules::part_kind(&body);
                let problem =
                    format!("part {index} is {kind}, but Bedrock accepts only text in this message");
                Err(refuse(problem, "move the part to a user message"))
            }
            PartBody::ImageUrl { url, .. } => image_url(&url, index, at).map_err(Into::into),
            PartBody::Image { media_type, data } => {
                media_type.with_str(|media_type| image(media_type, &data, index, at)).map_err(Into::into)
            }
            PartBody::Audio { .. } if is_result => {
                let problem =
                    format!("part {index} is audio, which Bedrock does not accept in a tool's result");
                Err(refuse(problem, "send a transcript as text"))
            }
            PartBody::Audio { data, format } => {
                let known = format
                    .with_str(|format| SOUNDS.into_iter().find(|known| known.eq_ignore_ascii_case(format)));
                let format = known.ok_or_else(|| {
                    let problem = format!("part {index} is audio in a format that Bedrock does not support");
                    refuse(problem, "use a format such as wav or mp3")
                })?;
                let bytes = data.with_str(base64::decode).ok_or_else(|| rules::not_base64(index, at))?;
                let sound = [("format", Payload::Static(format)), ("source", bytes_source(bytes))];
                Ok(Payload::map([("audio", Payload::map(sound))]))
            }
            PartBody::UploadedImage { .. } => Err(file_id(index, at).into()),
            PartBody::File(file) => self.document(*file, index, at),
            PartBody::SearchResult(result) => Ok(search_result(*result)),
        }
    }

    fn document<S: Output>(
        &mut self,
        file: FilePart<S>,
        index: usize,
        at: Position,
    ) -> Result<Payload<S>, BlockRefusal> {
        let file = rules::with_inline_data(file);
        let text = |value: Option<&S>| value.map(|value| value.with_str(str::to_owned));
        let given = text(file.title.as_ref()).or_else(|| text(file.filename.as_ref()));
        let (format, source, by_address) = Self::source(&file, index, at)?;
        let name = self.name(given.or(by_address), format, index, at)?;
        let mut document: Vec<Member<S>> = vec![
            member("format", Payload::Static(format)),
            member("name", Payload::String(name)),
            member("source", source),
        ];
        document.extend(file.context.map(|context| member("context", Payload::Text(context))));
        document.extend(file.citations.then(citations));
        Ok(Payload::map([("document", Payload::Map(document))]))
    }

    /// The format and source of a document, and its name by its address.
    fn source<S: Output>(
        file: &FilePart<S>,
        index: usize,
        at: Position,
    ) -> Result<(&'static str, Payload<S>, Option<String>), BlockRefusal> {
        let by_name = |name: &S| name.with_str(|name| document_format(media_type::extension(name)));
        if let Some(text) = &file.text {
            let source = Payload::map([("text", Payload::String(text.with_str(str::to_owned)))]);
            return Ok((file.filename.as_ref().and_then(by_name).unwrap_or("txt"), source, None));
        }
        if file.file_id.is_some() {
            return Err(file_id(index, at).into());
        }
        if let Some(url) = &file.file_data {
            let (format, bytes) = url.with_str(|url| document_data(url, index, at))?;
            let format = format.or_else(|| file.filename.as_ref().and_then(by_name));
            return Ok((known_format(format, index, at)?, bytes_source(bytes), None));
        }
        let Some(url) = &file.url else { return Err(not_a_data_url(index, at).into()) };
        let uri = s3_uri(url, FILE, index, at)?;
        let format = by_name(url).or_else(|| file.filename.as_ref().and_then(by_name));
        let last = uri.rsplit('/').next().map(str::to_owned);
        Ok((known_format(format, index, at)?, s3_source(uri), last))
    }

    /// The name of a document: its own without the extension, as far as Bedrock accepts it. No two documents have the
    /// same name.
    fn name(
        &mut self,
        given: Option<String>,
        format: &str,
        index: usize,
        at: Position,
    ) -> Result<String, BlockRefusal> {
        let given = given.unwrap_or_default();
        let stem = match given.rsplit_once('.') {
            Some((stem, extension)) if document_format(extension) == Some(format) => stem,
            _ => given.as_str(),
        };
        if stem.trim().is_empty() {
            return Ok(self.names.unique("document"));
        }
        let name = self.accepted_name(stem, index, at)?;
        Ok(self.names.unique(&name))
    }

    /// The name with the characters and the length that Bedrock accepts.
    pub(super) fn accepted_name(&mut self, stem: &str, index: usize, at: Position) -> Result<String> {
        let mut name = document_names::accepted(stem);
        if name != stem {
            let problem =
                format!("the name of the file in part {index} has characters that Bedrock does not accept");
            let hint = "use letters a to z and A to Z, digits, single spaces, hyphens, parentheses and square brackets";
            self.violations.handle(RuleViolation::new(at, problem, hint), "replaced them by hyphens")?;
        }
        if name.len() > MAX_NAME {
            let problem = format!(
                "the name of the file in part {index} is longer than the {MAX_NAME} characters that Bedrock accepts"
            );
            self.violations.handle(RuleViolation::new(at, problem, "use a shorter name"), "cut short")?;
            name.truncate(MAX_NAME);
        }
        Ok(name)
    }
}

/// The format and bytes of a document in a `data:` URL.
fn document_data(
    url: &str,
    index: usize,
    at: Position,
) -> Result<(Option<&'static str>, Vec<u8>), RuleViolation> {
    let (media_type, data) = media_type::data_url(url).ok_or_else(|| not_a_data_url(index, at))?;
    let bytes = base64::decode(data).ok_or_else(|| rules::not_base64(index, at))?;
    Ok((media_type::usual_extension(media_type).and_then(document_format), bytes))
}

fn known_format(
    format: Option<&'static str>,
    index: usize,
    at: Position,
) -> Result<&'static str, RuleViolation> {
    format.ok_or_else(|| {
        let problem = format!("part {index} is a file of a type that Bedrock does not accept");
        let hint = "use PDF, CSV, Word, Excel, HTML, Markdown or plain text, with a MIME type or a file name that shows it";
        RuleViolation::new(at, problem, hint)
    })
}

/// Why a part is not sent: it breaks a rule, and is dropped if the conversion is not strict; or an error ends the
/// conversion.
enum BlockRefusal {
    Violation(RuleViolation),
    Error(crate::error::Error),
}

impl From<RuleViolation> for BlockRefusal {
    fn from(violation: RuleViolation) -> Self {
        Self::Violation(violation)
    }
}

impl From<crate::error::Error> for BlockRefusal {
    fn from(error: crate::error::Error) -> Self {
        Self::Error(error)
    }
}

fn document_format(extension: &str) -> Option<&'static str> {
    let extension = extension.to_ascii_lowercase();
    let extension = match extension.as_str() {
        "htm" => "html",
        "markdown" => "md",
        extension => extension,
    };
    DOCUMENTS.into_iter().find(|known| *known == extension)
}

fn text_block<S>(text: Payload<S>) -> Payload<S> {
    Payload::map([("text", text)])
}

fn bytes_source<S>(bytes: Vec<u8>) -> Payload<S> {
    Payload::map([("bytes", Payload::Bytes(bytes))])
}

fn s3_source<S>(uri: String) -> Payload<S> {
    Payload::map([("s3Location", Payload::map([("uri", Payload::String(uri))]))])
}

/// Lets the model cite the block.
fn citations<S>() -> Member<S> {
    member("citations", Payload::map([("enabled", Payload::Bool(true))]))
}

fn search_result<S: Output>(result: SearchResultPart<S>) -> Payload<S> {
    let texts = result.content.into_iter().filter(|text| !is_blank(text));
    let content = texts.map(|text| text_block(Payload::Text(text))).collect();
    let mut block = vec![
        member("source", Payload::Text(result.source)),
        member("title", Payload::Text(result.title)),
        member("content", Payload::List(content)),
    ];
    block.extend(result.citations.then(citations));
    Payload::map([("searchResult", Payload::Map(block))])
}

fn file_id(index: usize, at: Position) -> RuleViolation {
    let problem = format!("part {index} has a `file_id`, and Bedrock keeps no files");
    RuleViolation::new(at, problem, "send the data in base64, or an `s3://` address")
}

fn not_a_data_url(index: usize, at: Position) -> RuleViolation {
    let problem = format!("part {index} has no data in a base64 `data:` URL");
    RuleViolation::new(at, problem, "write it as data:<MIME type>;base64,<data>")
}

/// The address of an object in S3, which is the only address that Bedrock reads.
fn s3_uri<S: Output>(url: &S, what: &str, index: usize, at: Position) -> Result<String, RuleViolation> {
    image_address::with_scheme(url, &["s3://"], what, index, "Bedrock").map_err(|problem| {
        RuleViolation::new(
            at,
            problem,
            "send the data in base64, or store them in S3 and give the `s3://` address",
        )
    })
}

fn image_url<S: Output>(url: &S, index: usize, at: Position) -> Result<Payload<S>, RuleViolation> {
    if url.with_str(media_type::is_data_url) {
        return url.with_str(|url| {
            let (media_type, data) = media_type::data_url(url).ok_or_else(|| not_a_data_url(index, at))?;
            image(media_type, &data.to_owned(), index, at)
        });
    }
    let uri = s3_uri(url, IMAGE, index, at)?;
    let format = media_type::of_name(&uri).and_then(image_format).ok_or_else(|| {
        let problem =
            format!("the address of the image in part {index} does not show a format that Bedrock accepts");
        RuleViolation::new(at, problem, "use an address that ends in .png, .jpg, .jpeg, .gif or .webp")
    })?;
    Ok(image_block(format, s3_source(uri)))
}

fn image<S, D: Output>(
    media_type: &str,
    data: &D,
    index: usize,
    at: Position,
) -> Result<Payload<S>, RuleViolation> {
    let format = image_format(media_type).ok_or_else(|| unknown_image(index, at))?;
    let bytes = data.with_str(base64::decode).ok_or_else(|| rules::not_base64(index, at))?;
    Ok(image_block(format, bytes_source(bytes)))
}

fn image_block<S>(format: &'static str, source: Payload<S>) -> Payload<S> {
    Payload::map([("image", Payload::map([("format", Payload::Static(format)), ("source", source)]))])
}

fn image_format(media_type: &str) -> Option<&'static str> {
    let extension = media_type::usual_extension(media_type)?;
    IMAGES.into_iter().find(|known| *known == extension)
}

fn unknown_image(index: usize, at: Position) -> RuleViolation {
    let problem = format!("part {index} is an image, but not a PNG, JPEG, GIF or WebP");
    RuleViolation::new(at, problem, "convert the image to one of these formats")
}

/// The kind of a block, which is its only key.
pub(super) fn key_of<S>(block: &Payload<S>) -> Option<&str> {
    match block {
        Payload::Map(members) => members.first().map(|(key, _)| key.as_str()),
        _ => None,
    }
}
