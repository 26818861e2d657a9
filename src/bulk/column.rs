//! Opens the columns of a record batch, once, so that a cell is read without a look at its type.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, RunEndIndexType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, Field, TimeUnit};

use super::value::{ArrowIndex, Cells, Column, MemberColumn, Offsets};
use super::zone::Zone;

/// The key of a field's metadata that names an extension type.
const EXTENSION: &str = "ARROW:extension:name";
/// Booleans of a byte each.
const BOOL8: &str = "arrow.bool8";

/// Why a column cannot be read: the type that templates have no value for, or the time zone that is unknown.
pub type Unreadable = String;

impl<'a> Column<'a> {
    /// Opens a column.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn open(field: &Field, array: &'a dyn Array) -> Result<Self, Unreadable> {
        let cells = match (array.data_type(), extension(field)) {
            (DataType::FixedSizeBinary(16), Some("arrow.uuid")) => Cells::Uuid(array.as_fixed_size_binary()),
            (DataType::Int8, Some(BOOL8)) => Cells::Bool8(values::<Int8Type>(array)),
            (data_type, _) => Self::cells(data_type, array)?,
        };
        Ok(Self { nulls: array.nulls(), cells })
    }

    fn cells(data_type: &DataType, array: &'a dyn Array) -> Result<Cells<'a>, Unreadable> {
        Ok(match data_type {
            DataType::Null => Cells::Null,
            DataType::Boolean => Cells::Bool(array.as_boolean()),
            DataType::Int8 => Cells::Int8(values::<Int8Type>(array)),
            DataType::Int16 => Cells::Int16(values::<Int16Type>(array)),
            DataType::Int32 => Cells::Int32(values::<Int32Type>(array)),
            DataType::Int64 => Cells::Int64(values::<Int64Type>(array)),
            DataType::UInt8 => Cells::UInt8(values::<UInt8Type>(array)),
            DataType::UInt16 => Cells::UInt16(values::<UInt16Type>(array)),
            DataType::UInt32 => Cells::UInt32(values::<UInt32Type>(array)),
            DataType::UInt64 => Cells::UInt64(values::<UInt64Type>(array)),
            DataType::Float16 => Cells::Float16(array.as_primitive()),
            DataType::Float32 => Cells::Float32(values::<Float32Type>(array)),
            DataType::Float64 => Cells::Float64(values::<Float64Type>(array)),
            DataType::Decimal32(_, scale) => Cells::Decimal32(values::<Decimal32Type>(array), *scale),
            DataType::Decimal64(_, scale) => Cells::Decimal64(values::<Decimal64Type>(array), *scale),
            DataType::Decimal128(_, scale) => Cells::Decimal128(values::<Decimal128Type>(array), *scale),
            DataType::Decimal256(_, scale) => Cells::Decimal256(values::<Decimal256Type>(array), *scale),
            DataType::Utf8 => Cells::Utf8(array.as_string::<i32>().clone().into()),
            DataType::LargeUtf8 => Cells::LargeUtf8(array.as_string::<i64>().clone().into()),
            DataType::Utf8View => Cells::Utf8View(array.as_string_view().clone().to_binary_view()),
            DataType::Binary => Cells::Binary(array.as_binary()),
            DataType::LargeBinary => Cells::LargeBinary(array.as_binary()),
            DataType::BinaryView => Cells::BinaryView(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => Cells::FixedBinary(array.as_fixed_size_binary()),
            DataType::Date32 => Cells::Date32(values::<Date32Type>(array)),
            DataType::Date64 => Cells::Date64(values::<Date64Type>(array)),
            DataType::Time32(_) | DataType::Time64(_) => Self::times(data_type, array)?,
            DataType::Timestamp(unit, zone) => Self::timestamps(*unit, zone.as_deref(), array)?,
            DataType::Duration(unit) => Self::durations(*unit, array),
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                Cells::Struct(Self::open_all(fields.iter().map(AsRef::as_ref).zip(columns))?.into())
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                let (keys, values) = (map.keys(), map.values());
                let (key, value) = map.entries_fields();
                let (keys, values) = (Self::open(key, keys)?, Self::open(value, values)?);
                Cells::Map(map.value_offsets(), Box::new(keys), Box::new(values))
            }
            DataType::Dictionary(_, _) => Self::dictionary(array)?,
            DataType::RunEndEncoded(ends, field) => match ends.data_type() {
                DataType::Int16 => Self::runs::<Int16Type>(field, array)?,
                DataType::Int32 => Self::runs::<Int32Type>(field, array)?,
                _ => Self::runs::<Int64Type>(field, array)?,
            },
            DataType::List(field) => {
                let list = array.as_list::<i32>();
                Self::list(Offsets::Small(list.value_offsets()), field, list.values())?
            }
            DataType::LargeList(field) => {
                let list = array.as_list::<i64>();
                Self::list(Offsets::Large(list.value_offsets()), field, list.values())?
            }
            DataType::ListView(field) => {
                let list = array.as_list_view::<i32>();
                Self::list(
                    Offsets::SmallViews(list.value_offsets(), list.value_sizes()),
                    field,
                    list.values(),
                )?
            }
            DataType::LargeListView(field) => {
                let list = array.as_list_view::<i64>();
                Self::list(
                    Offsets::LargeViews(list.value_offsets(), list.value_sizes()),
                    field,
                    list.values(),
                )?
            }
            DataType::FixedSizeList(field, size) => {
                let list = array.as_fixed_size_list();
                let start = list.value_offset(0);
                Self::list(Offsets::Fixed(start.to_index(), size.to_index()), field, list.values())?
            }
            DataType::Interval(_) | DataType::Union(_, _) => {
                return Err(format!("has the type {data_type}, for which templates have no value"));
            }
        })
    }

    /// Opens the columns of a struct's members.
    ///
    /// # Errors
    /// Why the first of them cannot be read, with its name; or two have the same name.
    fn open_all<'f>(
        columns: impl Iterator<Item = (&'f Field, &'a Arc<dyn Array>)>,
    ) -> Result<Vec<MemberColumn<'a>>, Unreadable> {
        let mut names = HashSet::new();
        columns
            .map(|(field, array)| {
                let name = field.name();
                if !names.insert(name.as_str()) {
                    return Err(format!("has two members '{name}'"));
                }
                let column = Self::open(field, array.as_ref())
                    .map_err(|why| format!("has the member '{name}', which {why}"))?;
                Ok(MemberColumn { name: name.as_str().into(), column })
            })
            .collect()
    }

    fn list(offsets: Offsets<'a>, field: &Field, items: &'a dyn Array) -> Result<Cells<'a>, Unreadable> {
        Ok(Cells::List(offsets, Box::new(Self::open(field, items)?)))
    }

    fn times(data_type: &DataType, array: &'a dyn Array) -> Result<Cells<'a>, Unreadable> {
        Ok(match data_type {
            DataType::Time32(TimeUnit::Second) => {
                Cells::Time32(values::<Time32SecondType>(array), 1_000_000_000)
            }
            DataType::Time32(TimeUnit::Millisecond) => {
                Cells::Time32(values::<Time32MillisecondType>(array), 1_000_000)
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                Cells::Time64(values::<Time64MicrosecondType>(array), 1_000)
            }
            DataType::Time64(TimeUnit::Nanosecond) => Cells::Time64(values::<Time64NanosecondType>(array), 1),
            other => return Err(format!("has the type {other}, which Arrow does not define")),
        })
    }

    fn timestamps(unit: TimeUnit, zone: Option<&str>, array: &'a dyn Array) -> Result<Cells<'a>, Unreadable> {
        let (ticks, units) = match unit {
            TimeUnit::Second => (values::<TimestampSecondType>(array), 1),
            TimeUnit::Millisecond => (values::<TimestampMillisecondType>(array), 1_000),
            TimeUnit::Microsecond => (values::<TimestampMicrosecondType>(array), 1_000_000),
            TimeUnit::Nanosecond => (values::<TimestampNanosecondType>(array), 1_000_000_000),
        };
        Ok(Cells::Timestamp(ticks, units, Zone::of(zone)?))
    }

    fn durations(unit: TimeUnit, array: &'a dyn Array) -> Cells<'a> {
        let (ticks, units) = match unit {
            TimeUnit::Second => (values::<DurationSecondType>(array), 1),
            TimeUnit::Millisecond => (values::<DurationMillisecondType>(array), 1_000),
            TimeUnit::Microsecond => (values::<DurationMicrosecondType>(array), 1_000_000),
            TimeUnit::Nanosecond => (values::<DurationNanosecondType>(array), 1_000_000_000),
        };
        Cells::Duration(ticks, units)
    }

    fn dictionary(array: &'a dyn Array) -> Result<Cells<'a>, Unreadable> {
        let dictionary = array.as_any_dictionary();
        let values = dictionary.values();
        if values.is_empty() {
            // Every key is null.
            return Ok(Cells::Null);
        }
        let field = Field::new("", values.data_type().clone(), true);
        Ok(Cells::Dictionary(dictionary.normalized_keys(), Box::new(Self::open(&field, values.as_ref())?)))
    }

    fn runs<R: RunEndIndexType>(field: &Field, array: &'a dyn Array) -> Result<Cells<'a>, Unreadable> {
        let runs = array.as_run::<R>();
        let positions = (0..runs.len()).map(|row| runs.get_physical_index(row)).collect();
        Ok(Cells::Dictionary(positions, Box::new(Self::open(field, runs.values().as_ref())?)))
    }
}

fn extension(field: &Field) -> Option<&str> {
    field.metadata().get(EXTENSION).map(String::as_str)
}

/// The type of the values of a column.
pub(super) fn value_type(field: &Field) -> &DataType {
    if extension(field) == Some(BOOL8) { &DataType::Boolean } else { field.data_type() }
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}
