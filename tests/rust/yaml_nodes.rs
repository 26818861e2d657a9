//! YAML reads as serde-saphyr reads it, with the options that we want.

use serde_json::{Map, Value};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{MergeKeyPolicy, NonFiniteFloatPolicy};

use super::yaml::{documents, read_document};
use super::{NodeReader, NodeValue, SourceNode};
use crate::Kind;

/// What serde-saphyr reads; `None` for an error.
fn theirs(text: &str) -> Option<Value> {
    let room = text.len().max(64 * 1024);
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 2 * room,
            max_nodes: 2 * room,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: 2 * room,
            max_depth: 40,
            flow_nesting_limit: 40,
            max_total_scalar_bytes: 2 * room,
            max_merge_keys: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).ok()
}

/// What we read; `None` for any mistake.
fn ours(text: &str) -> Option<Value> {
    let mut reader = NodeReader::of_yaml(Kind::PromptInvalid, text);
    let chunk = super::yaml::Chunk { start: 0, end: text.len() };
    let node = read_document(text, &chunk, &mut reader);
    let value = node.and_then(|node| json(node, text));
    reader.is_clean_since(0).then_some(value).flatten()
}

fn json(node: SourceNode<'_>, text: &str) -> Option<Value> {
    Some(match node.value {
        // Where serde-saphyr passes it on, serde_json makes it null.
        NodeValue::Null | NodeValue::NonFinite => Value::Null,
        NodeValue::Bool(value) => Value::Bool(value),
        NodeValue::Number(number) => Value::Number(number),
        // serde-saphyr makes it the nearest float.
        NodeValue::ExactNumber(text) => super::nearest_number(&text).map_or(Value::Null, Value::Number),
        NodeValue::Text(text) => Value::String(text.into_owned()),
        NodeValue::List(items) => {
            Value::Array(items.into_iter().map(|item| json(item, text)).collect::<Option<_>>()?)
        }
        NodeValue::Map(entries) => {
            let mut members = Map::new();
            for (key, value) in entries {
                let key = match key.value {
                    NodeValue::Text(key) => key.into_owned(),
                    NodeValue::Number(_)
                    | NodeValue::ExactNumber(_)
                    | NodeValue::NonFinite
                    | NodeValue::Bool(_) => key.span.slice(text).filter(|key| !key.is_empty())?.to_owned(),
                    _ => return None,
                };
                members.insert(key, json(value, text)?);
            }
            Value::Object(members)
        }
    })
}

fn compare(text: &str) {
    assert_eq!(ours(text), theirs(text), "{text}");
}

/// Numbers without end, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

const WORDS: &[&str] = &[
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "null",
    "Null",
    "NULL",
    "nuLL",
    "~",
    "",
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "-07",
    "+00",
    "0.5",
    "01.5",
    ".5",
    "-.5",
    "5.",
    "1e3",
    "1E-3",
    "1e999",
    "-1e999",
    ".5e999",
    "1_000",
    "_1",
    "1_",
    "0x1F",
    "0X1f",
    "-0x10",
    "0x",
    "0o17",
    "0b101",
    "0b2",
    "0o8",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    ".inf",
    "-.inf",
    "+.Inf",
    ".INF",
    ".nan",
    ".NaN",
    "nan",
    "inf",
    "Infinity",
    "-inf",
    "1.2.3",
    "2026-01-31",
    "12:30",
    "text",
    "a b",
    "é",
    "\u{1F600}",
    "a: b",
    "- a",
    "#",
    "a #b",
    "a#b",
    "{{x}}",
    "{a: 1}",
    "[1, two]",
    "'a'",
    "'it''s'",
    "\"a\\n\"",
    "\"\\u00e9\"",
    "'1'",
    "\"true\"",
    "''",
    "\"\"",
    "!!str 1",
    "!!int 5",
    "!!int x",
    "!!float 1",
    "!!bool yes",
    "!!null x",
    "!!int '5'",
    "! 5",
    "!!str",
    "&a 1",
    "*a",
    "&b [1]",
    "*b",
    "&m {k: 1}",
    "*m",
    "<<",
    "|\n  block",
    ">-\n  folded\n  text",
    "|+\n  kept\n",
    "? x",
    "%",
    "@x",
    "`x`",
    "---",
    "...",
    "+",
    "-",
    ".",
    "1 2",
    "0 ",
    "\t1",
];

#[test]
fn every_word_means_what_serde_saphyr_takes_it_for() {
    for word in WORDS {
        compare(&format!("{word}\n"));
        compare(&format!("k: {word}\n"));
        // In `!!str: v` the colon belongs to the tag, which is then none of YAML's own.
        if *word == "!!str" {
            assert_eq!(ours("!!str: v\n"), None);
        } else {
            compare(&format!("{word}: v\n"));
        }
        compare(&format!("- {word}\n"));
        compare(&format!("a: &a 1\nb: {{k: {word}}}\n"));
    }
}

#[test]
fn thousands_of_random_numbers_read_the_same() {
    let mut dice = Dice(1);
    for _ in 0..5_000 {
        let length = 1 + dice.roll(8);
        let word: String = (0..length)
            .map(|_| dice.pick(&["0", "1", "7", "9", ".", "-", "+", "e", "x", "_", "o", "b", "f"]))
            .collect();
        compare(&format!("k: {word}\n"));
    }
}

const KEYS: &[&str] = &["k:", "1:", "0x1:", "true:", "\"k\":", "? k\n", "null:", "*a :", "1.0:"];

/// A random document of blocks, with anchors, aliases and merge keys.
fn block(dice: &mut Dice, depth: usize, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    let rows = 1 + dice.roll(4);
    let is_list = dice.roll(3) == 0;
    for row in 0..rows {
        out.push_str(&pad);
        match dice.roll(8) {
            _ if is_list => out.push('-'),
            0 => out.push_str("<<:"),
            1 => out.push_str(dice.pick(KEYS)),
            _ => out.extend(["k", &row.to_string(), ":"]),
        }
        if depth > 0 && dice.roll(2) == 0 {
            if dice.roll(3) == 0 {
                out.push_str(dice.pick(&[" &a", " &b", " &m", " !!map", " !!seq"]));
            }
            out.push('\n');
            block(dice, depth - 1, indent + 2, out);
        } else {
            out.push(' ');
            let word = dice.pick(WORDS);
            out.push_str(&word.replace('\n', &format!("\n{pad}")));
            out.push('\n');
        }
    }
}

#[test]
fn thousands_of_random_documents_read_the_same() {
    let mut dice = Dice(2);
    let mut read = 0;
    for _ in 0..5_000 {
        let mut text = String::new();
        if dice.roll(2) == 0 {
            text.push_str("a: &a x\nb: &b [1]\nm: &m {k: 1, k1: 2}\nc:\n");
            block(&mut dice, 3, 2, &mut text);
        } else {
            block(&mut dice, 3, 0, &mut text);
        }
        let ours = ours(&text);
        // We also look at a merge key in a value that another key overrides; serde-saphyr never does.
        if ours.is_none() && text.contains("<<:") {
            continue;
        }
        assert_eq!(ours, theirs(&text), "{text}");
        read += usize::from(ours.is_some());
    }
    // Enough of them are good ones.
    assert!(read > 1_000, "{read}");
}

#[test]
fn the_files_of_tests_and_examples_read_the_same() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("examples"), root.join("tests/data")];
    let mut count = 0;
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let is_table = path.file_name().is_some_and(|name| name == "good.txt" || name == "bad.txt");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let texts: Vec<String> = if is_table {
                text.split("@@ ")
                    .map(|case| {
                        let lines = case.split_inclusive('\n').skip(1).filter(|line| !line.starts_with("@ "));
                        lines.collect::<String>()
                    })
                    .collect()
            } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                vec![text]
            } else {
                continue;
            };
            for text in texts {
                for chunk in documents(&text) {
                    compare(&text[chunk.start..chunk.end]);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 100, "{count}");
}

fn repeat(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn what_grows_is_refused_where_serde_saphyr_refuses_it() {
    for aliases in [99, 100, 101, 999, 1_001] {
        compare(&format!("a: &a x\nl: [{}]\n", vec!["*a"; aliases].join(", ")));
        let anchors = repeat(aliases.div_ceil(10), |at| format!("a{at}: &a{at} x\n"));
        compare(&format!("{anchors}l: [{}]\n", vec!["*a0"; aliases].join(", ")));
    }
    for depth in [38, 39, 40, 41] {
        compare(&format!("{}{}\n", "[".repeat(depth), "]".repeat(depth)));
        let blocks = repeat(depth, |at| format!("{}a:\n", " ".repeat(at)));
        compare(&blocks);
        compare(&format!("a: &a {}{}\nb: [[*a]]\n", "[".repeat(depth - 3), "]".repeat(depth - 3)));
    }
    for items in [90, 99, 100, 101, 110] {
        // Each alias repeats the list, two more events for its ends.
        let list = vec!["x"; 98].join(", ");
        let anchors = repeat(12, |at| format!("z{at}: &z{at} y\n"));
        compare(&format!("{anchors}a: &a [{list}]\nl: [{}]\n", vec!["*a"; items].join(", ")));
    }
}
