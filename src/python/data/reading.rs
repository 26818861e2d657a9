//! The ways in which objects are read.

use crate::template::ValueKind;

/// How the objects of a type are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectReading {
    /// As this kind, with Python's own protocols.
    Kind(ValueKind),
    /// A set, or a view of the keys, values or items of a mapping: it has a length and can be iterated over again.
    Set,
    /// The value that it has under this attribute: an enum member, a `UserString`.
    Attribute(&'static str),
    /// A scalar of NumPy: the Python value that it holds.
    NumpyScalar,
    /// An array of NumPy: a sequence; without dimensions, the value that it holds.
    NumpyArray,
    /// Another array or column: a sequence.
    Array,
    /// A row of a structured array of NumPy: a record.
    NumpyRow,
    /// A scalar of pyarrow: the Python value that it holds.
    ArrowScalar,
    /// A pandas Series: a sequence whose labels are members.
    Series,
    /// A row of SQLAlchemy or `sqlite3`: a sequence whose columns are members.
    Row,
    /// A data frame, which cannot be read. The text is the expression for its rows.
    Frame(&'static str),
}

impl ObjectReading {
    /// The kind of a value that is read like this.
    pub(super) fn kind(self) -> ValueKind {
        match self {
            Self::Kind(kind) => kind,
            // A frame is where rows are expected, and is refused when it is read.
            Self::Set | Self::Frame(_) => ValueKind::Iterable,
            Self::NumpyRow => ValueKind::Record,
            Self::NumpyArray | Self::Array | Self::Series | Self::Row => ValueKind::Sequence,
            Self::Attribute(_) | Self::NumpyScalar | Self::ArrowScalar => ValueKind::Other,
        }
    }
}
