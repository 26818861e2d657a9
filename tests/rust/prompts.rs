//! Prompt files: reading, errors with locations, and writing.

use std::time::{Duration, Instant};

use prompt_manager::Kind;
use prompt_manager::prompt::{Prompt, PromptId, Status, Version};
use prompt_manager::store::yaml::{ReadFile, read_prompts, read_prompts_bytes};
use serde_json::{Value, json};

use crate::{cases, lines_of};

/// Reads the file of a case. `<no line break>` at its end removes the last line break.
fn read(text: &str) -> ReadFile {
    match text.strip_suffix("<no line break>\n") {
        Some(text) => read_prompts("f.yaml", text),
        None => read_prompts("f.yaml", text),
    }
}

#[test]
fn bad_files_report_location_and_hint() {
    for case in cases(include_str!("../data/yaml/bad.txt")) {
        let file = read(&case.text);
        assert_eq!(lines_of(&file.errors), case.expected, "{}", case.name);
        for error in &file.errors {
            assert_eq!(error.kind(), Kind::PromptInvalid, "{}", case.name);
            let place = error.place().expect("every error has a place");
            assert_eq!(place.name.as_deref(), Some("f.yaml"), "{}", case.name);
            let line = case.text.lines().nth(place.line - 1).unwrap_or_default();
            assert_eq!(place.source_line.as_deref(), Some(line), "{}", case.name);
        }
    }
}

#[test]
fn good_files_give_the_expected_prompts() {
    for case in cases(include_str!("../data/yaml/good.txt")) {
        let file = read(&case.text);
        assert_eq!(lines_of(&file.errors), Vec::<String>::new(), "{}", case.name);
        let read: Vec<String> =
            file.prompts.iter().map(|found| serde_json::to_string(&found.prompt).unwrap()).collect();
        assert_eq!(read, case.expected, "{}", case.name);
    }
}

#[test]
fn prompts_survive_a_round_trip_through_json_and_yaml() {
    for case in cases(include_str!("../data/yaml/good.txt")) {
        for found in read(&case.text).prompts {
            let json = serde_json::to_string(&found.prompt).unwrap();
            assert_eq!(serde_json::from_str::<Prompt>(&json).unwrap(), found.prompt, "{}", case.name);
            let again = read_prompts("f.json", &json);
            assert_eq!(again.prompts[0].prompt, found.prompt, "{}", case.name);
        }
    }
}

#[test]
fn good_prompts_are_kept_next_to_broken_ones() {
    let ids = |text: &str| -> Vec<String> {
        read_prompts("f.yaml", text).prompts.iter().map(|found| found.prompt.id.to_string()).collect()
    };
    let good = |id: &str| format!("id: {id}\nformat: text\ntemplate: x\n");
    assert_eq!(ids(&format!("{}---\nid: b\n---\n{}", good("a"), good("c"))), ["a", "c"]);
    assert_eq!(ids(&format!("{}---\n\"unclosed\n---\n{}", good("a"), good("c"))), ["a", "c"]);
    assert_eq!(ids("prompts:\n- {id: a, format: text, template: x}\n- {id: b}\n"), ["a"]);
    // A prompt with a contradiction hides no other prompt of its list.
    assert_eq!(ids("prompts:\n- {id: a, format: text}\n- {id: b, format: text, template: x}\n"), ["b"]);
}

#[test]
fn errors_of_later_documents_count_lines_in_the_file() {
    let file =
        read_prompts("f.yaml", "id: a\nformat: text\ntemplate: x\n---\nid: b\nformat: text\n---\n- x\n");
    assert_eq!(file.errors[0].place().map(|place| (place.line, place.column)), Some((6, 9)));
    assert_eq!(file.errors[1].place().map(|place| (place.line, place.column)), Some((8, 1)));
}

#[test]
fn helpers_are_ignored_with_a_warning() {
    let text = "---\nid: a\nformat: text\ntemplate:\n  content: x\n  helpers: {shout: upper}\n";
    let file = read_prompts("p/f.yaml", text);
    let [warning] = &*file.warnings else { panic!("{:?}", file.warnings) };
    assert_eq!(warning.message, "`helpers` of prompt `a` are ignored");
    assert_eq!(warning.hint.as_deref(), Some("register them with the template engine"));
    let place = warning.place.as_ref().map(|place| (place.line, place.column));
    assert_eq!((warning.file.as_deref(), place), (Some("p/f.yaml"), Some((6, 12))));
    assert_eq!(file.prompts.len(), 1);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_ignored() {
    let file = read_prompts_bytes(
        "f.yaml",
        "\u{feff}id: a\r\nformat: text\r\ntemplate: |\r\n  x\r\n  y\r\n".as_bytes(),
    );
    assert_eq!(file.prompts[0].prompt.template.as_ref().unwrap().content, "x\ny\n");
}

#[test]
fn other_encodings_are_refused_at_their_first_byte() {
    for (bytes, message, line, column) in [
        (&b"id: a\ntext: caf\xe9\n"[..], "the file must be UTF-8, but this byte is not valid", 2, 10),
        (&b"\xff\xfei\0d\0"[..], "the file must be UTF-8, but it is UTF-16", 1, 1),
        (&b"\xfe\xff\0i\0d"[..], "the file must be UTF-8, but it is UTF-16", 1, 1),
        (&b"\xff\xfe\0\0i\0\0\0"[..], "the file must be UTF-8, but it is UTF-32", 1, 1),
        (&b"\0\0\xfe\xff\0\0\0i"[..], "the file must be UTF-8, but it is UTF-32", 1, 3),
    ] {
        let file = read_prompts_bytes("f.yaml", bytes);
        assert_eq!(file.errors[0].message(), message);
        assert_eq!(file.errors[0].place().map(|place| (place.line, place.column)), Some((line, column)));
        assert_eq!(file.errors[0].hint(), Some("save the file with the encoding UTF-8"));
    }
}

#[test]
fn alias_bombs_and_deep_nesting_fail_fast() {
    let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let below = level - 1;
        let line = format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 9].join(","));
        laughs.push_str(&line);
    }
    let custom = |text: &str| {
        let indented = format!("    {}", text.trim_end().replace('\n', "\n    "));
        format!("id: a\nformat: text\ntemplate: x\nmetadata:\n  custom:\n{indented}\n")
    };
    let mut large = format!("a: &a {}\nl:\n", "x".repeat(1_000_000));
    large.push_str(&"- *a\n".repeat(900));
    let deep = (0..5_000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n");
    for (what, text) in [
        ("a billion laughs", custom(&laughs)),
        ("a large alias again and again", custom(&large)),
        ("deep blocks", custom(&deep)),
        ("deep lists", custom(&format!("a: {}", "[".repeat(200_000)))),
        ("deep dashes", custom(&"- ".repeat(200_000))),
    ] {
        let start = Instant::now();
        let file = read_prompts("f.yaml", &text);
        assert!(file.prompts.is_empty(), "{what}");
        assert_eq!(file.errors.len(), 1, "{what}");
        // A generous limit: without the guard, this takes minutes and gigabytes.
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: {:?}", start.elapsed());
    }
}

#[test]
fn a_file_of_ten_megabytes_is_read() {
    let text = format!("id: a\nformat: text\ntemplate: |\n{}", "  A line of some length.\n".repeat(400_000));
    let file = read_prompts("f.yaml", &text);
    assert_eq!(lines_of(&file.errors), Vec::<String>::new());
    assert_eq!(file.prompts[0].prompt.template.as_ref().unwrap().content.len(), 23 * 400_000);
}

#[test]
fn errors_without_a_file_are_plain_text() {
    for (value, message) in [
        (json!({"id": "a b", "format": "text"}), "`a b` cannot be an id: the character ' ' is not allowed"),
        (json!({"id": "a", "format": "txt"}), "unknown format `txt`; did you mean `text`?"),
        (
            json!({"id": "a", "format": "text", "templat": "x"}),
            "unknown key `templat`; did you mean `template`?",
        ),
        (json!({"id": "a", "format": "text", "settings": {"top_p": 2}}), "`top_p` must be from 0 to 1"),
        (
            json!({"id": "a", "format": "text", "template": 5}),
            "expected a template: a string, or a mapping with `content`, found a number",
        ),
    ] {
        let error = serde_json::from_value::<Prompt>(value).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_prompt_without_a_status_gets_the_default_of_the_caller() {
    let value = json!({"id": "a", "format": "text"});
    assert_eq!(serde_json::from_value::<Prompt>(value).unwrap().status, Status::Draft);
    let value = json!({"id": "a", "format": "text", "template": "x"});
    assert_eq!(Prompt::from_json(&value, Status::Active).unwrap().status, Status::Active);
}

#[test]
fn settings_win_over_metadata() {
    let prompt = |settings: Value| -> Prompt {
        let metadata = json!({"temperature": 0.5, "max_tokens": 7});
        let value = json!({"id": "a", "format": "text", "settings": settings, "metadata": metadata});
        serde_json::from_value(value).unwrap()
    };
    assert_eq!(prompt(json!({})).settings().temperature, Some(0.5));
    assert_eq!(prompt(json!({"temperature": 1})).settings().temperature, Some(1.0));
    assert_eq!(prompt(json!({"temperature": 1})).settings().max_tokens, Some(7));
}

#[test]
fn ids_that_could_escape_a_store_are_refused() {
    for good in ["a", "A-1_b.c", "a/b/c", "v1.2/x", "nullable", "com10", &"x".repeat(255)] {
        assert!(good.parse::<PromptId>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        ".git/x",
        "a/.b",
        "a.",
        "a./b",
        "a\\b",
        "c:",
        "a b",
        "é",
        "nul",
        "a/CON",
        "aux.txt",
        "Com1",
        "lpt9.a.b",
        "a\0",
        &"x".repeat(256),
    ] {
        assert!(bad.parse::<PromptId>().is_err(), "{bad}");
    }
}

#[test]
fn versions_are_ordered_as_semantic_versions() {
    let order = ["0.9.0", "1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.2.0", "1.10.0"];
    let versions: Vec<Version> = order.iter().map(|text| text.parse().unwrap()).collect();
    assert!(versions.is_sorted());
    for bad in ["", "1", "1.0", "v1.0.0", "1.0.0+a", "01.0.0", "1.0.0.0", "1.0.0-", "1.0.0-01", " 1.0.0"] {
        assert!(bad.parse::<Version>().is_err(), "{bad}");
    }
}
