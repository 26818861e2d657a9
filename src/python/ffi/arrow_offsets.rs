//! Moves the offset of a slice into the values inside it.
//!
//! Arrow 59 slices the fields of a struct twice if the struct is inside a struct or a list of a fixed size that is a slice,
//! and panics.

use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType};

/// The same array, in which no struct and no list of a fixed size has an offset.
///
/// # Errors
/// If the array is not as its type says.
pub(super) fn without_offsets(data: ArrayData) -> Result<ArrayData, ArrowError> {
    if !has_slice_of_structs(&data) {
        return Ok(data);
    }
    let children = data.child_data().iter().cloned().map(without_offsets).collect::<Result<Vec<_>, _>>()?;
    let Some(items) = items_per_row(data.data_type()) else {
        return data.into_builder().child_data(children).build();
    };
    let (start, length) = (data.offset() * items, data.len() * items);
    let children = children.iter().map(|child| slice(child, start, length)).collect::<Result<_, _>>()?;
    data.into_builder().offset(0).child_data(children).build()
}

/// How many values of a child belong to one row, in types whose children begin where they do.
fn items_per_row(kind: &DataType) -> Option<usize> {
    match kind {
        DataType::Struct(_) => Some(1),
        DataType::FixedSizeList(_, size) => usize::try_from(*size).ok(),
        _ => None,
    }
}

fn has_slice_of_structs(data: &ArrayData) -> bool {
    let children = data.child_data();
    let is_sliced = items_per_row(data.data_type()).is_some_and(|items| {
        data.offset() != 0 || children.iter().any(|child| child.len() != data.len() * items)
    });
    is_sliced && children.iter().any(|child| items_per_row(child.data_type()).is_some())
        || children.iter().any(has_slice_of_structs)
}

/// A slice of an array that has no offsets.
fn slice(data: &ArrayData, start: usize, length: usize) -> Result<ArrayData, ArrowError> {
    let is_inside = start.checked_add(length).is_some_and(|end| end <= data.len());
    if !is_inside {
        return Err(ArrowError::InvalidArgumentError(
            "an array is shorter than the one around it".to_owned(),
        ));
    }
    let Some(items) = items_per_row(data.data_type()) else { return Ok(data.slice(start, length)) };
    let children = data.child_data().iter().map(|child| slice(child, start * items, length * items));
    let children = children.collect::<Result<_, _>>()?;
    let nulls = data.nulls().map(|nulls| nulls.slice(start, length));
    data.clone().into_builder().len(length).nulls(nulls).child_data(children).build()
}
