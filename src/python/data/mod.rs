//! Lets templates read Python objects in place.
//!
//! A template can read the keys of a mapping, the items of a sequence, `length`, and the declared public fields of a
//! pydantic model, dataclass or named tuple. No other attribute is ever read, and no method is called except those of
//! the mapping, sequence or iterator protocol. Each object is held by a strong reference while code of the caller may
//! run.

mod helper_call;
mod helper_options;
mod json;
mod json_text;
mod kind;
mod merge;
mod overlay;
pub(super) mod values;
mod work;
mod write;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use pyo3::exceptions::{PyAttributeError, PyKeyError, PyStopIteration, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyIterator, PyList, PyMapping, PySet, PyString, PyTuple,
};

pub(super) use self::helper_options::HelperOptions;
pub(super) use self::kind::{Object, kind_of};
use self::kind::{bare, extra, fields, is_public, is_stored, tuple_fields};
pub(super) use self::overlay::Overlay;
use self::work::WorkMeter;
use super::error::foreign;
use super::library::{EngineState, HelperFunction};
use super::text::{PyOutput, PySink, PyText};
use crate::error::{Error, Kind, Result};
use crate::limits::Limits;
use crate::template::{
    Data, Fences, Invocation, Item, JsonText, Literal, Output, Sink, Style, Text, Truth, ValueKind,
    WriteOutcome,
};

/// Python objects as template data, for one render.
pub struct PyData<'e, 'py> {
    py: Python<'py>,
    /// The engine, which has the helpers.
    engine: Option<&'e Arc<EngineState>>,
    /// The iterators that this render has read, with their items. An iterator returns its items only once, so a second
    /// `{{#each}}` reads them here.
    walked: RefCell<Vec<Walked<'py>>>,
    work: WorkMeter,
    fences: Fences,
}

struct Walked<'py> {
    iterator: Object<'py>,
    items: Vec<Object<'py>>,
    ended: bool,
}

/// The maximum number of names that are compared for a suggestion.
const NAMES: usize = 1000;

impl<'e, 'py> PyData<'e, 'py> {
    /// The data of a render with this engine.
    pub(super) fn new(py: Python<'py>, engine: &'e Arc<EngineState>) -> Self {
        let work = WorkMeter::new(engine.options.limits.steps);
        Self { py, engine: Some(engine), walked: RefCell::default(), work, fences: Fences::default() }
    }

    /// The data without an engine, and so without helpers.
    pub(super) fn without_engine(py: Python<'py>) -> Self {
        let work = WorkMeter::new(Limits::default().steps);
        Self { py, engine: None, walked: RefCell::default(), work, fences: Fences::default() }
    }
}

impl<'py> PyData<'_, 'py> {
    /// Whether the engine reads values like JavaScript.
    pub(super) fn is_javascript(&self) -> bool {
        self.engine.is_some_and(|engine| engine.options.is_javascript())
    }

    /// Returns the member of a value. `key` is the name as a Python string.
    #[inline]
    pub(super) fn member(
        &self,
        value: &Object<'py>,
        name: &str,
        key: &Object<'py>,
    ) -> Result<Option<Object<'py>>> {
        // For a subclass of `dict` too, `__missing__` is not called. The exact type is tested first, because that needs
        // no call into Python.
        let dict = match value.cast_exact::<PyDict>() {
            Ok(dict) => dict,
            Err(_) => match value.cast::<PyDict>() {
                Ok(dict) => dict,
                Err(_) => return self.of_object(&bare(value), name, key),
            },
        };
        match dict.get_item(key) {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => self.absent(dict, name),
            Err(error) => Err(self.raised(error, "reading a mapping")),
        }
    }

    /// Returns the member of a `dict` that does not have the name as a key: its length, or the value of an integer key.
    #[cold]
    fn absent(&self, dict: &Bound<'py, PyDict>, name: &str) -> Result<Option<Object<'py>>> {
        // In JavaScript an object has no length.
        if name == "length" && !self.is_javascript() {
            return self.counted(dict).map(Some);
        }
        // A template writes an integer key as digits.
        match name.parse::<u64>() {
            Ok(number) => dict.get_item(number).map_err(|error| self.raised(error, "reading a mapping")),
            Err(_) => Ok(None),
        }
    }

    /// Counts the work of one tag on a large value, in steps.
    #[inline]
    fn count_work(&self, steps: u64) -> Result<()> {
        self.work.count(steps, || self.check_interrupt())
    }

    fn raised(&self, raised: PyErr, doing: &str) -> Error {
        foreign(self.py, raised, || format!("{doing} raised an exception"))
    }

    fn integer(&self, value: usize) -> Object<'py> {
        match value.into_pyobject(self.py) {
            Ok(value) => value.into_any(),
            Err(never) => match never {},
        }
    }

    /// Returns the member of a mapping that is not a `dict`.
    fn of_mapping(&self, mapping: &Bound<'py, PyMapping>, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        match mapping.get_item(key) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_instance_of::<PyKeyError>(self.py) => Ok(None),
            Err(error) => Err(self.raised(error, "reading a mapping")),
        }
    }

    /// Returns the member of a value that is not a `dict`.
    fn of_object(&self, value: &Object<'py>, name: &str, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        match kind_of(value) {
            ValueKind::Sequence => {
                if name == "length" {
                    return self.counted(value).map(Some);
                }
                let declared = tuple_fields(value).map(|fields| fields.contains(key));
                if self.looked_up(declared.transpose())?.unwrap_or(false) {
                    return self.field(value, name, key);
                }
                let Ok(index) = name.parse::<usize>() else { return Ok(None) };
                self.item(value, index)
            }
            ValueKind::String if self.is_javascript() => Ok(self.of_javascript_text(value, name)),
            ValueKind::String if name == "length" => self.counted(value).map(Some),
            ValueKind::Mapping => {
                let found = if let Ok(overlay) = value.cast_exact::<Overlay>() {
                    self.overlaid(overlay.get(), name, key)?
                } else if let Ok(mapping) = value.cast::<PyMapping>() {
                    self.of_mapping(mapping, key)?
                } else {
                    None
                };
                match found {
                    None if name == "length" && !self.is_javascript() => self.counted(value).map(Some),
                    found => Ok(found),
                }
            }
            ValueKind::Record => {
                let declared = match fields(value) {
                    Some(fields) => self.looked_up(fields.get_item(key))?,
                    None => None,
                };
                if declared.is_some_and(|field| is_stored(&field)) {
                    return self.field(value, name, key);
                }
                match extra(value) {
                    Some(extra) if is_public(name) => self.looked_up(extra.get_item(key)),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// Returns the length or a character of a text. JavaScript counts in UTF-16.
    fn of_javascript_text(&self, value: &Object<'py>, name: &str) -> Option<Object<'py>> {
        let text = value.cast::<PyString>().ok()?.to_string_lossy();
        if name == "length" {
            return Some(self.integer(text.encode_utf16().count()));
        }
        // JavaScript accepts an index only in its plain spelling: `1`, not `01`.
        let index = name.parse::<usize>().ok().filter(|index| index.to_string() == name)?;
        let unit = text.encode_utf16().nth(index)?;
        // A Python string can also contain half of a surrogate pair.
        self.py.import("builtins").and_then(|builtins| builtins.call_method1("chr", (unit,))).ok()
    }

    /// Returns the result of a lookup in an object of the caller.
    fn looked_up<R>(&self, result: PyResult<R>) -> Result<R> {
        result.map_err(|error| self.raised(error, "reading a field"))
    }

    fn field(&self, value: &Object<'py>, name: &str, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        let Ok(key) = key.cast::<PyString>() else { return Ok(None) };
        if !is_public(name) {
            return Ok(None);
        }
        match value.getattr(key) {
            Ok(found) => Ok(Some(found)),
            // The field is declared, but was never set.
            Err(error) if error.is_instance_of::<PyAttributeError>(self.py) => Ok(None),
            Err(error) => Err(self.raised(error, "reading a field")),
        }
    }

    fn counted(&self, value: &Object<'py>) -> Result<Object<'py>> {
        let length = value.len().map_err(|error| self.raised(error, "taking the length of a value"))?;
        Ok(self.integer(length))
    }

    fn item(&self, value: &Object<'py>, index: usize) -> Result<Option<Object<'py>>> {
        let found = if let Ok(list) = value.cast_exact::<PyList>() {
            return Ok(list.get_item(index).ok());
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            return Ok(tuple.get_item(index).ok());
        } else {
            let length = value.len().map_err(|error| self.raised(error, "taking the length of a value"))?;
            if index >= length {
                return Ok(None);
            }
            value.get_item(index)
        };
        found.map(Some).map_err(|error| self.raised(error, "reading a sequence"))
    }

    fn pairs(
        &self,
        pairs: &Bound<'py, PyList>,
        visit: &mut dyn FnMut(Item<Object<'py>>) -> Result<()>,
    ) -> Result<()> {
        let count = pairs.len();
        for (at, pair) in pairs.iter().enumerate() {
            let (key, value) =
                pair.extract().map_err(|error: PyErr| self.raised(error, "reading a mapping"))?;
            visit(Item { key: Some(key), value, last: at + 1 == count })?;
        }
        Ok(())
    }

    fn walk_sequence(
        &self,
        value: &Object<'py>,
        visit: &mut dyn FnMut(Item<Object<'py>>) -> Result<()>,
    ) -> Result<()> {
        // The length is read again in each round, because `visit` may run code that changes the list.
        if let Ok(list) = value.cast_exact::<PyList>() {
            let mut at = 0;
            let mut count = list.len();
            while at < count {
                let Ok(item) = list.get_item(at) else { break };
                visit(Item { key: None, value: item, last: at + 1 == count })?;
                at += 1;
                count = list.len();
            }
            return Ok(());
        }
        let length = || value.len().map_err(|error| self.raised(error, "taking the length of a value"));
        let mut at = 0;
        let mut count = length()?;
        while at < count {
            let Some(item) = self.item(value, at)? else { break };
            visit(Item { key: None, value: item, last: at + 1 == count })?;
            at += 1;
            count = length()?;
        }
        Ok(())
    }

    fn walk_record(
        &self,
        value: &Object<'py>,
        visit: &mut dyn FnMut(Item<Object<'py>>) -> Result<()>,
    ) -> Result<()> {
        let mut members = Vec::new();
        for name in self.names(value)? {
            let key = PyString::new(self.py, &name).into_any();
            if let Some(item) = self.of_object(value, &name, &key)? {
                members.push((key, item));
            }
        }
        let count = members.len();
        for (at, (key, item)) in members.into_iter().enumerate() {
            visit(Item { key: Some(key), value: item, last: at + 1 == count })?;
        }
        Ok(())
    }

    fn walk_iterable(
        &self,
        value: &Object<'py>,
        visit: &mut dyn FnMut(Item<Object<'py>>) -> Result<()>,
    ) -> Result<()> {
        let iterator = value.try_iter().map_err(|error| self.raised(error, "iterating over a value"))?;
        let place = self.walked_place(iterator.into_any());
        let mut at = 0;
        let mut ahead = self.walked_item(place, at)?;
        while let Some(item) = ahead {
            at += 1;
            ahead = self.walked_item(place, at)?;
            visit(Item { key: None, value: item, last: ahead.is_none() })?;
        }
        Ok(())
    }

    fn walked_place(&self, iterator: Object<'py>) -> usize {
        let mut walked = self.walked.borrow_mut();
        walked.iter().position(|known| known.iterator.is(&iterator)).unwrap_or_else(|| {
            walked.push(Walked { iterator, items: Vec::new(), ended: false });
            walked.len() - 1
        })
    }

    /// Returns item `at` of an iterator. It is taken from the iterator unless this render already did so.
    fn walked_item(&self, place: usize, at: usize) -> Result<Option<Object<'py>>> {
        let iterator = {
            let walked = self.walked.borrow();
            let known = &walked[place];
            if let Some(item) = known.items.get(at) {
                return Ok(Some(item.clone()));
            }
            if known.ended {
                return Ok(None);
            }
            known.iterator.clone()
        };
        let next = iterator.cast::<PyIterator>().ok().and_then(|iterator| iterator.clone().next());
        let mut walked = self.walked.borrow_mut();
        match next {
            Some(Ok(item)) => {
                walked[place].items.push(item.clone());
                Ok(Some(item))
            }
            Some(Err(error)) if !error.is_instance_of::<PyStopIteration>(self.py) => {
                Err(self.raised(error, "iterating over a value"))
            }
            _ => {
                walked[place].ended = true;
                Ok(None)
            }
        }
    }
}

/// Returns the pairs in the order of JavaScript: first the keys that are array indexes, in ascending order.
fn javascript_order<'py>(pairs: &Bound<'py, PyList>) -> Bound<'py, PyList> {
    let index = |pair: &Object<'py>| {
        let key = pair.get_item(0).ok()?.extract::<String>().ok()?;
        key.parse::<u32>().ok().filter(|index| *index < u32::MAX && index.to_string() == key)
    };
    let mut indexed: Vec<(u32, Object<'py>)> = Vec::new();
    let mut named = Vec::new();
    for pair in pairs.iter() {
        match index(&pair) {
            Some(index) => indexed.push((index, pair)),
            None => named.push(pair),
        }
    }
    indexed.sort_by_key(|(index, _)| *index);
    let ordered = indexed.into_iter().map(|(_, pair)| pair).chain(named).collect::<Vec<_>>();
    PyList::new(pairs.py(), ordered).unwrap_or_else(|_| pairs.clone())
}

impl<'py> Data for PyData<'_, 'py> {
    type Text = PyText;
    type Value = Object<'py>;
    type Kept = Py<PyAny>;
    type Helper = HelperFunction;
    type Sink = PySink<'py>;
    type Output = PyOutput<'py>;

    fn keep(&self, value: &Object<'py>) -> Py<PyAny> {
        value.clone().unbind()
    }

    fn restore(&self, kept: &Py<PyAny>) -> Object<'py> {
        kept.bind(self.py).clone()
    }

    fn helper(&self, name: &PyText) -> Option<HelperFunction> {
        self.engine.and_then(|engine| engine.helper(self.py, name.as_str()))
    }

    fn invoke(&self, helper: &HelperFunction, call: Invocation<'_, Self>) -> Result<Option<Object<'py>>> {
        self.call_helper(helper, call)
    }

    fn kind_of(&self, value: &Object<'py>) -> Result<ValueKind> {
        Ok(kind_of(value))
    }

    #[inline]
    fn get(&self, value: &Object<'py>, key: &PyText) -> Result<Option<Object<'py>>> {
        self.member(value, key.as_str(), key.string(self.py).as_any())
    }

    fn lookup(&self, value: &Object<'py>, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        if let Ok(dict) = value.cast::<PyDict>() {
            let found = match dict.get_item(key) {
                // A key that cannot be hashed is not in the dict.
                Err(error) if error.is_instance_of::<PyTypeError>(self.py) => None,
                found => found.map_err(|error| self.raised(error, "reading a mapping"))?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        if self.write(key, style, &mut sink)? != WriteOutcome::Done {
            return Ok(None);
        }
        let name = sink.finish();
        name.with_str(|text| self.member(value, text, name.0.as_any()))
    }

    #[inline]
    fn member_count(&self, value: &Object<'py>) -> Option<usize> {
        value.cast_exact::<PyDict>().ok().map(PyDictMethods::len)
    }

    fn names(&self, value: &Object<'py>) -> Result<Vec<String>> {
        let keys = if let Ok(dict) = value.cast::<PyDict>() {
            dict.keys()
        } else if let Ok(overlay) = value.cast_exact::<Overlay>() {
            return self.overlaid_names(overlay.get());
        } else if let Some(fields) = fields(value) {
            let keys = fields.keys();
            for key in extra(value).iter().flat_map(PyDictMethods::keys) {
                if keys.append(key).is_err() {
                    break;
                }
            }
            keys
        } else if let Ok(mapping) = value.cast::<PyMapping>() {
            mapping.keys().map_err(|error| self.raised(error, "reading a mapping"))?
        } else if let Some(fields) = tuple_fields(value) {
            fields.to_list()
        } else {
            return Ok(Vec::new());
        };
        let text = |key: Object<'py>| key.extract::<String>().ok();
        // Templates cannot read private fields, so they are not suggested. Keys of a mapping are data and always public.
        let all_public = matches!(kind_of(value), ValueKind::Mapping);
        Ok(keys.iter().take(NAMES).filter_map(text).filter(|name| all_public || is_public(name)).collect())
    }

    fn truth(&self, value: &Object<'py>, empty_mapping_is_false: bool) -> Result<Truth> {
        let is = |truth: bool| if truth { Truth::True } else { Truth::False };
        let checked =
            |truth: PyResult<bool>| truth.map_err(|error| self.raised(error, "converting a value to bool"));
        let value = &bare(value);
        Ok(match kind_of(value) {
            ValueKind::Null => Truth::False,
            ValueKind::Bool => is(checked(value.is_truthy())?),
            ValueKind::Integer | ValueKind::Float => {
                if checked(value.is_truthy())? {
                    // NaN is true for Python but false for templates. It is the only number that is not equal to itself.
                    is(checked(value.eq(value))?)
                } else {
                    Truth::Zero
                }
            }
            ValueKind::String | ValueKind::Sequence => is(checked(value.len().map(|length| length > 0))?),
            ValueKind::Mapping => {
                is(!empty_mapping_is_false || checked(value.len().map(|length| length > 0))?)
            }
            ValueKind::Iterable if value.cast::<PySet>().is_ok() || value.cast::<PyFrozenSet>().is_ok() => {
                is(checked(value.len().map(|length| length > 0))?)
            }
            _ => Truth::True,
        })
    }

    fn walk(
        &self,
        value: &Object<'py>,
        visit: &mut dyn FnMut(Item<Object<'py>>) -> Result<()>,
    ) -> Result<()> {
        let value = &bare(value);
        match kind_of(value) {
            ValueKind::Sequence => self.walk_sequence(value, visit),
            ValueKind::Mapping => {
                if let Ok(dict) = value.cast::<PyDict>() {
                    let pairs = dict.items();
                    return self
                        .pairs(&if self.is_javascript() { javascript_order(&pairs) } else { pairs }, visit);
                }
                if let Ok(overlay) = value.cast_exact::<Overlay>() {
                    let all = self.merged(overlay.get())?;
                    return self.pairs(&all.items(), visit);
                }
                match value.cast::<PyMapping>().map(PyMappingMethods::items) {
                    Ok(Ok(pairs)) => self.pairs(&pairs, visit),
                    Ok(Err(error)) => Err(self.raised(error, "iterating over a mapping")),
                    Err(_) => Ok(()),
                }
            }
            ValueKind::Record => self.walk_record(value, visit),
            ValueKind::Iterable => self.walk_iterable(value, visit),
            _ => Ok(()),
        }
    }

    #[inline]
    fn write(&self, value: &Object<'py>, style: Style, out: &mut PySink<'py>) -> Result<WriteOutcome> {
        self.write_any(value, style, 0, &mut 0, out)
    }

    #[inline]
    fn write_member(
        &self,
        value: &Object<'py>,
        key: &PyText,
        style: Style,
        out: &mut PySink<'py>,
    ) -> Result<Option<WriteOutcome>> {
        let Ok(dict) = value.cast_exact::<PyDict>() else { return Ok(None) };
        match dict.get_item(key.string(self.py)) {
            Ok(Some(found)) => match found.cast_exact::<PyString>() {
                Ok(string) if !style.html => {
                    out.string(string);
                    Ok(Some(WriteOutcome::Done))
                }
                _ => self.write_any(&found, style, 0, &mut 0, out).map(Some),
            },
            Ok(None) => Ok(None),
            Err(error) => Err(self.raised(error, "reading a mapping")),
        }
    }

    #[inline]
    fn same(&self, a: &Object<'py>, b: &Object<'py>) -> bool {
        // A dict, which is the usual context, is the same only as itself.
        if a.is(b) || a.cast_exact::<PyDict>().is_ok() || b.cast_exact::<PyDict>().is_ok() {
            return a.is(b);
        }
        // As in JavaScript, an equal text or number does not make a new context. Only Python's own types are compared, so
        // that no code of the caller runs.
        let own = |value: &Object<'py>| {
            value.cast_exact::<PyString>().is_ok()
                || value.cast_exact::<PyInt>().is_ok()
                || value.cast_exact::<PyFloat>().is_ok()
        };
        own(a) && own(b) && a.eq(b).unwrap_or(false)
    }

    fn equal(&self, a: &Object<'py>, b: &Object<'py>) -> Result<bool> {
        let comparable_kind = |value: &Object<'py>| match kind_of(value) {
            // Integers and floats are compared by value. A bool is not a number here.
            ValueKind::Integer => ValueKind::Float,
            kind => kind,
        };
        if comparable_kind(a) != comparable_kind(b) {
            return Ok(false);
        }
        bare(a).eq(bare(b)).map_err(|error| self.raised(error, "comparing two values"))
    }

    fn order(&self, a: &Object<'py>, b: &Object<'py>) -> Result<Option<Ordering>> {
        let is_number = |kind| matches!(kind, ValueKind::Integer | ValueKind::Float);
        let (a, b) = (&bare(a), &bare(b));
        let (kind_a, kind_b) = (kind_of(a), kind_of(b));
        let ordered =
            matches!(kind_a, ValueKind::String | ValueKind::Date | ValueKind::DateTime) && kind_a == kind_b;
        let numbers = is_number(kind_a) && is_number(kind_b);
        if !ordered && !numbers {
            return Ok(None);
        }
        let checked =
            |answer: PyResult<bool>| answer.map_err(|error| self.raised(error, "comparing two values"));
        if checked(a.lt(b))? {
            Ok(Some(Ordering::Less))
        } else if checked(a.gt(b))? {
            Ok(Some(Ordering::Greater))
        } else {
            Ok(checked(a.eq(b))?.then_some(Ordering::Equal))
        }
    }

    fn length(&self, value: &Object<'py>) -> Result<Option<usize>> {
        let value = &bare(value);
        match kind_of(value) {
            ValueKind::String | ValueKind::Sequence | ValueKind::Mapping => {}
            ValueKind::Iterable if value.cast::<PySet>().is_ok() || value.cast::<PyFrozenSet>().is_ok() => {}
            _ => return Ok(None),
        }
        value.len().map(Some).map_err(|error| self.raised(error, "taking the length of a value"))
    }

    fn text(&self, text: &str) -> Object<'py> {
        PyString::new(self.py, text).into_any()
    }

    fn to_json(&self, value: &Object<'py>) -> Result<serde_json::Value> {
        self.json(value, 0).map_err(|json_error| json_error.error)
    }

    fn to_json_text(&self, value: &Object<'py>, indent: Option<usize>, limit: usize) -> Result<String> {
        let mut text = JsonText::new(indent, limit);
        self.write_json(value, 0, &mut text)?;
        Ok(text.finish())
    }

    fn sum(&self, a: &Object<'py>, b: &Object<'py>, subtract: bool) -> Result<Option<Object<'py>>> {
        let is_number = |value| matches!(kind_of(value), ValueKind::Integer | ValueKind::Float);
        let (a, b) = (&bare(a), &bare(b));
        if !is_number(a) || !is_number(b) {
            return Ok(None);
        }
        let sum = if subtract { a.sub(b) } else { a.add(b) };
        match sum {
            Ok(sum) => Ok(Some(sum)),
            // A decimal and a float have no sum in Python.
            Err(error) if error.is_instance_of::<PyTypeError>(self.py) => Ok(None),
            Err(error) => Err(self.raised(error, "adding two numbers")),
        }
    }

    fn without(&self, base: &Object<'py>, names: &[&PyText]) -> Result<Object<'py>> {
        let members = self.as_dict(base)?;
        for name in names {
            match members.del_item(name.string(self.py)) {
                Err(error) if !error.is_instance_of::<PyKeyError>(self.py) => {
                    return Err(self.raised(error, "reading a mapping"));
                }
                _ => {}
            }
        }
        Ok(members.into_any())
    }

    fn fences(&self) -> &Fences {
        &self.fences
    }

    fn take_work(&self) -> u64 {
        self.work.take()
    }

    fn literal(&self, literal: &Literal<PyText>) -> Object<'py> {
        let py = self.py;
        match literal {
            Literal::Null => py.None().into_bound(py),
            Literal::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
            Literal::Integer(value) => match value.into_pyobject(py) {
                Ok(value) => value.into_any(),
                Err(never) => match never {},
            },
            Literal::Float(value) => PyFloat::new(py, *value).into_any(),
            Literal::Text(text) => text.string(py).clone().into_any(),
        }
    }

    fn of_json(&self, value: &serde_json::Value) -> Result<Object<'py>> {
        pythonize::pythonize(self.py, value).map_err(|error| {
            Error::new(Kind::TemplateRender, "the value cannot be converted to a Python object")
                .with_cause(error)
        })
    }

    fn overlay(
        &self,
        base: Option<&Object<'py>>,
        members: Vec<(&PyText, Object<'py>)>,
    ) -> Result<Object<'py>> {
        Overlay::over(self.py, base, members)
            .map_err(|error| self.raised(error, "adding values to a context"))
    }

    fn log(&self, level: &str, text: &str) -> Result<()> {
        let py = self.py;
        let number = match level {
            "debug" | "0" => 10,
            "warn" | "2" => 30,
            "error" | "3" => 40,
            _ => 20,
        };
        let logger = py
            .import("logging")
            .and_then(|logging| logging.call_method1("getLogger", ("prompt_manager.template",)));
        logger
            .and_then(|logger| logger.call_method1("log", (number, "%s", text)))
            .map(drop)
            .map_err(|error| self.raised(error, "logging"))
    }

    fn check_interrupt(&self) -> Result<()> {
        self.py.check_signals().map_err(|error| self.raised(error, "a signal handler"))
    }

    fn sink(&self) -> PySink<'py> {
        PySink::new(self.py)
    }

    fn output(&self, text: &str) -> PyOutput<'py> {
        PyOutput(PyString::new(self.py, text))
    }
}
