//! The columns that a batch adds to a table.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{ArrayRef, DictionaryArray, Int8Array, Int32Array, ListArray, StringArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields};

use crate::convert::{Payload, Report, message_dicts};
use crate::error::{Error, Kind, Result};
use crate::prompt::{ChatEntry, Compiled, Message, Role};
use crate::template::Text;

/// The maximum bytes of text in one array, whose offsets have 32 bits.
const ARRAY_BYTES: usize = i32::MAX as usize;

/// The fields of a message besides its role and content. All but `name`, `tool_call_id` and `refusal` are JSON.
const OTHER_FIELDS: [&str; 7] =
    ["parts", "refusal", "name", "tool_calls", "tool_call_id", "function_call", "cache"];

/// How messages are stored.
#[derive(Debug, Clone, Default)]
pub struct MessageShape {
    /// Whether a message can have more than a role and a text.
    pub has_other_fields: bool,
    /// Store roles and texts that are the same in every row once, as the values of dictionaries.
    pub dictionary: bool,
    /// The texts that are the same in every row.
    pub constants: Vec<String>,
}

impl MessageShape {
    /// The shape of the messages of a chat.
    #[must_use]
    pub fn of<T: Text>(compiled: &Compiled<T>, dictionary: bool) -> Self {
        let entries = compiled.prompt().chat_template.iter().flat_map(|chat| &chat.messages);
        let is_plain = |entry: &ChatEntry| match entry {
            ChatEntry::Message(message) => {
                let message = Message { optional: false, ..message.clone() };
                message.plain_text().is_some()
            }
            ChatEntry::Placeholder { .. } => false,
        };
        let has_other_fields = !entries.clone().all(is_plain);
        let mut constants = Vec::new();
        compiled.each_template(|_, template| {
            if !template.source().contains(['{', '\\'])
                && !constants.iter().any(|text| text == template.source())
            {
                constants.push(template.source().to_owned());
            }
        });
        Self { has_other_fields, dictionary, constants }
    }

    fn text_type(&self) -> DataType {
        if self.dictionary && !self.constants.is_empty() {
            dictionary_of(DataType::Int32)
        } else {
            DataType::Utf8
        }
    }

    fn fields(&self) -> Fields {
        let role = if self.dictionary { dictionary_of(DataType::Int8) } else { DataType::Utf8 };
        let mut fields = vec![Field::new("role", role, false), Field::new("content", self.text_type(), true)];
        if self.has_other_fields {
            fields.extend(OTHER_FIELDS.iter().map(|name| Field::new(*name, DataType::Utf8, true)));
        }
        fields.into()
    }

    fn item(&self) -> FieldRef {
        Arc::new(Field::new("item", DataType::Struct(self.fields()), false))
    }

    /// The type of the column.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        DataType::List(self.item())
    }
}

fn dictionary_of(keys: DataType) -> DataType {
    DataType::Dictionary(Box::new(keys), Box::new(DataType::Utf8))
}

/// Texts under construction, of which some are the same in every row.
#[derive(Debug)]
enum TextColumn {
    Plain(StringBuilder),
    /// The keys of the rows. The first values are the constants.
    Dictionary {
        keys: Vec<Option<i32>>,
        values: StringBuilder,
        count: i32,
    },
}

impl TextColumn {
    fn new(shape: &MessageShape) -> Self {
        let mut values = StringBuilder::new();
        if shape.text_type() == DataType::Utf8 {
            return Self::Plain(values);
        }
        for constant in &shape.constants {
            values.append_value(constant);
        }
        let count = i32::try_from(shape.constants.len()).unwrap_or(i32::MAX);
        Self::Dictionary { keys: Vec::new(), values, count }
    }

    fn push(&mut self, text: &str, constants: &[String]) {
        match self {
            Self::Plain(texts) => texts.append_value(text),
            Self::Dictionary { keys, values, count } => {
                let known = constants.iter().position(|constant| constant == text);
                let known = known.and_then(|at| i32::try_from(at).ok());
                keys.push(Some(known.unwrap_or_else(|| {
                    values.append_value(text);
                    *count += 1;
                    *count - 1
                })));
            }
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Plain(texts) => texts.append_null(),
            Self::Dictionary { keys, .. } => keys.push(None),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Plain(texts) => texts.values_slice().len(),
            Self::Dictionary { values, .. } => values.values_slice().len(),
        }
    }

    fn finish(self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Plain(mut texts) => Arc::new(texts.finish()),
            Self::Dictionary { keys, mut values, .. } => {
                let (keys, values) = (Int32Array::from(keys), Arc::new(values.finish()));
                Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values).map_err(|error| broken(&error))?)
            }
        })
    }
}

/// An error of Arrow about arrays that were made here.
fn broken(error: &arrow_schema::ArrowError) -> Error {
    Error::new(Kind::TemplateRender, format!("the result of the batch is not valid Arrow data: {error}"))
}

/// A column of messages under construction.
#[derive(Debug)]
pub struct MessagesColumn {
    shape: Arc<MessageShape>,
    offsets: Vec<i32>,
    rows: NullBufferBuilder,
    roles: Vec<i8>,
    contents: TextColumn,
    others: Vec<StringBuilder>,
}

/// A message as its fields.
enum MessageFields<'m> {
    Plain(&'m str),
    Any { content: Option<String>, others: Vec<Option<String>> },
}

impl MessagesColumn {
    fn new(shape: &Arc<MessageShape>) -> Self {
        let others = if shape.has_other_fields { OTHER_FIELDS.len() } else { 0 };
        Self {
            shape: Arc::clone(shape),
            offsets: vec![0],
            rows: NullBufferBuilder::new(0),
            roles: Vec::new(),
            contents: TextColumn::new(shape),
            others: (0..others).map(|_| StringBuilder::new()).collect(),
        }
    }

    fn push_message(&mut self, role: Role, message: MessageFields<'_>) {
        let role = Role::ALL.iter().position(|known| *known == role).unwrap_or_default();
        self.roles.push(i8::try_from(role).unwrap_or_default());
        match message {
            MessageFields::Plain(text) => {
                self.contents.push(text, &self.shape.constants);
                self.others.iter_mut().for_each(StringBuilder::append_null);
            }
            MessageFields::Any { content, others } => {
                match content {
                    Some(text) => self.contents.push(&text, &self.shape.constants),
                    None => self.contents.push_null(),
                }
                for (column, value) in self.others.iter_mut().zip(others) {
                    column.append_option(value);
                }
            }
        }
    }

    fn end_row(&mut self, is_valid: bool) {
        self.offsets.push(i32::try_from(self.roles.len()).unwrap_or(i32::MAX));
        self.rows.append(is_valid);
    }

    fn bytes(&self) -> usize {
        let others = self.others.iter().map(|column| column.values_slice().len());
        others.fold(self.contents.bytes(), usize::max)
    }

    fn finish(mut self) -> Result<ArrayRef> {
        let names = StringArray::from_iter_values(Role::ALL.iter().map(|role| role.as_str()));
        let roles: ArrayRef = if self.shape.dictionary {
            let keys = Int8Array::from(self.roles);
            let roles = DictionaryArray::<Int8Type>::try_new(keys, Arc::new(names));
            Arc::new(roles.map_err(|error| broken(&error))?)
        } else {
            let name = |role: i8| usize::try_from(role).map_or("", |role| names.value(role));
            Arc::new(StringArray::from_iter_values(self.roles.into_iter().map(name)))
        };
        let mut arrays = vec![roles, self.contents.finish()?];
        arrays.extend(self.others.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        let messages =
            StructArray::try_new(self.shape.fields(), arrays, None).map_err(|error| broken(&error))?;
        let offsets = OffsetBuffer::new(self.offsets.into());
        let list = ListArray::try_new(self.shape.item(), offsets, Arc::new(messages), self.rows.finish());
        Ok(Arc::new(list.map_err(|error| broken(&error))?))
    }
}

/// The fields of a message that has more than a role and a text.
fn fields_of(message: Message<String>, report: &mut Report) -> Result<Vec<(Role, MessageFields<'static>)>> {
    let role = message.role;
    let Payload::List(messages) = message_dicts::messages(vec![message], report)? else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for message in messages {
        let Payload::Map(members) = message else { continue };
        let mut content = None;
        let mut others = vec![None; OTHER_FIELDS.len()];
        for (key, value) in members {
            let key = match (key.as_str(), &value) {
                ("content", Payload::Text(text)) => {
                    content = Some(text.clone());
                    continue;
                }
                ("content", _) => "parts",
                (key, _) => key,
            };
            if let Some(at) = OTHER_FIELDS.iter().position(|field| *field == key) {
                others[at] = Some(match value {
                    Payload::Text(text) | Payload::String(text) => text,
                    value => value.to_json_text()?,
                });
            }
        }
        all.push((role, MessageFields::Any { content, others }));
    }
    Ok(all)
}

/// The result of a row.
#[derive(Debug)]
pub enum RowOutput {
    /// A text, or JSON.
    Text(String),
    /// Messages of a role and a text each.
    Plain(Vec<(Role, String)>),
    /// Any messages.
    Messages(Vec<Message<String>>),
}

impl RowOutput {
    /// An upper bound for the bytes that it adds to a column.
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Plain(messages) => messages.iter().map(|(_, text)| text.len()).sum(),
            Self::Messages(messages) => messages.iter().map(message_bytes).sum(),
        }
    }
}

/// An upper bound for the bytes of a message, of which everything but plain text is written as JSON.
fn message_bytes(message: &Message<String>) -> usize {
    /// The bytes of the longest escape in JSON, and what surrounds a text there.
    const ESCAPE: usize = 6;
    const AROUND: usize = 256;
    if let Some(text) = message.plain_text() {
        return text.len();
    }
    let mut bytes = AROUND;
    // The closure never fails.
    let _: Result<Message<()>> = message.try_map(|text| {
        bytes += text.len() * ESCAPE + AROUND;
        Ok(())
    });
    bytes
}

/// The column that a batch adds.
#[derive(Debug)]
pub enum OutputColumn {
    /// Texts, or JSON.
    Text(StringBuilder),
    /// Messages.
    Messages(Box<MessagesColumn>),
}

impl OutputColumn {
    /// An empty column: of messages of this shape, or else of texts.
    #[must_use]
    pub fn new(shape: Option<&Arc<MessageShape>>) -> Self {
        match shape {
            Some(shape) => Self::Messages(Box::new(MessagesColumn::new(shape))),
            None => Self::Text(StringBuilder::new()),
        }
    }

    /// The type of a column of messages of this shape, or else of texts.
    #[must_use]
    pub fn data_type(shape: Option<&Arc<MessageShape>>) -> DataType {
        shape.map_or(DataType::Utf8, |shape| shape.data_type())
    }

    /// Whether a row fits into the array that is under construction.
    #[must_use]
    pub fn has_room(&self, row: &RowOutput) -> bool {
        let bytes = match self {
            Self::Text(texts) => texts.values_slice().len(),
            Self::Messages(messages) => messages.bytes(),
        };
        bytes.saturating_add(row.bytes()) <= ARRAY_BYTES
    }

    /// Adds a row. `keep` takes back strings that can be used again.
    ///
    /// # Errors
    /// None for messages that a render made.
    pub fn push(&mut self, row: RowOutput, report: &mut Report, keep: impl Fn(String)) -> Result<()> {
        match (self, row) {
            (Self::Text(texts), RowOutput::Text(text)) => {
                texts.append_value(&text);
                keep(text);
            }
            (Self::Messages(column), RowOutput::Plain(messages)) => {
                for (role, text) in messages {
                    column.push_message(role, MessageFields::Plain(&text));
                    keep(text);
                }
                column.end_row(true);
            }
            (Self::Messages(column), RowOutput::Messages(messages)) => {
                let mut made = Vec::with_capacity(messages.len());
                for message in messages {
                    made.extend(fields_of(message, report)?);
                }
                for (role, fields) in made {
                    column.push_message(role, fields);
                }
                column.end_row(true);
            }
            (column, _) => column.push_null(),
        }
        Ok(())
    }

    /// Adds a row that failed.
    pub fn push_null(&mut self) {
        match self {
            Self::Text(texts) => texts.append_null(),
            Self::Messages(messages) => messages.end_row(false),
        }
    }

    /// The finished array.
    ///
    /// # Errors
    /// None: the parts have the types of the column.
    pub fn finish(self) -> Result<ArrayRef> {
        match self {
            Self::Text(mut texts) => Ok(Arc::new(texts.finish())),
            Self::Messages(messages) => messages.finish(),
        }
    }
}
