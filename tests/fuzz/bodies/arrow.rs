//! Renders any template over the rows of any Arrow table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::{Result as Taken, Unstructured};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int8Type, Int32Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Int32Array, LargeListArray,
    LargeStringArray, ListArray, MapArray, NullArray, PrimitiveArray, RecordBatch, RunArray, StringArray,
    StringViewArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use prompt_manager::bulk::{Batch, BatchHost, BatchPrompt, BatchTarget};
use prompt_manager::prompt::{Compiled, Prompt, Status};
use prompt_manager::template::{EmptyLibrary, JsonData, JsonDataValue, TemplateOptions};
use serde_json::{Map, Value, json};

use super::SEPARATOR;

/// The columns, which random templates are likely to use.
const COLUMNS: [&str; 3] = ["a", "b", "c"];

/// Types nest no deeper.
const DEPTH: usize = 4;

/// The name of the key and of the value of a map's entries.
const ENTRY: [&str; 2] = ["key", "value"];

/// A type of column.
#[derive(Debug, Clone)]
enum Cell {
    Null,
    Bool,
    Int8,
    Int64,
    UInt64,
    Float64,
    Text,
    LargeText,
    TextView,
    Dictionary,
    Runs,
    List(Box<Cell>),
    LargeList(Box<Cell>),
    Pair(Box<Cell>),
    Struct(Vec<Cell>),
    Map(Box<Cell>),
}

struct NoInterrupt;

impl BatchHost for NoInterrupt {
    fn check_interrupt(&self) -> prompt_manager::Result<()> {
        Ok(())
    }
}

/// Renders a template over a table, and over the same rows as JSON. Texts and errors are the same.
///
/// The input is the template, a byte of 255, two bytes of options, then the type of each column, the number of rows and
/// their values.
pub fn run(data: &[u8]) {
    let mut pieces = data.splitn(2, |byte| *byte == SEPARATOR);
    let Some(Ok(source)) = pieces.next().map(std::str::from_utf8) else { return };
    let mut input = Unstructured::new(pieces.next().unwrap_or_default());
    let Ok(options) = super::options(&mut input) else { return };
    let Ok((types, rows)) = table(&mut input) else { return };
    let document = json!({"id": "fuzzed", "template": source});
    let Ok(prompt) = Prompt::from_json(&document, Status::Active) else { return };
    let Some(rendered) = batch_texts(&prompt, &options, &types, &rows) else { return };
    let compiled = Compiled::<Box<str>>::compile(prompt, &options, &EmptyLibrary).expect("it compiled above");
    let data = if options.is_javascript() { JsonData::javascript() } else { JsonData::default() };
    for (at, (row, found)) in rows.iter().zip(rendered).enumerate() {
        let expected = compiled
            .render(&data, &JsonDataValue::Borrowed(row), &EmptyLibrary)
            .map_err(|error| format!("row {at}: {}", error.message()));
        assert_eq!(found, expected, "{source:?} over {row} of {types:?}");
    }
}

/// Reads the types and the rows of a table.
fn table(input: &mut Unstructured<'_>) -> Taken<(Vec<Cell>, Vec<Value>)> {
    let types = COLUMNS.iter().map(|_| cell(input, 0)).collect::<Taken<Vec<Cell>>>()?;
    let count = input.arbitrary::<u8>()? % 5;
    let mut rows = Vec::new();
    for _ in 0..count {
        let mut row = Map::new();
        for (name, cell) in COLUMNS.iter().zip(&types) {
            row.insert((*name).to_owned(), value(cell, input)?);
        }
        rows.push(Value::Object(row));
    }
    Ok((types, rows))
}

fn cell(input: &mut Unstructured<'_>, depth: usize) -> Taken<Cell> {
    let byte: u8 = input.arbitrary()?;
    let inner = |input: &mut Unstructured<'_>| cell(input, depth + 1).map(Box::new);
    Ok(match byte % 16 {
        0 => Cell::Null,
        1 => Cell::Bool,
        2 => Cell::Int8,
        3 => Cell::Int64,
        4 => Cell::UInt64,
        5 => Cell::Float64,
        6 => Cell::LargeText,
        7 => Cell::TextView,
        8 => Cell::Dictionary,
        9 => Cell::Runs,
        10 if depth < DEPTH => Cell::List(inner(input)?),
        11 if depth < DEPTH => Cell::LargeList(inner(input)?),
        12 if depth < DEPTH => Cell::Pair(inner(input)?),
        13 if depth < DEPTH => Cell::Struct(vec![cell(input, depth + 1)?, cell(input, depth + 1)?]),
        14 if depth < DEPTH => Cell::Map(inner(input)?),
        _ => Cell::Text,
    })
}

/// Reads a value of a type: a byte of 0 for null, and otherwise what is in it.
fn value(cell: &Cell, input: &mut Unstructured<'_>) -> Taken<Value> {
    let size: u8 = input.arbitrary()?;
    if size == 0 {
        return Ok(Value::Null);
    }
    let list = |cell: &Cell, length: u8, input: &mut Unstructured<'_>| {
        (0..length).map(|_| value(cell, input)).collect::<Taken<Value>>()
    };
    Ok(match cell {
        Cell::Null => Value::Null,
        Cell::Bool => Value::from(size % 2 == 1),
        Cell::Int8 => Value::from(input.arbitrary::<i8>()?),
        Cell::Int64 => Value::from(input.arbitrary::<i64>()?),
        Cell::UInt64 => Value::from(input.arbitrary::<u64>()?),
        Cell::Float64 => Value::from(input.arbitrary::<f64>()?),
        Cell::Text | Cell::LargeText | Cell::TextView | Cell::Dictionary | Cell::Runs => {
            Value::from(super::text(input)?)
        }
        Cell::List(inner) | Cell::LargeList(inner) => list(inner, size % 4, input)?,
        Cell::Pair(inner) => list(inner, 2, input)?,
        Cell::Struct(inner) => {
            let mut members = Map::new();
            for (name, cell) in COLUMNS.iter().zip(inner) {
                members.insert((*name).to_owned(), value(cell, input)?);
            }
            Value::Object(members)
        }
        Cell::Map(inner) => {
            let mut members = Map::new();
            for _ in 0..size % 4 {
                members.insert(super::text(input)?, value(inner, input)?);
            }
            Value::Object(members)
        }
    })
}

/// The text or the error of each row. `None` if the template cannot be compiled, or needs another column.
fn batch_texts(
    prompt: &Prompt,
    options: &TemplateOptions,
    types: &[Cell],
    rows: &[Value],
) -> Option<Vec<Result<String, String>>> {
    let render = BatchPrompt::compile(prompt.clone(), [], [], options).ok()?;
    let batch = Batch {
        needs: render.needs(BTreeMap::new()),
        prompt: prompt.clone(),
        render: Box::new(render),
        target: BatchTarget::Text,
        output_instructions: true,
        column: "text".to_owned(),
        error_column: Some("error".to_owned()),
        threads: 1,
    };
    // The table is a slice from the second row on, so that offsets count.
    let columns = COLUMNS.iter().zip(types).map(|(name, cell)| {
        let values: Vec<&Value> =
            [&Value::Null].into_iter().chain(rows.iter().map(|row| &row[*name])).collect();
        (*name, array(cell, &values), true)
    });
    let table = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let table = table.slice(1, rows.len());
    let (used, schema) = batch.check(table.schema_ref()).ok()?;
    let result = batch.render(&table, 0, &used, &schema, &NoInterrupt).expect("errors have a column");
    let mut found = Vec::new();
    for part in &result.batches {
        let texts = part.column_by_name("text").expect("the new column").as_string::<i32>();
        let errors = part.column_by_name("error").expect("the errors").as_string::<i32>();
        found.extend((0..part.num_rows()).map(|at| {
            assert_ne!(texts.is_null(at), errors.is_null(at), "a text or an error");
            if texts.is_null(at) { Err(errors.value(at).to_owned()) } else { Ok(texts.value(at).to_owned()) }
        }));
    }
    assert_eq!(found.len(), rows.len());
    Some(found)
}

/// An array of these values.
fn array(cell: &Cell, values: &[&Value]) -> ArrayRef {
    let texts = || values.iter().map(|value| value.as_str());
    match cell {
        Cell::Null => Arc::new(NullArray::new(values.len())),
        Cell::Bool => Arc::new(values.iter().map(|value| value.as_bool()).collect::<BooleanArray>()),
        Cell::Int8 => {
            let numbers =
                values.iter().map(|value| value.as_i64().and_then(|number| i8::try_from(number).ok()));
            Arc::new(numbers.collect::<PrimitiveArray<Int8Type>>())
        }
        Cell::Int64 => {
            Arc::new(values.iter().map(|value| value.as_i64()).collect::<PrimitiveArray<Int64Type>>())
        }
        Cell::UInt64 => {
            Arc::new(values.iter().map(|value| value.as_u64()).collect::<PrimitiveArray<UInt64Type>>())
        }
        Cell::Float64 => {
            Arc::new(values.iter().map(|value| value.as_f64()).collect::<PrimitiveArray<Float64Type>>())
        }
        Cell::Text => Arc::new(texts().collect::<StringArray>()),
        Cell::LargeText => Arc::new(texts().collect::<LargeStringArray>()),
        Cell::TextView => Arc::new(texts().collect::<StringViewArray>()),
        Cell::Dictionary => Arc::new(texts().collect::<DictionaryArray<Int8Type>>()),
        Cell::Runs => {
            let ends = Int32Array::from_iter_values(1..=i32::try_from(values.len()).expect("a few"));
            let runs = RunArray::<Int32Type>::try_new(&ends, &texts().collect::<StringArray>());
            Arc::new(runs.expect("an end for each value"))
        }
        Cell::List(inner) => {
            let (field, items) = items(inner, values);
            Arc::new(ListArray::new(
                field,
                OffsetBuffer::from_lengths(lengths(values)),
                items,
                Some(nulls(values)),
            ))
        }
        Cell::LargeList(inner) => {
            let (field, items) = items(inner, values);
            Arc::new(LargeListArray::new(
                field,
                OffsetBuffer::from_lengths(lengths(values)),
                items,
                Some(nulls(values)),
            ))
        }
        Cell::Pair(inner) => {
            let null = Value::Null;
            let pairs = values.iter().flat_map(|value| match value {
                Value::Array(pair) => [&pair[0], &pair[1]],
                _ => [&null, &null],
            });
            let items = array(inner, &pairs.collect::<Vec<_>>());
            let field = Arc::new(Field::new("item", items.data_type().clone(), true));
            Arc::new(FixedSizeListArray::new(field, 2, items, Some(nulls(values))))
        }
        Cell::Struct(inner) => structs(&COLUMNS, inner, values),
        Cell::Map(inner) => {
            let entries: Vec<(&String, &Value)> =
                values.iter().filter_map(|value| value.as_object()).flatten().collect();
            let keys: ArrayRef = Arc::new(StringArray::from_iter_values(entries.iter().map(|(key, _)| key)));
            let items = array(inner, &entries.iter().map(|(_, value)| *value).collect::<Vec<_>>());
            let fields = [
                Arc::new(Field::new(ENTRY[0], DataType::Utf8, false)),
                Arc::new(Field::new(ENTRY[1], items.data_type().clone(), true)),
            ];
            let entries = StructArray::from(fields.into_iter().zip([keys, items]).collect::<Vec<_>>());
            let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
            let offsets = OffsetBuffer::from_lengths(lengths(values));
            Arc::new(MapArray::new(field, offsets, entries, Some(nulls(values)), false))
        }
    }
}

fn nulls(values: &[&Value]) -> NullBuffer {
    values.iter().map(|value| !value.is_null()).collect()
}

fn lengths<'v>(values: &'v [&Value]) -> impl Iterator<Item = usize> + 'v {
    values.iter().map(|value| match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    })
}

/// The items of all lists.
fn items(inner: &Cell, values: &[&Value]) -> (Arc<Field>, ArrayRef) {
    let all: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
    let items = array(inner, &all);
    (Arc::new(Field::new("item", items.data_type().clone(), true)), items)
}

fn structs(names: &[&str], inner: &[Cell], values: &[&Value]) -> ArrayRef {
    let null = Value::Null;
    let columns = names.iter().zip(inner).map(|(name, cell)| {
        let members: Vec<&Value> = values.iter().map(|value| value.get(*name).unwrap_or(&null)).collect();
        let column = array(cell, &members);
        (Arc::new(Field::new(*name, column.data_type().clone(), true)), column)
    });
    let (fields, columns): (Vec<_>, Vec<_>) = columns.unzip();
    Arc::new(StructArray::new(fields.into(), columns, Some(nulls(values))))
}
