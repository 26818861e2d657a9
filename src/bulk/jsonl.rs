//! Writes requests as the batch files of providers: one JSON object a line, split at the providers' limits.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::io::{BufWriter, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use super::value::{ArrowValue, Column};
use crate::convert::call_arguments::{body_of, is_of_call, may_have_client_arguments};
use crate::error::{Error, Kind, Result};
use crate::prompt::snake_case;
use crate::store::atomic::{cannot_write, directory_of, replaceable, sync_directory};
use crate::template::JsonText;

/// The provider that a batch file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonlProvider {
    /// OpenAI's Chat Completions API.
    Chat,
    /// OpenAI's Responses API.
    Responses,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
}

impl JsonlProvider {
    /// The provider with this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "openai" => Self::Chat,
            "openai-responses" => Self::Responses,
            "anthropic" => Self::Anthropic,
            "gemini" => Self::Gemini,
            _ => return None,
        })
    }

    /// The address of the API, in files for OpenAI.
    #[must_use]
    pub fn url(self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("/v1/chat/completions"),
            Self::Responses => Some("/v1/responses"),
            Self::Anthropic | Self::Gemini => None,
        }
    }

    /// The provider's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "OpenAI",
            Self::Anthropic => "Anthropic",
            Self::Gemini => "Gemini",
        }
    }

    /// The rule for ids of requests, for the hints of errors.
    #[must_use]
    pub fn id_rule(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "use 1 to 64 characters",
            Self::Anthropic => "use 1 to 64 letters, digits, `_` and `-`",
            Self::Gemini => "use at least one character",
        }
    }

    /// Whether the provider accepts this id of a request; see [`Self::id_rule`].
    #[must_use]
    pub fn accepts(self, id: &str) -> bool {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let is_short = id.chars().nth(64).is_none();
        match self {
            Self::Chat | Self::Responses => !id.is_empty() && is_short,
            Self::Anthropic => !id.is_empty() && is_short && id.chars().all(is_word),
            Self::Gemini => !id.is_empty(),
        }
    }
}

/// The hint for a column without requests.
const RENDER_FIRST: &str = "render requests first: manager.batch(id, to=\"openai-request\")";

/// How requests are written.
#[derive(Debug, Clone)]
pub struct JsonlOptions {
    /// The provider.
    pub provider: JsonlProvider,
    /// The column with the requests, as JSON.
    pub column: String,
    /// The column with the ids of the requests. `None`: `row-0`, `row-1`, …
    pub custom_id: Option<String>,
    /// The most requests in a file.
    pub max_requests: usize,
    /// The most bytes of a file.
    pub max_bytes: usize,
}

/// Writes requests to a file, and when it is full to the next one. Each file appears when it is complete.
#[derive(Debug)]
pub struct JsonlWriter {
    options: JsonlOptions,
    path: PathBuf,
    part: Option<JsonlPart>,
    row: usize,
    /// What was written so far.
    pub result: JsonlResult,
}

/// What was written.
#[derive(Debug, Default, Clone)]
pub struct JsonlResult {
    /// The complete files.
    pub paths: Vec<PathBuf>,
    /// How many requests they have.
    pub requests: usize,
    /// How many rows had no request, because they could not be rendered.
    pub skipped: usize,
    /// The arguments of calls that requests had, and that a line of a batch does not have.
    pub left_out: BTreeSet<String>,
}

/// A file that is not complete yet.
#[derive(Debug)]
struct JsonlPart {
    path: PathBuf,
    /// What the path leads to, if it is a link.
    place: PathBuf,
    file: BufWriter<NamedTempFile>,
    requests: usize,
    bytes: usize,
    ids: HashSet<String>,
}

impl JsonlWriter {
    /// A writer of files: `path`, and with a number before its extension those after the first.
    ///
    /// # Errors
    /// [`Kind::StorageWrite`] if the table lacks a column.
    pub fn new(path: &Path, schema: &Schema, options: JsonlOptions) -> Result<Self> {
        for column in [Some(&options.column), options.custom_id.as_ref()].into_iter().flatten() {
            if schema.column_with_name(column).is_none() {
                let message = format!("the table has no column '{column}'");
                return Err(Error::new(Kind::StorageWrite, message).with_hint(RENDER_FIRST));
            }
        }
        let result = JsonlResult::default();
        Ok(Self { options, path: path.to_owned(), part: None, row: 0, result })
    }

    /// Writes the requests of a record batch.
    ///
    /// # Errors
    /// [`Kind::StorageWrite`] for a file that cannot be written, a request that is longer than a file may be, and an id
    /// that the provider refuses or that another request has. The files that are complete stay.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let open = |name: &str| {
            let (at, field) = rows
                .schema_ref()
                .column_with_name(name)
                .ok_or_else(|| Error::new(Kind::StorageWrite, format!("the table has no column '{name}'")))?;
            Column::open(field, rows.column(at).as_ref())
                .map_err(|why| Error::new(Kind::StorageWrite, format!("the column '{name}' {why}")))
        };
        let requests = open(&self.options.column)?;
        let ids = self.options.custom_id.as_deref().map(open).transpose()?;
        for row in 0..rows.num_rows() {
            let number = self.row + row;
            match requests.value(row) {
                ArrowValue::Null => self.result.skipped += 1,
                ArrowValue::Text(request) => {
                    let id = match &ids {
                        None => format!("row-{number}"),
                        Some(ids) => id_of(&ids.value(row))
                            .ok_or_else(|| failed(number, "the id is neither a text nor an integer"))?,
                    };
                    self.request(number, &id, request)?;
                }
                _ => return Err(LineProblem::NoJson.in_row(number)),
            }
        }
        self.row += rows.num_rows();
        Ok(())
    }

    fn request(&mut self, number: usize, id: &str, request: &str) -> Result<()> {
        let provider = self.options.provider;
        if !provider.accepts(id) {
            let provider = self.options.provider;
            let problem = format!("{} does not accept the id", provider.name());
            return Err(failed(number, &problem).with_hint(provider.id_rule()));
        }
        let line = line(provider, id, request).map_err(|problem| problem.in_row(number))?;
        if line.len() > self.options.max_bytes {
            return Err(failed(number, "the request is longer than a whole file may be"));
        }
        let is_full = self.part.as_ref().is_some_and(|part| {
            part.requests >= self.options.max_requests || part.bytes + line.len() > self.options.max_bytes
        });
        if is_full {
            self.complete()?;
        }
        let part = match &mut self.part {
            Some(part) => part,
            none => none.insert(JsonlPart::create(numbered(&self.path, self.result.paths.len()))?),
        };
        if !part.ids.insert(id.to_owned()) {
            return Err(failed(number, "another request of the file has the same id"));
        }
        part.file.write_all(line.as_bytes()).map_err(|error| cannot_write(&part.path, error))?;
        part.requests += 1;
        part.bytes += line.len();
        self.result.left_out.extend(arguments_of_call(provider, request));
        Ok(())
    }

    /// Completes the current file.
    fn complete(&mut self) -> Result<()> {
        let Some(part) = self.part.take() else { return Ok(()) };
        let (path, place) = (part.path, part.place);
        let file = part.file.into_inner().map_err(|error| cannot_write(&path, error.into_error()))?;
        file.as_file().sync_all().map_err(|error| cannot_write(&path, error))?;
        file.persist(&place).map_err(|error| cannot_write(&path, error.error))?;
        sync_directory(directory_of(&place)).map_err(|error| cannot_write(&path, error))?;
        self.result.requests += part.requests;
        self.result.paths.push(path);
        Ok(())
    }

    /// Completes the last file.
    ///
    /// # Errors
    /// [`Kind::StorageWrite`] if it cannot be written.
    pub fn finish(mut self) -> Result<JsonlResult> {
        self.complete()?;
        Ok(self.result)
    }
}

impl JsonlPart {
    fn create(path: PathBuf) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".tmp");
        let builder = with_usual_permissions(&mut builder);
        let place = replaceable(&path)?;
        let file = builder.tempfile_in(directory_of(&place)).map_err(|error| cannot_write(&path, error))?;
        let file = BufWriter::new(file);
        Ok(Self { path, place, file, requests: 0, bytes: 0, ids: HashSet::new() })
    }
}

/// Gives the file the permissions of a new file, instead of those of a secret.
#[cfg(unix)]
fn with_usual_permissions<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    builder.permissions(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn with_usual_permissions<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}

/// The path of a file after the first.
fn numbered(path: &Path, at: usize) -> PathBuf {
    if at == 0 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}", at + 1));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn id_of(value: &ArrowValue<'_>) -> Option<String> {
    match value {
        ArrowValue::Text(text) => Some((*text).to_owned()),
        ArrowValue::Integer(number) => Some(number.to_string()),
        ArrowValue::Digits(number) => Some(number.to_string()),
        ArrowValue::Uuid(uuid) => Some(uuid.to_string()),
        _ => None,
    }
}

/// Why a request cannot be a line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineProblem {
    NoJson,
    OtherProvider,
    Stream,
}

impl LineProblem {
    fn in_row(self, number: usize) -> Error {
        match self {
            Self::NoJson => failed(number, "the request is no JSON object").with_hint(RENDER_FIRST),
            Self::OtherProvider => failed(number, "the request is for another provider")
                .with_hint("pass the `provider` that the requests were rendered for"),
            Self::Stream => failed(number, "the request asks for a stream, and a batch has none")
                .with_hint("leave out the setting `stream`"),
        }
    }
}

type LineResult<T> = std::result::Result<T, LineProblem>;

/// The line of a request.
fn line(provider: JsonlProvider, id: &str, request: &str) -> LineResult<String> {
    let mut text = JsonText::new(None, usize::MAX);
    text.string(id).map_err(|_| LineProblem::NoJson)?;
    let id = text.finish();
    if provider == JsonlProvider::Gemini {
        return Ok(format!("{{\"key\":{id},\"request\":{}}}\n", gemini_body(request)?));
    }
    let request = body(provider, request)?;
    Ok(match provider.url() {
        Some(url) => {
            format!("{{\"custom_id\":{id},\"method\":\"POST\",\"url\":\"{url}\",\"body\":{request}}}\n")
        }
        None => format!("{{\"custom_id\":{id},\"params\":{request}}}\n"),
    })
}

/// The arguments of a request, as JSON, that the provider's package uses for the call itself, which a line is not.
#[must_use]
pub fn arguments_of_call(provider: JsonlProvider, request: &str) -> Vec<String> {
    let found = match provider {
        JsonlProvider::Gemini if request.contains(HTTP_OPTIONS) => options_of_call(request),
        JsonlProvider::Gemini => return Vec::new(),
        _ if may_have_client_arguments(request) => members(request).map(|members| {
            let is_given = |value: &RawValue| !matches!(value.get(), "null" | "{}" | "0" | "\"\"");
            let of_call = members.into_iter().filter(|(name, value)| is_of_call(name) && is_given(value));
            of_call.map(|(name, _)| name).collect()
        }),
        _ => return Vec::new(),
    };
    found.unwrap_or_default()
}

/// The options of Google's package for its requests, except those that are members of the body.
fn options_of_call(request: &str) -> LineResult<Vec<String>> {
    let arguments = members(request)?;
    let config = member(&arguments, "config").map_or(Ok(Vec::new()), members_or_none)?;
    let options = member(&config, HTTP_OPTIONS).map_or(Ok(Vec::new()), members_or_none)?;
    let names = options.into_iter().map(|(name, _)| name).filter(|name| name != "extra_body");
    Ok(names.map(|name| format!("{HTTP_OPTIONS}.{name}")).collect())
}

const HTTP_OPTIONS: &str = "http_options";

const STREAM: &str = "stream";

impl JsonlProvider {
    /// The members of a request that show that it is for another provider.
    fn foreign_members(self) -> &'static [&'static str] {
        match self {
            Self::Chat => {
                &["contents", "modelId", "input", "instructions", "system", "output_config", "stop_sequences"]
            }
            Self::Responses => &["contents", "modelId", "messages"],
            Self::Anthropic => &["contents", "modelId", "input", "instructions", "response_format"],
            Self::Gemini => &[],
        }
    }

    /// Whether a request with these members is for another provider.
    fn refuses<'n>(self, names: impl Iterator<Item = &'n str>) -> bool {
        let (mut has_messages, mut has_max_tokens) = (false, false);
        for name in names {
            if self.foreign_members().contains(&name) {
                return true;
            }
            has_messages |= name == "messages";
            has_max_tokens |= name == "max_tokens";
        }
        // Anthropic requires it beside the messages.
        self == Self::Anthropic && has_messages && !has_max_tokens
    }
}

/// The body of a request: the arguments of the call, as the packages of OpenAI and Anthropic send them.
fn body(provider: JsonlProvider, request: &str) -> LineResult<String> {
    let is_line = request.starts_with('{') && !request.contains(['\n', '\r']);
    if is_line && !request.contains(STREAM) && !may_have_client_arguments(request) {
        // This checks the syntax, and keeps no value.
        let MemberList(names): MemberNames<'_> =
            serde_json::from_str(request).map_err(|_| LineProblem::NoJson)?;
        let is_foreign = provider.refuses(names.iter().map(|(name, _)| &*name.0));
        return if is_foreign { Err(LineProblem::OtherProvider) } else { Ok(request.to_owned()) };
    }
    let mut members = body_of(members(request)?, members_or_none)?;
    if provider.refuses(members.iter().map(|(name, _)| name.as_str())) {
        return Err(LineProblem::OtherProvider);
    }
    if members.iter().any(|(name, value)| name == STREAM && value.get() == "true") {
        return Err(LineProblem::Stream);
    }
    members.retain(|(name, _)| name != STREAM);
    let text = serde_json::to_string(&MemberList(members)).map_err(|_| LineProblem::NoJson)?;
    Ok(on_one_line(&text))
}

/// The members of Gemini's `config` that are beside the generation settings in the body of a request.
const GEMINI_BODY: [&str; 7] =
    ["tools", "tool_config", "safety_settings", "cached_content", "labels", "service_tier", "store"];
/// Those that are for Google's package alone.
const GEMINI_PACKAGE: [&str; 3] = [HTTP_OPTIONS, "should_return_http_response", "automatic_function_calling"];

/// The body of one request for Gemini, as a line of a batch file has it. `None` if the text is no request for Gemini.
#[must_use]
pub fn gemini_batch_body(request: &str) -> Option<String> {
    gemini_body(request).ok()
}

/// The body of a request for Gemini: the arguments of `generate_content`, as Google's package sends them. The model is an
/// argument of the batch.
fn gemini_body(request: &str) -> LineResult<String> {
    let arguments = members(request)?;
    let contents = member(&arguments, "contents").ok_or(LineProblem::OtherProvider)?;
    let config = member(&arguments, "config").map_or(Ok(Vec::new()), members_or_none)?;
    let mut body = vec![("contents".to_owned(), contents.get().to_owned())];
    if let Some(instruction) = member(&config, "system_instruction").filter(|it| it.get() != "null") {
        let text = instruction.get();
        let instruction = if text.starts_with('"') {
            format!("{{\"parts\":[{{\"text\":{text}}}]}}")
        } else {
            text.to_owned()
        };
        body.push(("system_instruction".to_owned(), instruction));
    }
    let mut settings = Vec::new();
    for (name, value) in &config {
        if GEMINI_BODY.contains(&name.as_str()) {
            body.push((name.clone(), value.get().to_owned()));
        } else if name != "system_instruction" && !GEMINI_PACKAGE.contains(&name.as_str()) {
            settings.push((name.clone(), value.get().to_owned()));
        }
    }
    if !settings.is_empty() {
        body.push(("generation_config".to_owned(), object(&settings)));
    }
    let options = member(&config, HTTP_OPTIONS).map_or(Ok(Vec::new()), members_or_none)?;
    let extra = member(&options, "extra_body").map_or(Ok(Vec::new()), members_or_none)?;
    Ok(on_one_line(&object(&merged(body, extra)?)))
}

/// The members of an object together with more, which replace them. Objects are merged, and a name may be in either spelling,
/// as in Google's package.
fn merged(
    mut body: Vec<(String, String)>,
    more: Vec<(String, &RawValue)>,
) -> LineResult<Vec<(String, String)>> {
    for (name, value) in more {
        let value = value.get();
        let word = snake_case(&name);
        match body.iter_mut().find(|(known, _)| snake_case(known) == word) {
            None => body.push((name, value.to_owned())),
            Some((_, own)) if own.starts_with('{') && value.starts_with('{') => {
                let inner = members(own)?.into_iter().map(|(name, value)| (name, value.get().to_owned()));
                *own = object(&merged(inner.collect(), members(value)?)?);
            }
            Some((_, own)) => value.clone_into(own),
        }
    }
    Ok(body)
}

fn members(object: &str) -> LineResult<Vec<(String, &RawValue)>> {
    serde_json::from_str(object)
        .map(|MemberList(members): RawMembers<'_>| members)
        .map_err(|_| LineProblem::NoJson)
}

/// The members of an object, and none of null.
fn members_or_none(value: &RawValue) -> LineResult<Vec<(String, &RawValue)>> {
    if value.get() == "null" { Ok(Vec::new()) } else { members(value.get()) }
}

fn member<'v>(members: &[(String, &'v RawValue)], name: &str) -> Option<&'v RawValue> {
    members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// An object of members whose values are JSON texts.
fn object(members: &[(String, String)]) -> String {
    let name_of = |name: &str| serde_json::Value::from(name).to_string();
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", name_of(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// The text with its line breaks as spaces. They are between the tokens of a value, because a string of JSON has none.
fn on_one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

/// The members of an object, those of one name too.
struct MemberList<N, V>(Vec<(N, V)>);

/// The members of an object with the text of each value, so that no number changes.
type RawMembers<'a> = MemberList<String, &'a RawValue>;

/// The members of an object without their values.
type MemberNames<'a> = MemberList<MemberName<'a>, IgnoredAny>;

/// A name, which is copied only if it has escapes.
#[derive(Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, N: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for MemberList<N, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct MemberListVisitor<N, V>(PhantomData<(N, V)>);

        impl<'de, N: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for MemberListVisitor<N, V> {
            type Value = MemberList<N, V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(MemberList(members))
            }
        }

        deserializer.deserialize_map(MemberListVisitor(PhantomData))
    }
}

impl Serialize for RawMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn failed(row: usize, message: &str) -> Error {
    Error::new(Kind::StorageWrite, format!("row {row}: {message}")).with_context("row", row.to_string())
}
