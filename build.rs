//! Passes the name of the distribution from `pyproject.toml` to the crate.

use std::{env, fs, path::Path};

fn main() {
    let manifest = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("pyproject.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let text = fs::read_to_string(&manifest).expect("pyproject.toml is next to Cargo.toml");
    let project = text.split_once("[project]").expect("a [project] table").1;
    let name = project.lines().find_map(|line| line.strip_prefix("name = ")).expect("a project name");
    println!("cargo::rustc-env=DISTRIBUTION={}", name.trim().trim_matches('"'));
}
