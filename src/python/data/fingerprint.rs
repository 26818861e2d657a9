//! A digest of the values of variables, for the key under which a render is cached.
//!
//! It is the same in every process. Values whose type differs differ, as do values that a template could tell apart: each
//! is written with a tag for its kind, and texts with their length, so that no two values are written alike.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyList, PyString, PyTuple};

use super::PyData;
use super::object::Object;
use super::reading::ObjectReading;
use super::resolved::Resolved;
use crate::error::{Error, Kind, Result};
use crate::length_prefixed::LengthPrefixedDigest;
use crate::prompt::hash::hexadecimal;
use crate::python::surrogates;
use crate::template::{Data, Output, Sink, Style, Truth, ValueKind, WriteOutcome};

/// The maximum nesting of a value. A value that contains itself has no digest.
const DEPTH: usize = 64;

/// The maximum number of values in a digest. A list that holds another twice, which does the same, has 2ⁿ values, and a
/// render may read one of them.
const VALUES: usize = 100_000;

/// The first byte in UTF-8 of the characters that can replace half a surrogate pair.
const PLANE_16: u8 = 0xF4;

/// How a value is printed.
const PLAIN: Style = Style { html: false, lenient: false, javascript_numbers: false };

/// Why a value has no digest.
enum Unhashable {
    /// It may be another at the next render: an iterator, a set without an order, an object of another package.
    Value,
    /// The code of the value raised an exception.
    Failed(Error),
}

impl From<Error> for Unhashable {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A digest of named values.
pub(in crate::python) struct Fingerprint {
    digest: LengthPrefixedDigest,
    /// How many values it has.
    values: usize,
}

impl Fingerprint {
    /// Starts a digest with what else the text depends on.
    pub(in crate::python) fn starting_with(parts: &[&[u8]]) -> Self {
        let mut started = Self { digest: LengthPrefixedDigest::default(), values: 0 };
        for part in parts {
            started.digest.part(part);
        }
        started
    }

    /// Adds a name and its value; `None` if it was not given. Returns whether the value has a digest.
    ///
    /// # Errors
    /// An exception of the value's code that is not an `Exception`, such as `KeyboardInterrupt`.
    pub(in crate::python) fn add<'py>(
        &mut self,
        data: &PyData<'_, 'py>,
        name: &str,
        value: Option<&Object<'py>>,
    ) -> Result<bool> {
        self.digest.part(name.as_bytes());
        let Some(value) = value else {
            self.tag(b'-');
            return Ok(true);
        };
        match self.value(data, value, 0) {
            Ok(()) => Ok(true),
            Err(Unhashable::Failed(error)) if error.kind() == Kind::Foreign => Err(error),
            // A render that reads the value reports the error.
            Err(_) => Ok(false),
        }
    }

    /// The digest in hexadecimal.
    pub(in crate::python) fn hexadecimal(self) -> String {
        hexadecimal(&self.digest.finish())
    }

    fn tag(&mut self, tag: u8) {
        self.digest.part(&[tag]);
    }

    fn value<'py>(
        &mut self,
        data: &PyData<'_, 'py>,
        value: &Object<'py>,
        depth: usize,
    ) -> Result<(), Unhashable> {
        self.values += 1;
        if depth > DEPTH || self.values > VALUES {
            return Err(Unhashable::Value);
        }
        data.count_work(1)?;
        let resolved = data.content(value)?;
        match resolved.kind {
            ValueKind::Null => self.tag(b'n'),
            ValueKind::Bool => {
                let is_true = data.truth(&resolved.value, true)? == Truth::True;
                self.tag(if is_true { b'1' } else { b'0' });
            }
            ValueKind::Float if resolved.value.is_exact_instance_of::<PyFloat>() => {
                let number: f64 = resolved.value.extract().map_err(|_| Unhashable::Value)?;
                self.tag(b'f');
                self.digest.part(&number.to_bits().to_le_bytes());
            }
            ValueKind::String => {
                let text = resolved.value.cast::<PyString>().map_err(|_| Unhashable::Value)?;
                self.tag(b's');
                self.text(&surrogates::to_rust(text))?;
            }
            ValueKind::Integer => {
                self.tag(b'i');
                self.printed(data, &resolved.value)?;
            }
            ValueKind::Float
            | ValueKind::Date
            | ValueKind::DateTime
            | ValueKind::Uuid
            | ValueKind::Scalar => {
                self.tag(b'x');
                self.class(&resolved)?;
                self.printed(data, &resolved.value)?;
            }
            ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record => {
                self.start_container(data, &resolved)?;
                self.items(data, &resolved, depth)?;
            }
            ValueKind::Iterable | ValueKind::Other => return Err(Unhashable::Value),
        }
        Ok(())
    }

    /// Starts a list, a tuple, a dict or a record. Other sequences and mappings may give a template more than their
    /// items, as the labels of a Series or the missing keys of a `defaultdict`, so they have no digest.
    fn start_container<'py>(
        &mut self,
        data: &PyData<'_, 'py>,
        resolved: &Resolved<'py>,
    ) -> Result<(), Unhashable> {
        let value = &resolved.value;
        if value.is_exact_instance_of::<PyList>() || value.is_exact_instance_of::<PyTuple>() {
            self.tag(b'[');
        } else if value.is_exact_instance_of::<PyDict>() {
            self.tag(b'{');
        } else if resolved.reading == ObjectReading::Kind(ValueKind::Record) {
            self.tag(b'r');
            self.class(resolved)?;
            // The class may decide about it by more than its fields.
            let is_true = data.truth(value, true)? == Truth::True;
            self.tag(if is_true { b'1' } else { b'0' });
        } else {
            return Err(Unhashable::Value);
        }
        Ok(())
    }

    fn items<'py>(
        &mut self,
        data: &PyData<'_, 'py>,
        resolved: &Resolved<'py>,
        depth: usize,
    ) -> Result<(), Unhashable> {
        // The error of the walk is only a reason to end it.
        let mut outcome = Ok(());
        let walked = data.walk_resolved(resolved, &mut |item| {
            self.tag(b',');
            let key = item.key.as_ref().map_or(Ok(()), |key| self.value(data, key, depth + 1));
            outcome = key.and_then(|()| self.value(data, &item.value, depth + 1));
            match &outcome {
                Ok(()) => Ok(()),
                Err(_) => Err(Error::new(Kind::TemplateRender, "the value has no digest")),
            }
        });
        outcome?;
        walked?;
        self.tag(b'.');
        Ok(())
    }

    /// Adds the module and name of a value's class.
    fn class(&mut self, resolved: &Resolved<'_>) -> Result<(), Unhashable> {
        let class = resolved.value.get_type();
        let name = class.fully_qualified_name().map_err(|_| Unhashable::Value)?;
        self.text(&surrogates::to_rust(&name))
    }

    /// Adds the text that a template prints for a value.
    fn printed<'py>(&mut self, data: &PyData<'_, 'py>, value: &Object<'py>) -> Result<(), Unhashable> {
        let mut sink = data.sink();
        match data.write(value, PLAIN, &mut sink)? {
            WriteOutcome::Done => sink.finish().with_str(|text| self.text(text)),
            _ => Err(Unhashable::Value),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Unhashable> {
        // Which character replaces half a surrogate pair differs between threads.
        if text.as_bytes().contains(&PLANE_16) {
            return Err(Unhashable::Value);
        }
        self.digest.part(text.as_bytes());
        Ok(())
    }
}
