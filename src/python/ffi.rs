//! The code that calls Python's C API directly. Only this folder has `unsafe`.
//!
//! Each function that this module exports is safe to call: what it needs of its arguments follows from their types. A
//! `Bound` shows that the thread is attached to the interpreter and owns a reference.

#![allow(unsafe_code, reason = "only here")]

mod arrow_capsule;
mod arrow_offsets;
mod arrow_stream;
mod dict_position;
#[cfg(not(Py_GIL_DISABLED))]
mod fast_method;
#[cfg(not(any(Py_LIMITED_API, Py_GIL_DISABLED)))]
mod strings;

pub(super) use self::arrow_capsule::record_batches;
pub(super) use self::dict_position::DictPosition;
#[cfg(not(Py_GIL_DISABLED))]
pub(super) use self::fast_method::{FastMethod, install};
#[cfg(not(any(Py_LIMITED_API, Py_GIL_DISABLED)))]
pub(super) use self::strings::{FixedString, TextParts};
