//! Where the time of a load goes: reading files, parsing them, compiling their templates, and registering the prompts,
//! one after the other on one thread. `run.py phases` makes the files and calls it with their directory.
//!
//! It prints one JSON object: the number of prompts, and the milliseconds of each phase.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use prompt_manager::prompt::Compiled;
use prompt_manager::store::{Registry, yaml};
use prompt_manager::template::{EmptyLibrary, TemplateOptions};
use serde_json::{Map, Value, json};
use walkdir::WalkDir;

fn main() {
    // Cargo adds `--bench`. Without a directory, as in a run of all benches, there is nothing to measure.
    let Some(directory) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        return;
    };
    println!("{}", phases(Path::new(&directory)));
}

/// Loads a directory in steps, and takes the time of each.
fn phases(directory: &Path) -> Value {
    let mut times = Map::new();
    let paths = timed(&mut times, "walk", || yaml_files(directory));
    let files = timed(&mut times, "read", || {
        let read = |path: &PathBuf| std::fs::read(path).expect("a readable file");
        paths.iter().map(|path| (path.display().to_string(), read(path))).collect::<Vec<_>>()
    });
    let parsed = timed(&mut times, "parse", || {
        files
            .iter()
            .flat_map(|(name, bytes)| yaml::read_prompts_bytes(name, bytes).prompts)
            .map(|located| located.prompt)
            .collect::<Vec<_>>()
    });
    let compiled = timed(&mut times, "compile", || {
        let options = TemplateOptions::default();
        let compile = |prompt| Compiled::<Box<str>>::compile(prompt, &options, &EmptyLibrary);
        parsed.into_iter().map(|prompt| Arc::new(compile(prompt).expect("a good prompt"))).collect::<Vec<_>>()
    });
    let count = compiled.len();
    timed(&mut times, "register", || {
        let mut registry = Registry::default();
        for prompt in compiled {
            registry.insert(prompt).expect("a version that is not there yet");
        }
        registry
    });
    json!({"prompts": count, "milliseconds": times})
}

/// The YAML files below a directory.
fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let walk = WalkDir::new(directory).sort_by_file_name();
    walk.into_iter()
        .map(|entry| entry.expect("a readable entry").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect()
}

/// Calls a function, and notes how many milliseconds it took.
fn timed<R>(times: &mut Map<String, Value>, phase: &str, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    times.insert(phase.to_owned(), json!(start.elapsed().as_secs_f64() * 1e3));
    result
}
