//! Diffs and the version bumps that they propose, from a table shared with the Python tests.

use prompt_manager::prompt::{Compiled, Prompt};
use prompt_manager::store::diff::diff;
use prompt_manager::template::{EmptyLibrary, TemplateOptions};
use serde_json::Value;

fn compiled(prompt: &Value) -> Compiled<Box<str>> {
    let prompt: Prompt = serde_json::from_value(prompt.clone()).expect("a prompt");
    Compiled::compile(prompt, &TemplateOptions::default(), &EmptyLibrary).expect("its templates parse")
}

#[test]
fn a_diff_proposes_a_bump_with_its_reason() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../data/versions/diff.json")).expect("the table is JSON");
    for case in cases {
        let found = diff(&compiled(&case["old"]), &compiled(&case["new"]));
        assert_eq!(found.bump.as_str(), case["bump"], "{}", case["name"]);
        assert_eq!(Value::from(found.reasons), case["reasons"], "{}", case["name"]);
    }
}
