//! A value of a template over Arrow columns: a cell of an opened column, or what a render made.

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::types::Float16Type;
use arrow_array::{
    BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, LargeBinaryArray, PrimitiveArray,
};
use arrow_buffer::{NullBuffer, i256};
use simdutf8::basic::from_utf8;
use uuid::Uuid;

use super::decimal::DecimalNumber;
use super::text::ArrowText;
use super::time::{Duration, Moment, TimeOfDay, split};
use super::zone::Zone;
use crate::template::ValueKind;

/// A value. A cell of a column borrows from it.
#[derive(Debug, Clone)]
pub enum ArrowValue<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of at most 64 bits.
    Integer(i64),
    /// The digits of a larger integer, with its sign.
    Digits(Arc<str>),
    /// A floating-point number.
    Float(f64),
    /// A decimal.
    Decimal(Rc<DecimalNumber>),
    /// A text of a column.
    Text(&'a str),
    /// A text of the template, or one that the render made.
    SharedText(Arc<str>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A date, in days since 1970.
    Date(i32),
    /// A date with a time.
    Moment(Moment),
    /// A time of day.
    Time(TimeOfDay),
    /// A length of time.
    Duration(Duration),
    /// A UUID.
    Uuid(Uuid),
    /// A list of a column.
    List(ListCell<'a>),
    /// A struct of a column, or a row of the table.
    Struct(StructCell<'a>),
    /// A map of a column.
    Map(MapCell<'a>),
    /// A list that the render made.
    Items(Rc<[ArrowValue<'a>]>),
    /// A mapping that the render made.
    Members(Rc<[MemberValue<'a>]>),
}

/// A member of a mapping that a render made.
pub type MemberValue<'a> = (Arc<str>, ArrowValue<'a>);

/// The items of a list in a column.
#[derive(Debug, Clone, Copy)]
pub struct ListCell<'a> {
    pub(super) items: &'a Column<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> ListCell<'a> {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn get(&self, at: usize) -> Option<ArrowValue<'a>> {
        (at < self.len()).then(|| self.items.value(self.start + at))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.items, other.items) && (self.start, self.end) == (other.start, other.end)
    }
}

/// One struct of a column of structs, or one row of a table.
#[derive(Debug, Clone, Copy)]
pub struct StructCell<'a> {
    pub(super) members: &'a [MemberColumn<'a>],
    pub(super) row: usize,
}

impl<'a> StructCell<'a> {
    /// The column with the members of this name.
    #[inline]
    pub(super) fn column(&self, name: &ArrowText) -> Option<&'a Column<'a>> {
        let members = self.members;
        let at = name.position_in(|at| members.get(at).map(|member| &*member.name))?;
        members.get(at).map(|member| &member.column)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.members, other.members) && self.row == other.row
    }

    pub(super) fn named(&self, name: &str) -> Option<ArrowValue<'a>> {
        let found = self.members.iter().find(|member| *member.name == *name)?;
        Some(found.column.value(self.row))
    }
}

/// The entries of one map in a column.
#[derive(Debug, Clone, Copy)]
pub struct MapCell<'a> {
    pub(super) keys: &'a Column<'a>,
    pub(super) values: &'a Column<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> MapCell<'a> {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// The value under a key. Of equal keys the last one counts, as in a dict.
    pub(super) fn named(&self, name: &str) -> Option<ArrowValue<'a>> {
        let is_named = |at: &usize| match self.keys.value(*at) {
            ArrowValue::Text(key) => key == name,
            // A template writes an integer key as digits.
            ArrowValue::Integer(key) => name.parse::<i64>().is_ok_and(|name| name == key && name >= 0),
            _ => false,
        };
        (self.start..self.end).rev().find(is_named).map(|at| self.values.value(at))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.keys, other.keys) && (self.start, self.end) == (other.start, other.end)
    }
}

impl<'a> ArrowValue<'a> {
    /// A text that the render made.
    pub(super) fn owned_text(text: &str) -> Self {
        Self::SharedText(text.into())
    }

    /// An integer of any size.
    pub(super) fn integer(whole: i128) -> Self {
        match i64::try_from(whole) {
            Ok(whole) => Self::Integer(whole),
            Err(_) => Self::Digits(whole.to_string().into()),
        }
    }

    /// A length or an index.
    pub(super) fn count(count: usize) -> Self {
        Self::integer(i128::try_from(count).unwrap_or(i128::MAX))
    }

    /// The kind of the value.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool(_) => ValueKind::Bool,
            Self::Integer(_) | Self::Digits(_) => ValueKind::Integer,
            Self::Float(_) | Self::Decimal(_) => ValueKind::Float,
            Self::Text(_) | Self::SharedText(_) => ValueKind::String,
            Self::Bytes(_) => ValueKind::Other,
            Self::Date(_) => ValueKind::Date,
            Self::Moment(_) => ValueKind::DateTime,
            Self::Time(_) | Self::Duration(_) => ValueKind::Scalar,
            Self::Uuid(_) => ValueKind::Uuid,
            Self::List(_) | Self::Items(_) => ValueKind::Sequence,
            Self::Struct(_) | Self::Map(_) | Self::Members(_) => ValueKind::Mapping,
        }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::SharedText(text) => Some(text),
            _ => None,
        }
    }

    /// The number of characters, items or members.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        Some(match self {
            Self::Text(text) => text.chars().count(),
            Self::SharedText(text) => text.chars().count(),
            Self::List(list) => list.len(),
            Self::Items(items) => items.len(),
            Self::Struct(row) => row.members.len(),
            Self::Map(map) => map.len(),
            Self::Members(members) => members.len(),
            _ => return None,
        })
    }

    /// The item of a list.
    #[must_use]
    pub fn item(&self, at: usize) -> Option<ArrowValue<'a>> {
        match self {
            Self::List(list) => list.get(at),
            Self::Items(items) => items.get(at).cloned(),
            _ => None,
        }
    }

    /// The member of a mapping with exactly this name.
    pub(super) fn member(&self, name: &str) -> Option<ArrowValue<'a>> {
        match self {
            Self::Struct(row) => row.named(name),
            Self::Map(map) => map.named(name),
            Self::Members(members) => {
                members.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }

    /// The members of a mapping, in order.
    #[must_use]
    pub fn members(&self) -> Vec<(ArrowValue<'a>, ArrowValue<'a>)> {
        match self {
            Self::Struct(row) => row
                .members
                .iter()
                .map(|member| (Self::SharedText(Arc::clone(&member.name)), member.column.value(row.row)))
                .collect(),
            Self::Map(map) => {
                (map.start..map.end).map(|at| (map.keys.value(at), map.values.value(at))).collect()
            }
            Self::Members(members) => members
                .iter()
                .map(|(key, value)| (Self::SharedText(Arc::clone(key)), value.clone()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A named column: of a table, or of the structs in a column.
#[derive(Debug)]
pub struct MemberColumn<'a> {
    pub(super) name: Arc<str>,
    pub(super) column: Column<'a>,
}

/// An opened column.
#[derive(Debug)]
pub struct Column<'a> {
    pub(super) nulls: Option<&'a NullBuffer>,
    pub(super) cells: Cells<'a>,
}

/// The arrays of a column.
#[derive(Debug)]
pub(super) enum Cells<'a> {
    Null,
    Bool(&'a BooleanArray),
    /// Booleans of a byte each.
    Bool8(&'a [i8]),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
    Float16(&'a PrimitiveArray<Float16Type>),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Decimal32(&'a [i32], i8),
    Decimal64(&'a [i64], i8),
    Decimal128(&'a [i128], i8),
    Decimal256(&'a [i256], i8),
    /// Texts, as bytes that may not be UTF-8; see [`text_or_bytes`].
    Utf8(BinaryArray),
    LargeUtf8(LargeBinaryArray),
    Utf8View(BinaryViewArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    FixedBinary(&'a FixedSizeBinaryArray),
    Uuid(&'a FixedSizeBinaryArray),
    Date32(&'a [i32]),
    Date64(&'a [i64]),
    /// Times of day, with the nanoseconds of one unit.
    Time32(&'a [i32], i64),
    Time64(&'a [i64], i64),
    /// Timestamps, with the units of a second.
    Timestamp(&'a [i64], i64, Zone),
    Duration(&'a [i64], i64),
    List(Offsets<'a>, Box<Column<'a>>),
    Struct(Box<[MemberColumn<'a>]>),
    Map(&'a [i32], Box<Column<'a>>, Box<Column<'a>>),
    /// The position of the value of each row.
    Dictionary(Vec<usize>, Box<Column<'a>>),
}

/// Where the items of each list are.
#[derive(Debug)]
pub(super) enum Offsets<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    SmallViews(&'a [i32], &'a [i32]),
    LargeViews(&'a [i64], &'a [i64]),
    /// Lists of one size, which begin at a position.
    Fixed(usize, usize),
}

impl Offsets<'_> {
    fn range(&self, row: usize) -> (usize, usize) {
        match self {
            Self::Small(offsets) => (offsets[row].to_index(), offsets[row + 1].to_index()),
            Self::Large(offsets) => (offsets[row].to_index(), offsets[row + 1].to_index()),
            Self::SmallViews(starts, sizes) => {
                (starts[row].to_index(), starts[row].to_index() + sizes[row].to_index())
            }
            Self::LargeViews(starts, sizes) => {
                (starts[row].to_index(), starts[row].to_index() + sizes[row].to_index())
            }
            Self::Fixed(start, size) => (start + row * size, start + (row + 1) * size),
        }
    }
}

impl<'a> Column<'a> {
    /// The value of a cell.
    #[inline]
    pub(super) fn value(&'a self, row: usize) -> ArrowValue<'a> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return ArrowValue::Null;
        }
        match &self.cells {
            Cells::Utf8(texts) => text_or_bytes(texts.value(row)),
            Cells::LargeUtf8(texts) => text_or_bytes(texts.value(row)),
            Cells::Utf8View(texts) => text_or_bytes(texts.value(row)),
            Cells::Dictionary(positions, values) => values.value(positions[row]),
            Cells::List(offsets, items) => {
                let (start, end) = offsets.range(row);
                ArrowValue::List(ListCell { items, start, end })
            }
            Cells::Struct(members) => ArrowValue::Struct(StructCell { members, row }),
            Cells::Map(offsets, keys, values) => ArrowValue::Map(MapCell {
                keys,
                values,
                start: offsets[row].to_index(),
                end: offsets[row + 1].to_index(),
            }),
            Cells::Null => ArrowValue::Null,
            Cells::Bool(truths) => ArrowValue::Bool(truths.value(row)),
            Cells::Bool8(truths) => ArrowValue::Bool(truths[row] != 0),
            other => other.number(row).unwrap_or_else(|| other.other(row)),
        }
    }
}

impl<'a> Cells<'a> {
    /// The value of a cell that is a number.
    fn number(&self, row: usize) -> Option<ArrowValue<'a>> {
        let decimal =
            |value: i256, scale: &i8| ArrowValue::Decimal(Rc::new(DecimalNumber { value, scale: *scale }));
        Some(match self {
            Self::Int8(numbers) => ArrowValue::Integer(numbers[row].into()),
            Self::Int16(numbers) => ArrowValue::Integer(numbers[row].into()),
            Self::Int32(numbers) => ArrowValue::Integer(numbers[row].into()),
            Self::Int64(numbers) => ArrowValue::Integer(numbers[row]),
            Self::UInt8(numbers) => ArrowValue::Integer(numbers[row].into()),
            Self::UInt16(numbers) => ArrowValue::Integer(numbers[row].into()),
            Self::UInt32(numbers) => ArrowValue::Integer(numbers[row].into()),
            Self::UInt64(numbers) => ArrowValue::integer(numbers[row].into()),
            Self::Float16(numbers) => ArrowValue::Float(numbers.value(row).to_f64()),
            Self::Float32(numbers) => ArrowValue::Float(numbers[row].into()),
            Self::Float64(numbers) => ArrowValue::Float(numbers[row]),
            Self::Decimal32(numbers, scale) => decimal(i256::from_i128(numbers[row].into()), scale),
            Self::Decimal64(numbers, scale) => decimal(i256::from_i128(numbers[row].into()), scale),
            Self::Decimal128(numbers, scale) => decimal(i256::from_i128(numbers[row]), scale),
            Self::Decimal256(numbers, scale) => decimal(numbers[row], scale),
            _ => return None,
        })
    }

    /// The value of a cell that is a time or bytes.
    fn other(&self, row: usize) -> ArrowValue<'a> {
        const DAY: i64 = 86_400_000;
        match self {
            Self::Binary(bytes) => ArrowValue::Bytes(bytes.value(row)),
            Self::LargeBinary(bytes) => ArrowValue::Bytes(bytes.value(row)),
            Self::BinaryView(bytes) => ArrowValue::Bytes(bytes.value(row)),
            Self::FixedBinary(bytes) => ArrowValue::Bytes(bytes.value(row)),
            Self::Uuid(bytes) => match Uuid::from_slice(bytes.value(row)) {
                Ok(uuid) => ArrowValue::Uuid(uuid),
                Err(_) => ArrowValue::Bytes(bytes.value(row)),
            },
            Self::Date32(days) => ArrowValue::Date(days[row]),
            Self::Date64(milliseconds) => {
                ArrowValue::Date(i32::try_from(milliseconds[row].div_euclid(DAY)).unwrap_or(i32::MAX))
            }
            Self::Time32(times, unit) => ArrowValue::Time(TimeOfDay(i64::from(times[row]) * unit)),
            Self::Time64(times, unit) => ArrowValue::Time(TimeOfDay(times[row].saturating_mul(*unit))),
            Self::Timestamp(ticks, units, zone) => {
                let (seconds, nanoseconds) = split(ticks[row], *units);
                ArrowValue::Moment(Moment { seconds, nanoseconds, offset: zone.offset_at(seconds) })
            }
            Self::Duration(ticks, units) => {
                let (seconds, nanoseconds) = split(ticks[row], *units);
                ArrowValue::Duration(Duration { seconds, nanoseconds })
            }
            _ => ArrowValue::Null,
        }
    }
}

/// The text of these bytes, or the bytes themselves. Libraries hand over what they read from files without a check.
fn text_or_bytes(bytes: &[u8]) -> ArrowValue<'_> {
    match from_utf8(bytes) {
        Ok(text) => ArrowValue::Text(text),
        Err(_) => ArrowValue::Bytes(bytes),
    }
}

/// An offset of a list. Arrow's offsets are never negative.
pub(super) trait ArrowIndex {
    fn to_index(self) -> usize;
}

impl ArrowIndex for i32 {
    fn to_index(self) -> usize {
        usize::try_from(self).unwrap_or_default()
    }
}

impl ArrowIndex for i64 {
    fn to_index(self) -> usize {
        usize::try_from(self).unwrap_or_default()
    }
}
