//! Visits the items of a value.

use pyo3::exceptions::PyStopIteration;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyString};

use super::members::by_position;
use super::object::Object;
use super::overlay::Overlay;
use super::resolved::Resolved;
use super::{PyData, Walked};
use crate::error::{Error, Kind, Result};
use crate::limits::ITERATOR_ITEMS;
use crate::template::{Item, ValueKind, array_index};

/// What is called for each item.
type Visit<'a, 'py> = dyn FnMut(Item<Object<'py>>) -> Result<()> + 'a;

impl<'py> PyData<'_, 'py> {
    pub(super) fn walk_resolved(&self, resolved: &Resolved<'py>, visit: &mut Visit<'_, 'py>) -> Result<()> {
        match resolved.kind {
            ValueKind::Sequence => self.walk_sequence(resolved, visit),
            ValueKind::Mapping => {
                let pairs = self.items_of(&resolved.value)?;
                let is_dict = resolved.value.cast::<PyDict>().is_ok();
                self.pairs(
                    &if is_dict && self.is_javascript() { javascript_order(&pairs) } else { pairs },
                    visit,
                )
            }
            ValueKind::Record => self.walk_record(resolved, visit),
            ValueKind::Iterable => self.walk_iterable(&resolved.value, visit),
            _ => Ok(()),
        }
    }

    /// Returns the object that gives the items of a sequence by position.
    pub(super) fn by_position(&self, resolved: &Resolved<'py>) -> Result<Object<'py>> {
        self.looked_up(by_position(&resolved.value, resolved.reading))
    }

    /// Returns the pairs of a mapping.
    pub(in crate::python) fn items_of(&self, mapping: &Object<'py>) -> Result<Bound<'py, PyList>> {
        if let Ok(dict) = mapping.cast::<PyDict>() {
            return Ok(dict.items());
        }
        if let Ok(overlay) = mapping.cast_exact::<Overlay>() {
            return Ok(self.merged(overlay.get())?.items());
        }
        let read = || -> PyResult<Bound<'py, PyList>> {
            let list = PyList::empty(self.py);
            for pair in mapping.call_method0(intern!(self.py, "items"))?.try_iter()?.take(ITERATOR_ITEMS + 1)
            {
                list.append(pair?)?;
            }
            Ok(list)
        };
        let list = read().map_err(|error| self.raised(error, "iterating over a mapping"))?;
        if list.len() > ITERATOR_ITEMS { Err(too_many("a mapping")) } else { Ok(list) }
    }

    fn pairs(&self, pairs: &Bound<'py, PyList>, visit: &mut Visit<'_, 'py>) -> Result<()> {
        let count = pairs.len();
        for (at, pair) in pairs.iter().enumerate() {
            let (key, value) =
                pair.extract().map_err(|error: PyErr| self.raised(error, "reading a mapping"))?;
            visit(Item { key: Some(key), value, last: at + 1 == count })?;
        }
        Ok(())
    }

    pub(super) fn walk_sequence(&self, resolved: &Resolved<'py>, visit: &mut Visit<'_, 'py>) -> Result<()> {
        // The length is read again in each round, because `visit` may run code that changes the list.
        if let Ok(list) = resolved.value.cast_exact::<PyList>() {
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
        let value = &self.by_position(resolved)?;
        let mut at = 0;
        let mut count = self.size_of(value)?;
        while at < count {
            let Some(item) = self.item(value, at)? else { break };
            visit(Item { key: None, value: item, last: at + 1 == count })?;
            at += 1;
            count = self.size_of(value)?;
        }
        Ok(())
    }

    fn walk_record(&self, resolved: &Resolved<'py>, visit: &mut Visit<'_, 'py>) -> Result<()> {
        let mut members = Vec::new();
        for key in self.member_keys(resolved, usize::MAX)? {
            let Ok(name) = key.cast::<PyString>() else { continue };
            if let Some(item) = self.of_record(resolved, &name.to_string_lossy(), &key)? {
                members.push((key, item));
            }
        }
        let count = members.len();
        for (at, (key, item)) in members.into_iter().enumerate() {
            visit(Item { key: Some(key), value: item, last: at + 1 == count })?;
        }
        Ok(())
    }

    fn walk_iterable(&self, value: &Object<'py>, visit: &mut Visit<'_, 'py>) -> Result<()> {
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
            if known.items.len() >= ITERATOR_ITEMS {
                return Err(too_many("an iterator"));
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

pub(super) fn too_many(what: &str) -> Error {
    Error::new(Kind::TemplateRender, format!("{what} gives more than {ITERATOR_ITEMS} items"))
        .with_hint("pass a list of the items that the prompt needs")
}

/// Returns the pairs in the order of JavaScript: first the keys that are array indexes, in ascending order.
fn javascript_order<'py>(pairs: &Bound<'py, PyList>) -> Bound<'py, PyList> {
    let index = |pair: &Object<'py>| {
        let key = pair.get_item(0).ok()?.extract::<String>().ok()?;
        array_index(&key)
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
