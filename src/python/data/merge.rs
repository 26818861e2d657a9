//! Reads one member of an overlay, or merges all of them into one dict.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::PyData;
use super::object::Object;
use super::overlay::Overlay;
use crate::error::{Error, Kind, Result};
use crate::template::{Data, Item};

impl<'py> PyData<'_, 'py> {
    /// Merges the base and the members of an overlay into a new dict.
    pub(in crate::python) fn merged(&self, overlay: &Overlay) -> Result<Bound<'py, PyDict>> {
        self.merged_over(overlay.base.as_ref().map(|base| base.bind(self.py)), overlay.members.bind(self.py))
    }

    /// Copies the members of a mapping or record into a new dict.
    pub(in crate::python) fn as_dict(&self, value: &Object<'py>) -> Result<Bound<'py, PyDict>> {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return dict.copy().map_err(|error| {
                Error::new(Kind::TemplateRender, "the context cannot be copied").with_cause(error)
            });
        }
        match value.cast_exact::<Overlay>() {
            Ok(overlay) => self.merged(overlay.get()),
            Err(_) => self.merged_over(Some(value), &PyDict::new(self.py)),
        }
    }

    fn merged_over(
        &self,
        base: Option<&Object<'py>>,
        members: &Bound<'py, PyDict>,
    ) -> Result<Bound<'py, PyDict>> {
        let all = PyDict::new(self.py);
        let checked = |result: PyResult<()>| {
            result.map_err(|error| {
                Error::new(Kind::TemplateRender, "the members of the context cannot be read")
                    .with_cause(error)
            })
        };
        if let Some(base) = base {
            let mut index = 0;
            self.walk(base, &mut |Item { key, value, .. }| {
                let inserted = match key {
                    Some(key) => checked(all.set_item(key, value)),
                    // A list has its items as members, with the index as name.
                    None => checked(all.set_item(index.to_string(), value)),
                };
                index += 1;
                inserted
            })?;
        }
        checked(all.update(members.as_mapping()))?;
        Ok(all)
    }

    /// Returns the first names of an overlay's members: first its own, then those of its base.
    pub(super) fn overlaid_names(&self, overlay: &Overlay, most: usize) -> Result<Vec<String>> {
        let mut names = self.names(overlay.members.bind(self.py).as_any(), most)?;
        if let Some(base) = &overlay.base {
            names.extend(self.names(base.bind(self.py), most - names.len())?);
        }
        Ok(names)
    }

    /// Returns a member of an overlay. `key` is the name as a Python string.
    pub(in crate::python) fn overlaid(
        &self,
        overlay: &Overlay,
        name: &str,
        key: &Object<'py>,
    ) -> Result<Option<Object<'py>>> {
        let own = overlay.members.bind(self.py).get_item(key);
        if let Some(found) = own.map_err(|error| self.raised(error, "reading a mapping"))? {
            return Ok(Some(found));
        }
        match &overlay.base {
            Some(base) => self.member(base.bind(self.py), name, key),
            None => Ok(None),
        }
    }
}
