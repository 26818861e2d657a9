//! Passes the name of the distribution and its version for Python to the crate, and what the Python is that it is built
//! for: `cfg(Py_LIMITED_API)`, `cfg(Py_GIL_DISABLED)`, `cfg(Py_3_12)` and so on.

use std::{env, fs, path::Path};

fn main() {
    // A test includes this file, where the crate is not.
    #[cfg(all(feature = "python", not(test)))]
    pyo3_build_config::use_pyo3_cfgs();
    let manifest = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("pyproject.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let text = fs::read_to_string(&manifest).expect("pyproject.toml is next to Cargo.toml");
    let project = text.split_once("[project]").expect("a [project] table").1;
    let name = project.lines().find_map(|line| line.strip_prefix("name = ")).expect("a project name");
    println!("cargo::rustc-env=DISTRIBUTION={}", name.trim().trim_matches('"'));
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    match python_version(&version) {
        Some(version) => println!("cargo::rustc-env=PYTHON_VERSION={version}"),
        None => println!(
            "cargo::error=the version {version} in Cargo.toml has no spelling in Python: use X.Y.Z, or X.Y.Z-alpha.N, \
             X.Y.Z-beta.N or X.Y.Z-rc.N"
        ),
    }
}

/// Returns cargo's version as Python spells it: `1.2.0-rc.1` is `1.2.0rc1`, as maturin writes it into the metadata.
///
/// Returns `None` for what is not a release, an alpha, a beta or a release candidate: packages with such versions
/// would sort differently for cargo and pip.
#[must_use]
pub fn python_version(version: &str) -> Option<String> {
    let Some((release, pre)) = version.split_once('-') else {
        return (!version.contains('+')).then(|| version.to_owned());
    };
    let (kind, number) = pre.split_once('.')?;
    let kind = match kind {
        "alpha" => "a",
        "beta" => "b",
        "rc" => "rc",
        _ => return None,
    };
    number.parse::<u64>().ok().map(|number| format!("{release}{kind}{number}"))
}
