//! Methods that Python calls without the work that pyo3 does for each call: it counts the calls of this thread, which tells
//! it whether the thread is attached, and reads the arguments by their names.

use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::{PyClass, ffi, pyclass};

use crate::python::panic_text::panic_text;

/// A method that has a fast path for calls with one positional argument.
///
/// While it runs, pyo3 does not know that the thread is attached. This is correct and only delays the drop of a [`Py`]
/// until pyo3's next call; so a fast path should drop none.
pub trait FastMethod {
    /// The class, which already has the full method.
    type Class: PyClass<Frozen = pyclass::boolean_struct::True> + Sync;

    /// The name of the method.
    const NAME: &'static str;

    /// The full method, for all other calls.
    fn full() -> &'static PyOnceLock<Py<PyAny>>;

    /// The fast path. `None` if it does not cover this call.
    fn call<'py>(class: &Self::Class, argument: &Bound<'py, PyAny>)
    -> Option<PyResult<Bound<'py, PyString>>>;
}

/// Puts the fast path in front of the method of the class.
///
/// # Errors
/// If the class has no such method.
pub(in crate::python) fn install<M: FastMethod>(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<M::Class>();
    let full = class.getattr(M::NAME)?;
    let signature: String = full.getattr("__text_signature__")?.extract()?;
    let docstring: String = full.getattr("__doc__")?.extract::<Option<String>>()?.unwrap_or_default();
    let name = CString::new(M::NAME)?;
    let described = CString::new(format!("{}{signature}\n--\n\n{docstring}", M::NAME))?;
    if M::full().set(py, full.unbind()).is_err() {
        return Ok(());
    }
    // Classes live as long as the process, and so do their methods.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: Box::leak(name.into_boxed_c_str()).as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: entry::<M> },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: Box::leak(described.into_boxed_c_str()).as_ptr(),
    }));
    // SAFETY: the class is a type, and the definition, which is never freed, has a function of the kind of its flags. The
    // function returns a new object, or null with an exception.
    let method =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), definition))? };
    class.setattr(M::NAME, method)
}

/// What Python calls.
///
/// # Safety
/// Only Python calls it, by the protocol of `METH_FASTCALL | METH_KEYWORDS` and with an object of the class, which a
/// method descriptor checks.
unsafe extern "C" fn entry<M: FastMethod>(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python calls this, so the thread is attached.
    let py = unsafe { Python::assume_attached() };
    if count == 1 && names.is_null() {
        // SAFETY: there is one argument. The caller holds it and the object for as long as the call takes. The object is
        // of the class.
        let (object, argument) =
            unsafe { (Borrowed::from_ptr(py, slf).cast_unchecked(), Borrowed::from_ptr(py, *arguments)) };
        let object: &Bound<'_, M::Class> = &object;
        match catch_unwind(AssertUnwindSafe(|| M::call(object.get(), &argument))) {
            Ok(Some(Ok(result))) => return result.into_ptr(),
            Ok(None) => {}
            Ok(Some(Err(error))) => return raised(py, error),
            Err(panic) => return raised(py, panicked(&*panic)),
        }
    }
    // SAFETY: by the caller.
    unsafe { call_in_full::<M>(py, slf, arguments, count, names) }
}

#[cold]
fn raised(py: Python<'_>, error: PyErr) -> *mut ffi::PyObject {
    error.restore(py);
    std::ptr::null_mut()
}

/// The exception that pyo3 raises for a panic.
#[cold]
fn panicked(panic: &(dyn std::any::Any + Send)) -> PyErr {
    PanicException::new_err((panic_text(panic).to_owned(),))
}

/// Calls the full method with the same arguments.
///
/// # Safety
/// As [`entry`].
#[cold]
unsafe fn call_in_full<M: FastMethod>(
    py: Python<'_>,
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let Some(full) = M::full().get(py) else { return std::ptr::null_mut() };
    let count = count.cast_unsigned();
    // SAFETY: by the protocol there are `count` positional arguments, and then one for each of the names, a tuple. The
    // caller holds them and the object for as long as the call takes.
    let (all, names) = unsafe {
        let names = Borrowed::from_ptr_or_opt(py, names).map(|names| names.cast_unchecked::<PyTuple>());
        let given = (0..count + names.map_or(0, |names| names.len())).map(|at| *arguments.add(at));
        let all = std::iter::once(slf).chain(given).map(|object| Borrowed::from_ptr(py, object));
        (all.collect::<Vec<_>>(), names)
    };
    let (positional, values) = all.split_at(1 + count);
    let called = || {
        let positional = PyTuple::new(py, positional)?;
        let Some(names) = names else { return full.bind(py).call1(positional) };
        let by_name = PyDict::new(py);
        for (name, value) in names.iter().zip(values) {
            by_name.set_item(name, value)?;
        }
        full.bind(py).call(positional, Some(&by_name))
    };
    called().map_or_else(|error| raised(py, error), Bound::into_ptr)
}
