//! Runs the fuzz targets on the inputs saved by fuzzing, and the printer on every template case.
//!
//! `tests/fuzz/corpus` has one JSON list for each target.
//! An input is a string with one character for each byte.

use std::path::{Path, PathBuf};

use serde_json::Value;

#[path = "../fuzz/bodies.rs"]
mod bodies;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn replay(target: &str, body: fn(&[u8])) {
    let corpus = read(&root().join("fuzz/corpus").join(format!("{target}.json")));
    let inputs = corpus.as_array().expect("a list of inputs");
    assert!(inputs.len() > 100, "only {} inputs were found", inputs.len());
    for input in inputs {
        let text = input.as_str().expect("a text");
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).expect("a byte")).collect();
        body(&bytes);
    }
}

#[test]
fn every_saved_table_passes() {
    replay("arrow", bodies::arrow::run);
}

#[test]
fn every_saved_history_passes() {
    replay("history", bodies::history::run);
}

#[test]
fn every_saved_prompt_file_passes() {
    replay("prompt_file", bodies::prompt_file::run);
}

#[test]
fn every_saved_schema_passes() {
    replay("schema", bodies::schema::run);
}

#[test]
fn every_saved_answer_passes() {
    replay("answer", bodies::answer);
}

#[test]
fn every_saved_parser_input_passes() {
    replay("parse", bodies::parse);
}

#[test]
fn every_saved_renderer_input_passes() {
    replay("render", bodies::render);
}

#[test]
fn every_saved_printer_input_passes() {
    replay("round_trip", bodies::round_trip);
}

#[test]
fn every_template_case_survives_printing() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("data/templates")).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        for case in read(&path)["cases"].as_array().expect("a list of cases") {
            let partials = case["partials"].as_object().into_iter().flatten().map(|(_, source)| source);
            for source in partials.chain([&case["template"]]) {
                bodies::round_trip(source.as_str().expect("a text").as_bytes());
                count += 1;
            }
        }
    }
    assert!(count > 100, "only {count} templates were found");
}
