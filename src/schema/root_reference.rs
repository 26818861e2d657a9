//! Puts a definition at the root of a JSON Schema that is only a reference to it: pydantic writes that for a model that
//! refers to itself, and providers accept only an object at the root.

use serde_json::{Map, Value};

/// Replaces a reference at the root by its definition. Members that the root has win. `None` if it is no reference into
/// `$defs`; a root without a reference stays as it is.
pub(super) fn resolve_root(root: &mut Map<String, Value>) -> Option<()> {
    let Some(reference) = root.get("$ref") else { return Some(()) };
    let definition =
        reference.as_str().and_then(definition_name).and_then(|name| root.get("$defs")?.get(&name));
    let definition = definition?.as_object()?.clone();
    root.shift_remove("$ref");
    for (key, value) in definition {
        root.entry(key).or_insert(value);
    }
    Some(())
}

/// The name of the definition that a reference leads to.
pub(super) fn definition_name(reference: &str) -> Option<String> {
    reference.strip_prefix("#/$defs/").map(|name| name.replace("~1", "/").replace("~0", "~"))
}
