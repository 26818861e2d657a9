//! Remembers where a dict had a name.

use std::sync::atomic::{AtomicIsize, AtomicU8, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Where a name was in the dict in which it was last looked up. Dicts that are made in the same way have a name at the same
/// position, where comparing one pointer finds it.
pub(in crate::python) struct DictPosition {
    /// The position for `PyDict_Next`, or [`DictPosition::UNKNOWN`].
    position: AtomicIsize,
    /// How often the name was not at its position.
    misses: AtomicU8,
}

impl DictPosition {
    const UNKNOWN: isize = -1;

    /// After this many misses a name is no longer looked for at a position.
    const MAX_MISSES: u8 = 16;

    /// The number of entries in which a name is searched for after a miss.
    const SEARCHED: isize = 8;

    pub(in crate::python) const fn new() -> Self {
        Self { position: AtomicIsize::new(0), misses: AtomicU8::new(0) }
    }

    /// Returns the value of an interned key, as `dict.get_item(key)` does.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "returning the result through memory takes a third of the time")]
    pub(in crate::python) fn get<'py>(
        &self,
        dict: &Bound<'py, PyDict>,
        key: &Bound<'py, PyString>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Without the GIL another thread could change the dict between finding a value and taking a reference to it.
        if cfg!(Py_GIL_DISABLED) {
            return dict.get_item(key);
        }
        let position = self.position.load(Ordering::Relaxed);
        if position != Self::UNKNOWN
            && let KeyAt::Here(value) = key_at(dict, position, key)
        {
            return Ok(Some(value));
        }
        self.missed(dict, key, position)
    }

    /// Looks a key up by its hash, and finds its position for the next time.
    #[inline(never)]
    fn missed<'py>(
        &self,
        dict: &Bound<'py, PyDict>,
        key: &Bound<'py, PyString>,
        position: isize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = dict.get_item(key)?;
        if position == Self::UNKNOWN {
            return Ok(found);
        }
        let misses = self.misses.load(Ordering::Relaxed);
        let position = if misses < Self::MAX_MISSES {
            self.misses.store(misses + 1, Ordering::Relaxed);
            (0..Self::SEARCHED)
                .map(|at| (at, key_at(dict, at, key)))
                .take_while(|(_, found)| !matches!(found, KeyAt::End))
                .find_map(|(at, found)| matches!(found, KeyAt::Here(_)).then_some(at))
        } else {
            None
        };
        self.position.store(position.unwrap_or(Self::UNKNOWN), Ordering::Relaxed);
        Ok(found)
    }
}

/// Whether a key is at a position of a dict.
enum KeyAt<'py> {
    /// It is, and has this value.
    Here(Bound<'py, PyAny>),
    /// Another key is there.
    Elsewhere,
    /// The entries end before this position, or there is a gap, which would take time to cross in a dict that once was large.
    End,
}

#[inline]
fn key_at<'py>(dict: &Bound<'py, PyDict>, position: isize, key: &Bound<'py, PyString>) -> KeyAt<'py> {
    let (mut next, mut found, mut value) = (position, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: `dict` is a dict, and the thread is attached. Any position is allowed: for one outside of the entries, the
    // function returns 0. The pointers that it writes are to objects that the dict owns, and nothing runs between the call
    // and taking a reference to the value. On a free-threaded interpreter nothing calls this function.
    unsafe {
        if pyo3::ffi::PyDict_Next(dict.as_ptr(), &raw mut next, &raw mut found, &raw mut value) == 0
            || next != position + 1
        {
            return KeyAt::End;
        }
        if found != key.as_ptr() {
            return KeyAt::Elsewhere;
        }
        KeyAt::Here(Bound::from_borrowed_ptr(dict.py(), value))
    }
}
