//! Reads chat entries: messages, their parts, tool calls and placeholders.
//!
//! Checks only the structure. The conversions check which fields a provider allows for a role.

use serde::de::IgnoredAny;
use serde_json::{Number, Value};

use super::message::{
    Content, FilePart, FunctionCall, Message, Part, PartBody, Role, SearchResultPart, ToolCall,
};
use super::model::ChatEntry;
use super::tree::Tree;
use super::{check_name, key_hints, keys, read_cache};
use crate::de::json;
use crate::de::{Fields, NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText, VALUE_DEPTH, unknown};
use crate::error::{Error, Kind, Result};

/// A chat entry as it was read.
#[derive(Debug)]
pub(super) struct RawEntry {
    pub(super) entry: ChatEntry,
    /// The places of the texts, in the order of [`Message::try_map`].
    pub(super) spans: Vec<SourceSpan>,
    /// Where its role is, or else the entry itself.
    pub(super) role: SourceSpan,
    /// Where the key of its content is.
    pub(super) content: Option<SourceSpan>,
}

impl ChatEntry {
    /// Reads a chat entry from JSON.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] with the only mistake, or a summary of several.
    pub fn from_json(json: &Value) -> Result<Self> {
        Self::from_node(SourceNode::of_json(json), false)
    }

    fn from_node(node: SourceNode<'_>, is_data: bool) -> Result<Self> {
        let kind = Kind::PromptInvalid;
        let mut reader = if is_data { NodeReader::of_data(kind) } else { NodeReader::new(kind) };
        let read = read_entry_as(&mut reader, node, is_data);
        let entry = reader.finish("the message", read)?;
        entry.map(|raw| raw.entry).ok_or_else(|| Error::new(Kind::PromptInvalid, "this is not a message"))
    }
}

impl Message<String> {
    /// Reads a message from JSON.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] with the only mistake, or a summary of several.
    pub fn from_json(json: &Value) -> Result<Self> {
        message_of_node(SourceNode::of_json(json))
    }
}

/// Reads a message whose texts are data.
///
/// # Errors
/// [`Kind::PromptInvalid`] with the only mistake, or a summary of several.
pub(super) fn message_of_node(node: SourceNode<'_>) -> Result<Message<String>> {
    match ChatEntry::from_node(node, true)? {
        ChatEntry::Message(message) => Ok(message),
        ChatEntry::Placeholder { .. } => {
            Err(Error::new(Kind::PromptInvalid, "expected a message, found a placeholder"))
        }
    }
}

/// The role of a placeholder.
const PLACEHOLDER: &str = "placeholder";

/// Reads a chat entry. If its role is wrong, the other keys are checked as those of a message.
pub(super) fn read_entry(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<RawEntry> {
    read_entry_as(reader, node, false)
}

/// [`read_entry`]. `is_data`: no text is a template.
fn read_entry_as(reader: &mut NodeReader<'_>, node: SourceNode<'_>, is_data: bool) -> Option<RawEntry> {
    let expected = "a message, which is a mapping";
    let mut fields = reader.hinted_fields(node, expected, keys::MESSAGE, key_hints::of_message)?;
    let content_span = fields.key_span("content");
    let role = reader.required(&mut fields, "role").and_then(|node| reader.text_or_expected(node));
    let role_span = role.as_ref().map_or(fields.last, |role| role.span);
    let optional = fields.take_value("optional").and_then(|node| reader.boolean(&node)).unwrap_or_default();
    if let Some(role) = role.as_ref().filter(|role| role.text == PLACEHOLDER) {
        return read_placeholder(reader, role.span, fields, optional);
    }
    let known = role.and_then(|role| {
        let known = Role::ALL.into_iter().find(|known| known.as_str() == role.text);
        if known.is_none() {
            let mut words = Role::ALL.map(Role::as_str).to_vec();
            words.push(PLACEHOLDER);
            reader.note(role.span, unknown(Kind::PromptInvalid, "role", &role.text, &words));
        }
        known
    });
    let is_error = fields.take_value("is_error").and_then(|node| reader.boolean(&node)).unwrap_or_default();
    // Texts are read in the order of `Message::try_map`, so that their places have this order too.
    let mut texts = TextReader { reader, spans: Vec::new(), is_data };
    let message = Message {
        role: known.unwrap_or(Role::User),
        content: fields.take_value("content").and_then(|node| texts.content(node)),
        refusal: texts.optional(&mut fields, "refusal"),
        name: texts.optional(&mut fields, "name"),
        tool_calls: fields.take_value("tool_calls").map(|node| texts.tool_calls(node)).unwrap_or_default(),
        tool_call_id: texts.optional(&mut fields, "tool_call_id"),
        function_call: fields.take_value("function_call").and_then(|node| texts.function_call(node)),
        cache: fields
            .take_value("cache")
            .and_then(|node| read_cache::read(texts.reader, node, texts.is_data)),
        optional,
        is_error,
        from_history: false,
        carried: None,
    };
    let spans = texts.spans;
    Some(RawEntry { entry: ChatEntry::Message(message), spans, role: role_span, content: content_span })
}

fn read_placeholder(
    reader: &mut NodeReader<'_>,
    role: SourceSpan,
    mut fields: Fields<'_>,
    optional: bool,
) -> Option<RawEntry> {
    let name = reader.optional_spanned(&mut fields, "name");
    match &name {
        Some(name) => {
            if let Err(error) = check_name(&name.text) {
                reader.note(name.span, error);
            }
        }
        None if fields.means("name") => {}
        None => reader.wrong_hint(
            role,
            "a placeholder needs a name",
            "name the variable that holds the messages: `name: history`",
        ),
    }
    for key in keys::MESSAGE {
        let is_empty =
            |node: &SourceNode<'_>| matches!(&node.value, NodeValue::List(items) if items.is_empty());
        if fields.take_value(key).is_some_and(|node| !(*key == "tool_calls" && is_empty(&node))) {
            reader.wrong(role, format!("a placeholder takes no `{key}`"));
        }
    }
    let entry = ChatEntry::Placeholder { name: name?.text, optional };
    Some(RawEntry { entry, spans: Vec::new(), role, content: None })
}

type PartReader<'r, 's> = for<'n> fn(&mut TextReader<'r, 's>, SourceNode<'n>) -> Option<Part<String>>;

/// The reader of a part whose keys depend on more than a list of required ones.
fn special_part<'r, 's>(node: &SourceNode<'_>) -> Option<PartReader<'r, 's>> {
    let NodeValue::Map(entries) = &node.value else { return None };
    let get = |name: &str| {
        let is_named = |key: &SourceNode<'_>| matches!(&key.value, NodeValue::Text(key) if key == name);
        entries.iter().find(|(key, _)| is_named(key)).map(|(_, value)| value)
    };
    let NodeValue::Text(word) = &get("type")?.value else { return None };
    match word.as_ref() {
        "file" => Some(TextReader::file_part),
        "search_result" => Some(TextReader::search_result),
        "image" if get("file_id").is_some() => Some(TextReader::uploaded_image),
        _ => None,
    }
}

/// Reads the texts of a message, which may be templates, and collects their places.
struct TextReader<'r, 's> {
    reader: &'r mut NodeReader<'s>,
    spans: Vec<SourceSpan>,
    /// Whether the texts are data and no templates.
    is_data: bool,
}

impl TextReader<'_, '_> {
    fn text(&mut self, node: SourceNode<'_>) -> String {
        self.spans.push(node.span);
        self.reader.text(node)
    }

    fn optional(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
        fields.take_value(key).map(|node| self.text(node))
    }

    fn required(&mut self, fields: &mut Fields<'_>, key: &'static str) -> String {
        self.reader.required(fields, key).map(|node| self.text(node)).unwrap_or_default()
    }

    fn content(&mut self, node: SourceNode<'_>) -> Option<Content<String>> {
        let node = match self.reader.spanned_or_node(node) {
            Ok(SpannedText { text, span }) => {
                self.spans.push(span);
                return Some(Content::Text(text));
            }
            Err(node) => node,
        };
        let items = self.reader.items(node, "a string or a list of parts")?;
        Some(Content::Parts(items.into_iter().filter_map(|item| self.part(item)).collect()))
    }

    /// Reads a part: a mapping, or just the text of a text part.
    fn part(&mut self, node: SourceNode<'_>) -> Option<Part<String>> {
        let node = match self.reader.spanned_or_node(node) {
            Ok(SpannedText { text, span }) => {
                self.spans.push(span);
                return Some(Part { body: PartBody::Text(text), cache: None });
            }
            Err(node) => node,
        };
        if let Some(read) = special_part(&node) {
            return read(self, node);
        }
        let expected = "a part of a message: a string, or a mapping with a `type`";
        let mut fields = self.reader.hinted_fields(node, expected, keys::PART, key_hints::of_part)?;
        let cache =
            fields.take_value("cache").and_then(|node| read_cache::read(self.reader, node, self.is_data));
        let part_type = self.reader.required(&mut fields, "type");
        let SpannedText { text: word, span } = self.reader.text_or_expected(part_type?)?;
        let Some((word, keys)) = keys::PART_TYPES.into_iter().find(|(known, _)| *known == word) else {
            let words = keys::PART_TYPES.map(|(word, _)| word);
            self.reader.note(span, unknown(Kind::PromptInvalid, "part type", &word, &words));
            return None;
        };
        if word == "image" && (fields.key_span("image_url").is_some() || fields.means("image_url")) {
            self.reader.wrong_hint(
                span,
                "an image with an address is a part of type image_url",
                key_hints::IMAGE,
            );
            return None;
        }
        for key in fields.keys().filter(|key| !keys.contains(key)) {
            self.reader.wrong(span, format!("a part of type {word} takes no `{key}`"));
        }
        for key in keys.iter().filter(|key| fields.key_span(key).is_none() && !fields.means(key)) {
            self.reader.wrong(span, format!("a part of type {word} needs `{key}`"));
        }
        let body = match word {
            "text" => PartBody::Text(self.text(fields.take("text")?)),
            "image_url" => self.image_url(fields.take("image_url")?)?,
            "image" => PartBody::Image {
                media_type: fields.take("media_type").map(|node| self.text(node)).unwrap_or_default(),
                data: fields.take("data").map(|node| self.text(node)).unwrap_or_default(),
            },
            "input_audio" => self.audio(fields.take("input_audio")?)?,
            _ => return None,
        };
        Some(Part { body, cache })
    }

    /// Reads a part of type `image` that is an uploaded file.
    fn uploaded_image(&mut self, node: SourceNode<'_>) -> Option<Part<String>> {
        let mut fields = self.reader.fields(node, "an image", keys::UPLOADED_IMAGE)?;
        let cache =
            fields.take_value("cache").and_then(|node| read_cache::read(self.reader, node, self.is_data));
        let file_id = self.required(&mut fields, "file_id");
        let media_type = self.optional(&mut fields, "media_type");
        Some(Part { body: PartBody::UploadedImage { file_id, media_type }, cache })
    }

    /// Reads a part of type `file`.
    fn file_part(&mut self, node: SourceNode<'_>) -> Option<Part<String>> {
        let known = keys::FILE_PART;
        let mut fields =
            self.reader.hinted_fields(node, "a file, which is a mapping", known, key_hints::of_file)?;
        let cache =
            fields.take_value("cache").and_then(|node| read_cache::read(self.reader, node, self.is_data));
        let stored = match fields.take_value("file") {
            Some(node) => Some(self.file(node)?),
            None => None,
        };
        let is_stored = stored.is_some();
        let mut file = stored.unwrap_or_default();
        file.url = self.optional(&mut fields, "url");
        file.text = self.optional(&mut fields, "text");
        let given =
            [is_stored, file.url.is_some(), file.text.is_some()].into_iter().filter(|given| *given).count();
        if given != 1 && !(given == 0 && ["file", "url", "text"].into_iter().any(|key| fields.means(key))) {
            self.reader.wrong(fields.last, "a part of type file needs one of `file`, `url` and `text`");
        }
        file.title = self.optional(&mut fields, "title");
        file.context = self.optional(&mut fields, "context");
        file.citations = self.flag(&mut fields, "citations");
        Some(Part { body: PartBody::File(Box::new(file)), cache })
    }

    /// Reads a part of type `search_result`. Its content is a text or a list of texts.
    fn search_result(&mut self, node: SourceNode<'_>) -> Option<Part<String>> {
        let expected = "a search result, which is a mapping";
        let mut fields = self.reader.fields(node, expected, keys::SEARCH_RESULT)?;
        let cache =
            fields.take_value("cache").and_then(|node| read_cache::read(self.reader, node, self.is_data));
        let source = self.required(&mut fields, "source");
        let title = self.required(&mut fields, "title");
        let content = self.reader.required(&mut fields, "content").and_then(|node| self.texts(node));
        let citations = self.flag(&mut fields, "citations");
        let result = SearchResultPart { source, title, content: content.unwrap_or_default(), citations };
        Some(Part { body: PartBody::SearchResult(Box::new(result)), cache })
    }

    fn flag(&mut self, fields: &mut Fields<'_>, key: &'static str) -> bool {
        fields.take_value(key).and_then(|node| self.reader.boolean(&node)).unwrap_or_default()
    }

    /// One text, or a list of texts and of text parts.
    fn texts(&mut self, node: SourceNode<'_>) -> Option<Vec<String>> {
        match self.content(node)? {
            Content::Text(text) => Some(vec![text]),
            Content::Parts(parts) => {
                let text = |part: Part<String>| match part.body {
                    PartBody::Text(text) => Some(text),
                    _ => None,
                };
                let texts: Option<Vec<String>> = parts.into_iter().map(text).collect();
                if texts.is_none() {
                    self.reader.wrong(SourceSpan::NONE, "a search result contains only texts");
                }
                texts
            }
        }
    }

    fn image_url(&mut self, node: SourceNode<'_>) -> Option<PartBody<String>> {
        let mut fields = self.reader.fields(node, "a mapping with `url`", keys::IMAGE_URL)?;
        let url = self.required(&mut fields, "url");
        Some(PartBody::ImageUrl { url, detail: self.optional(&mut fields, "detail") })
    }

    fn audio(&mut self, node: SourceNode<'_>) -> Option<PartBody<String>> {
        let expected = "a mapping with `data` and `format`";
        let mut fields = self.reader.fields(node, expected, keys::INPUT_AUDIO)?;
        let data = self.required(&mut fields, "data");
        Some(PartBody::Audio { data, format: self.required(&mut fields, "format") })
    }

    fn file(&mut self, node: SourceNode<'_>) -> Option<FilePart<String>> {
        let expected = "a mapping with `file_id`, or `filename` and `file_data`";
        let mut fields = self.reader.fields(node, expected, keys::FILE)?;
        let file_id = self.optional(&mut fields, "file_id");
        let filename = self.optional(&mut fields, "filename");
        let file_data = self.optional(&mut fields, "file_data");
        let is_meant = fields.means("file_id") || fields.means("file_data");
        if file_id.is_none() && file_data.is_none() && !is_meant {
            self.reader.wrong(fields.last, "`file_id` is missing");
        }
        Some(FilePart { file_id, filename, file_data, ..FilePart::default() })
    }

    fn tool_calls(&mut self, node: SourceNode<'_>) -> Vec<ToolCall<String>> {
        let items = self.reader.items(node, "a list of tool calls").unwrap_or_default();
        items.into_iter().filter_map(|item| self.tool_call(item)).collect()
    }

    fn tool_call(&mut self, node: SourceNode<'_>) -> Option<ToolCall<String>> {
        let known = keys::TOOL_CALL;
        let mut fields = self.reader.fields(node, "a tool call, which is a mapping", known)?;
        let id = self.required(&mut fields, "id");
        if let Some(word) = fields.take("type") {
            read_function_type(self.reader, word);
        }
        let function = match fields.take_value("function") {
            Some(function) => {
                if let Some((key, span)) = fields.first_of(|_| true) {
                    let message = format!("a tool call has `function` or `{key}`, not both");
                    self.reader.wrong(span, message);
                }
                self.function_call(function)?
            }
            None if fields.key_span("name").is_some() => self.function(&mut fields),
            None => {
                if !fields.means("function") && !fields.means("name") {
                    self.reader.wrong(fields.last, "`function` is missing");
                }
                return None;
            }
        };
        Some(ToolCall { id, function })
    }

    fn function_call(&mut self, node: SourceNode<'_>) -> Option<FunctionCall<String>> {
        let expected = "a function call, which is a mapping";
        let mut fields = self.reader.fields(node, expected, keys::FUNCTION_CALL)?;
        Some(self.function(&mut fields))
    }

    fn function(&mut self, fields: &mut Fields<'_>) -> FunctionCall<String> {
        const HINT: &str = "write the arguments as a mapping; each text in it is a template of its own";
        let name = self.required(fields, "name");
        let without = FunctionCall { name, arguments: Tree::Map(Vec::new()) };
        let Some(node) = fields.take_value("arguments") else { return without };
        let span = node.span;
        let arguments = match node.value {
            NodeValue::Text(text) => match self.arguments_text(&text, span) {
                Some(arguments) => return FunctionCall { arguments, ..without },
                None => return without,
            },
            value => self.tree(SourceNode { span, value }, None, 0),
        };
        if !matches!(arguments, Tree::Map(_)) {
            self.reader.wrong_hint(span, "arguments must be an object", HINT);
        }
        FunctionCall { arguments, ..without }
    }

    /// Arguments that are written as JSON text. A text that holds no template stays as it is, character for character;
    /// models write an empty one for a function without arguments.
    fn arguments_text(&mut self, text: &str, span: SourceSpan) -> Option<Tree<String>> {
        const HINT: &str = "write the arguments as a mapping; each text in it is a template of its own";
        let has_template = text.contains("{{") && !self.is_data;
        if !text.trim().is_empty() {
            let parsed = if self.is_data { json::parse_data(text) } else { json::parse(text) };
            let node = match parsed {
                Ok(node) => node,
                // The conversion decides what to do about arguments of a history that are not JSON.
                Err(_) if self.is_data && serde_json::from_str::<IgnoredAny>(text).is_err() => {
                    self.spans.push(span);
                    return Some(Tree::Text(text.to_owned()));
                }
                Err(why) => {
                    self.reader.wrong_hint(span, format!("these arguments are not JSON: {why}"), HINT);
                    return None;
                }
            };
            if !matches!(node.value, NodeValue::Map(_)) {
                self.reader.wrong_hint(span, "arguments must be an object", HINT);
                return None;
            }
            if has_template {
                let before = self.spans.len();
                let tree = self.tree(node, Some(text), 0);
                // The places of its texts are within the JSON text, which has one place.
                self.spans[before..].fill(span);
                return Some(tree);
            }
        }
        self.spans.push(span);
        Some(Tree::Text(text.to_owned()))
    }

    /// The arguments of a call. `json` is the text that they are in, unless they are written as a mapping.
    fn tree(&mut self, node: SourceNode<'_>, json: Option<&str>, depth: usize) -> Tree<String> {
        if depth > VALUE_DEPTH {
            self.reader.wrong_hint(node.span, "the arguments are nested too deeply", "at most 64 levels");
            return Tree::Null;
        }
        match node.value {
            NodeValue::Null => Tree::Null,
            NodeValue::Bool(value) => Tree::Bool(value),
            NodeValue::Number(ref number) => {
                let written = match json {
                    Some(json) => node.span.slice(json),
                    None => self.reader.written(&node),
                };
                match written.filter(|written| is_other_spelling(written, number)) {
                    Some(written) => Tree::ExactNumber(written.to_owned()),
                    None => Tree::Number(number.clone()),
                }
            }
            NodeValue::ExactNumber(text) => Tree::ExactNumber(text.into_owned()),
            NodeValue::NonFinite => {
                self.reader.wrong(node.span, "an argument is NaN or infinite, which JSON cannot hold");
                Tree::Null
            }
            NodeValue::Text(text) => {
                self.spans.push(node.span);
                Tree::Text(text.into_owned())
            }
            NodeValue::List(items) => {
                Tree::List(items.into_iter().map(|item| self.tree(item, json, depth + 1)).collect())
            }
            NodeValue::Map(_) => {
                let members = self.reader.members(node, "a mapping").unwrap_or_default();
                let read = members.into_iter().map(|(key, span, value)| {
                    if !self.is_data && key.contains("{{") {
                        self.reader.wrong_hint(span, "a key of the arguments is no template", KEY_HINT);
                    }
                    (key, self.tree(value, json, depth + 1))
                });
                Tree::Map(read.collect())
            }
        }
    }
}

const KEY_HINT: &str = "write the key as it is; only the texts of the values are templates";

/// Whether a number is written in JSON, and otherwise than the number itself would be: `1.50`.
fn is_other_spelling(written: &str, number: &Number) -> bool {
    written != number.to_string() && written.parse::<Number>().is_ok()
}

/// Checks `type: function`, which tools and calls have in OpenAI's format.
pub(super) fn read_function_type(reader: &mut NodeReader<'_>, node: SourceNode<'_>) {
    if let Some(SpannedText { text, span }) = reader.text_or_expected(node)
        && text != "function"
    {
        reader.note(span, unknown(Kind::PromptInvalid, "tool type", &text, &["function"]));
    }
}
