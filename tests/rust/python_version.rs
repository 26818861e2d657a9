//! The build script spells the version as Python's metadata has it. Python compares the same rows with maturin.

use std::collections::BTreeMap;

#[allow(dead_code)]
#[path = "../../build.rs"]
mod build_script;

#[test]
fn versions_are_spelled_as_python_spells_them() {
    let rows: BTreeMap<String, Option<String>> =
        serde_json::from_str(include_str!("../data/python_versions.json")).unwrap();
    for (cargo, python) in rows {
        assert_eq!(build_script::python_version(&cargo), python, "{cargo}");
    }
}
