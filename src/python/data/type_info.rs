//! How the objects of a type are read. This is found once for each type.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple, PyType,
    PyWeakrefMethods, PyWeakrefReference,
};

use super::object::{Object, is_subtype};
use super::overlay::Overlay;
use super::reading::ObjectReading;
use super::{fields, packages};
use crate::template::ValueKind;

/// What is known of a type.
#[derive(Debug)]
pub(in crate::python) struct TypeInfo {
    pub(super) reading: ObjectReading,
    /// The names of the declared public fields, as the keys of a dict.
    pub(super) fields: Option<Py<PyDict>>,
    /// Whether it is a pydantic model, which can have extra fields.
    pub(super) pydantic: bool,
}

/// The number of types that are remembered. A program that makes types without end must not fill the memory.
const MAX_TYPES: usize = 4096;

/// The known types by address. The weak reference shows whether the type at the address is still the same.
type KnownTypes = HashMap<usize, (Py<PyWeakrefReference>, Arc<TypeInfo>)>;

static KNOWN: LazyLock<Mutex<KnownTypes>> = LazyLock::new(Mutex::default);

impl TypeInfo {
    /// Returns what is known of the type of an object.
    pub(super) fn of(value: &Object<'_>) -> PyResult<Arc<Self>> {
        let class = value.get_type();
        let address = class.as_ptr() as usize;
        if let Some((weak, info)) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&address)
            && weak.bind(class.py()).upgrade().is_some_and(|known| known.is(&class))
        {
            return Ok(Arc::clone(info));
        }
        let claims = claims_class(&class)?;
        let info = Arc::new(Self::find(value, &class, claims)?);
        // An object that claims to be of another class than its type, such as a proxy, may claim another one next time.
        if !claims {
            let weak = PyWeakrefReference::new(&class)?.unbind();
            let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            let dropped =
                if known.len() >= MAX_TYPES { std::mem::take(&mut *known) } else { KnownTypes::new() };
            let replaced = known.insert(address, (weak, Arc::clone(&info)));
            drop(known);
            // Dropped outside the lock, because dropping a Python object may run code.
            drop((dropped, replaced));
        }
        Ok(info)
    }

    /// A type whose objects have exactly these fields.
    pub(in crate::python) fn registered(
        py: Python<'_>,
        names: &[Bound<'_, PyString>],
    ) -> PyResult<Arc<Self>> {
        let fields = PyDict::new(py);
        for name in names {
            fields.set_item(name, py.None())?;
        }
        let reading = ObjectReading::Kind(ValueKind::Record);
        Ok(Arc::new(Self { reading, fields: Some(fields.unbind()), pydantic: false }))
    }

    /// The names of the declared public fields.
    pub(in crate::python) fn field_names<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        self.fields.as_ref().map_or_else(|| PyList::empty(py), |fields| fields.bind(py).keys())
    }

    fn find<'py>(value: &Object<'py>, class: &Bound<'py, PyType>, claims: bool) -> PyResult<Self> {
        let py = class.py();
        let (fields, pydantic) = fields::declared(class)?;
        let claimed = if claims { Some(value.getattr(intern!(py, "__class__"))?) } else { None };
        let claimed = claimed.as_ref().and_then(|claimed| claimed.cast::<PyType>().ok()).unwrap_or(class);
        let reading = match standard(value, claimed).or_else(|| packages::reading(claimed)) {
            Some(reading) => reading,
            None => by_protocol(value, class, fields.is_some())?,
        };
        Ok(Self { reading, fields: fields.map(Bound::unbind), pydantic })
    }
}

/// Whether the class defines `__class__`, so that its objects can claim to be of another class.
fn claims_class(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let object = py.get_type::<PyAny>();
    for base in class.mro().iter() {
        if base.is(&object) {
            continue;
        }
        let own = base.getattr(intern!(py, "__dict__"))?;
        if own.contains(intern!(py, "__class__"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The reading of an object of the standard library's types, which are known by their class alone.
fn standard(value: &Object<'_>, class: &Bound<'_, PyType>) -> Option<ObjectReading> {
    if is_subtype!(class, "enum", "Enum") {
        return Some(ObjectReading::Attribute("value"));
    }
    if is_subtype!(class, "collections", "UserString") {
        return Some(ObjectReading::Attribute("data"));
    }
    // These are subclasses of Python's own types.
    if packages::is_null(class) {
        return Some(ObjectReading::Kind(ValueKind::Null));
    }
    let kind = if packages::is_numpy_scalar(class) {
        return None;
    } else if value.cast::<PyString>().is_ok() {
        ValueKind::String
    } else if value.cast::<PyDict>().is_ok() || value.cast_exact::<Overlay>().is_ok() {
        ValueKind::Mapping
    } else if value.cast::<PyInt>().is_ok() {
        ValueKind::Integer
    } else if value.cast::<PyFloat>().is_ok() {
        ValueKind::Float
    } else if value.cast::<PyTuple>().is_ok() || value.cast::<PyList>().is_ok() {
        ValueKind::Sequence
    } else if value.cast::<PyBytes>().is_ok()
        || value.cast::<PyByteArray>().is_ok()
        || value.cast::<PyMemoryView>().is_ok()
        || value.cast::<PyType>().is_ok()
    {
        ValueKind::Other
    } else if is_subtype!(class, "datetime", "datetime") {
        ValueKind::DateTime
    } else if is_subtype!(class, "datetime", "date") {
        ValueKind::Date
    } else if is_subtype!(class, "uuid", "UUID") {
        ValueKind::Uuid
    } else if is_subtype!(class, "pathlib", "PurePath")
        || is_subtype!(class, "datetime", "time")
        || is_subtype!(class, "datetime", "timedelta")
    {
        ValueKind::Scalar
    } else {
        return None;
    };
    Some(ObjectReading::Kind(kind))
}

/// The reading of an object of any other type, by the abstract classes that it implements.
fn by_protocol(value: &Object<'_>, class: &Bound<'_, PyType>, has_fields: bool) -> PyResult<ObjectReading> {
    let py = class.py();
    let abc = py.import(intern!(py, "collections.abc"))?;
    let is = |name: &str| -> PyResult<bool> { value.is_instance(&abc.getattr(name)?) };
    Ok(if let Some(kind) = number_kind(value)? {
        ObjectReading::Kind(kind)
    } else if has_fields {
        ObjectReading::Kind(ValueKind::Record)
    } else if is("Mapping")? {
        ObjectReading::Kind(ValueKind::Mapping)
    } else if is("Sequence")? {
        ObjectReading::Kind(ValueKind::Sequence)
    } else if is("Set")? || is("ValuesView")? {
        ObjectReading::Set
    } else if class.getattr_opt(intern!(py, "__iter__"))?.is_some_and(|method| !method.is_none()) {
        ObjectReading::Kind(ValueKind::Iterable)
    } else {
        ObjectReading::Kind(ValueKind::Other)
    })
}

/// The kind of a number; `None` for any other object. A complex number is no float: it has no order, and no schema and no
/// provider takes it. A program that has not imported `numbers` has no numbers but Python's own.
fn number_kind(value: &Object<'_>) -> PyResult<Option<ValueKind>> {
    let py = value.py();
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    let Some(numbers) = modules.cast_into::<PyDict>()?.get_item(intern!(py, "numbers"))? else {
        return Ok(value.cast::<PyComplex>().is_ok().then_some(ValueKind::Scalar));
    };
    let is = |name: &str| -> PyResult<bool> { value.is_instance(&numbers.getattr(name)?) };
    Ok(if !is("Number")? {
        None
    } else if is("Complex")? && !is("Real")? {
        Some(ValueKind::Scalar)
    } else {
        Some(ValueKind::Float)
    })
}
