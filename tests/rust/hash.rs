//! Content hashes: fixed digests, each with its canonical text.

use prompt_manager::prompt::Prompt;
use serde_json::Value;

/// The cases, shared with the Python tests.
fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../data/versions/hash.json")).expect("the table is JSON")
}

#[test]
fn the_digest_of_a_prompt_never_changes() {
    for case in cases() {
        let prompt: Prompt = serde_json::from_value(case["prompt"].clone()).expect("a prompt");
        let found = prompt.content_hash(case.get("engine").and_then(Value::as_str));
        assert_eq!(found, case["digest"].as_str().expect("a text"), "{}", case["name"]);
    }
}

#[test]
fn a_round_trip_keeps_the_digest() {
    for case in cases() {
        let prompt: Prompt = serde_json::from_value(case["prompt"].clone()).expect("a prompt");
        let written = serde_json::to_string(&prompt).expect("JSON");
        let read: Prompt = serde_json::from_str(&written).expect("a prompt");
        assert_eq!(read.content_hash(None), prompt.content_hash(None), "{}", case["name"]);
    }
}
