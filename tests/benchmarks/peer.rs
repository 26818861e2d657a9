//! Compares the `handlebars` crate with our engine: how many of the cases that handlebars.js passes it passes, and how
//! long it takes for the same renders of JSON data. `make bench` runs it. It asserts nothing.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use handlebars::{Handlebars, no_escape};
use prompt_manager::template::{EmptyLibrary, JsonData, JsonDataValue, Template, TemplateOptions};
use serde_json::{Value, json};

/// The number of rounds, of which the median counts, and the minimum time of a round.
const ROUNDS: usize = 41;
const NANOSECONDS: u128 = 2_000_000;

fn main() {
    agreement();
    println!("\n| work                 | ours, ns | the crate's, ns | ratio |");
    println!("| -------------------- | -------: | --------------: | ----: |");
    for (name, source, data) in works() {
        compare(name, &source, &data);
    }
}

/// Runs the cases without our own helpers and without options other than the dialect.
fn agreement() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/templates");
    let (mut count, mut agreed) = (0, 0);
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        for case in file["cases"].as_array().expect("cases") {
            let differs = !case["differs"].is_null() || !file["differs"].is_null();
            let plain =
                case["options"].as_object().is_none_or(|given| given.keys().all(|key| key == "dialect"));
            if differs || !plain || case["error"]["kind"] == "render" {
                continue;
            }
            count += 1;
            let outcome = crate_renders(case);
            agreed += usize::from(match &case["expect"] {
                Value::String(text) => outcome.as_deref() == Some(text),
                _ => outcome.is_none(),
            });
        }
    }
    println!(
        "the handlebars crate agrees with handlebars.js in {agreed} of {count} of our cases; we do in all"
    );
}

fn crate_renders(case: &Value) -> Option<String> {
    let mut engine = Handlebars::new();
    if case["options"]["dialect"] != "handlebars" {
        engine.register_escape_fn(no_escape);
    }
    for (name, source) in case["partials"].as_object().into_iter().flatten() {
        engine.register_partial(name, source.as_str()?).ok()?;
    }
    engine.render_template(case["template"].as_str()?, &case["data"]).ok()
}

fn works() -> Vec<(&'static str, String, Value)> {
    let documents: Vec<Value> = (0..20)
        .map(|at| {
            let source = if at % 2 == 0 { String::new() } else { format!("manual/{at}") };
            json!({"title": format!("Document {at}"), "source": source, "text": "Some words of it. ".repeat(28)})
        })
        .collect();
    let examples: Vec<Value> = (0..200)
        .map(|at| json!({"question": format!("What is {at}?"), "answer": format!("A number: {at}.")}))
        .collect();
    vec![
        (
            "two variables",
            "Hello {{name}}! Your role is {{role}}.".to_owned(),
            json!({"name": "Ada Lovelace", "role": "engineer"}),
        ),
        (
            "20 documents",
            "{{#each documents}}## {{title}}{{#if source}} (from {{source}}){{/if}}\n{{text}}\n\n{{/each}}"
                .to_owned(),
            json!({ "documents": documents }),
        ),
        (
            "200 few-shot items",
            "{{#each examples}}Q: {{question}}\nA: {{answer}}\n\n{{/each}}".to_owned(),
            json!({ "examples": examples }),
        ),
    ]
}

fn compare(name: &str, source: &str, data: &Value) {
    let ours = Template::<Box<str>>::parse("", source, &TemplateOptions::default()).expect("a template");
    let mut engine = Handlebars::new();
    engine.register_escape_fn(no_escape);
    engine.register_template_string("work", source).expect("a template");
    let of_ours = || {
        ours.render(&JsonData::default(), &JsonDataValue::Borrowed(data), None, &EmptyLibrary)
            .expect("a render")
    };
    let of_crate = || engine.render("work", data).expect("a render");
    assert_eq!(of_ours(), of_crate());
    let turns = turns(&of_crate);
    let (mut times, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (mine, other) = (time(turns, &of_ours), time(turns, &of_crate));
        times.push(mine);
        others.push(other);
        ratios.push(other / mine);
    }
    let (mine, other, ratio) = (median(times), median(others), median(ratios));
    println!("| {name:<20} | {mine:>8.0} | {other:>15.0} | {ratio:>5.1} |");
}

/// Returns the number of calls that fill a round.
fn turns(work: &dyn Fn() -> String) -> u32 {
    let (started, mut turns) = (Instant::now(), 0);
    while started.elapsed().as_nanos() < NANOSECONDS {
        black_box(work());
        turns += 1;
    }
    turns
}

/// Returns the nanoseconds for each call.
fn time(turns: u32, work: &dyn Fn() -> String) -> f64 {
    let started = Instant::now();
    for _ in 0..turns {
        black_box(work());
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(turns)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
