//! Written YAML is readable, and reads back the same.

use prompt_manager::store::yaml::read_prompts;
use prompt_manager::store::yaml_write::write_prompt;

/// Writes a prompt with this template as YAML.
fn written(template: &str) -> String {
    let source = serde_json::json!({"id": "a", "format": "text", "template": template}).to_string();
    let prompt = serde_json::from_str(&source).expect("a prompt");
    write_prompt(&prompt).expect("every text has a form")
}

#[test]
fn only_texts_with_line_breaks_are_literal_blocks() {
    let long = "word ".repeat(60) + "end";
    let cases = [
        ("one\ntwo", "template: |-\n  one\n  two\n"),
        ("one\ntwo\n", "template: |\n  one\n  two\n"),
        ("one\n\ntwo\n\n", "template: |+\n  one\n\n  two\n\n"),
        ("  one\ntwo", "template: |2-\n    one\n  two\n"),
        ("- a: b # c\n--- d", "template: |-\n  - a: b # c\n  --- d\n"),
        ("plain", "template: plain\n"),
        ("{{name}}", "template: \"{{name}}\"\n"),
        ("no", "template: \"no\"\n"),
        ("1.0", "template: \"1.0\"\n"),
        ("a\r\nb", "template: \"a\\r\\nb\"\n"),
        ("a\u{85}b", "template: \"a\\Nb\"\n"),
        (long.as_str(), &format!("template: {long}\n")),
    ];
    for (text, expected) in cases {
        let yaml = written(text);
        assert!(yaml.ends_with(expected), "{text:?} became\n{yaml}");
        let read = read_prompts("a.yaml", &yaml);
        assert_eq!(read.prompts[0].prompt.template.as_ref().expect("a template").content, text);
    }
}

#[test]
fn keys_are_in_documented_order_without_defaults() {
    let text = "labels: [production]
metadata: {tags: [b, a], author: Ada}
tools: [{parameters: {type: object, properties: {}}, name: look}]
settings: {max_tokens: 10, model: gpt-5}
chat_template:
  variables: {name: {required: false, type: string}}
  messages: [{content: Hello, role: user}, {optional: false, role: placeholder, name: history}]
status: active
format: chat
version: 2.0.0
id: support/triage
";
    let expected = "id: support/triage
version: \"2.0.0\"
messages:
  - role: user
    content: Hello
  - role: placeholder
    name: history
variables:
  name:
    type: string
    required: false
tools:
  - name: look
settings:
  model: gpt-5
  max_tokens: 10
metadata:
  tags:
    - b
    - a
  author: Ada
labels:
  - production
";
    let read = read_prompts("triage.yaml", text);
    assert_eq!(write_prompt(&read.prompts[0].prompt).expect("it can be written"), expected);
}

#[test]
fn prompts_that_would_not_read_back_are_refused() {
    let deep = (0..50).fold("1".to_owned(), |inner, _| format!("[{inner}]"));
    let source = format!(
        "{{\"id\": \"a\", \"format\": \"text\", \"template\": \"\", \"metadata\": {{\"custom\": {{\"x\": {deep}}}}}}}"
    );
    let prompt = serde_json::from_str(&source).expect("JSON may nest so deep");
    let error = write_prompt(&prompt).expect_err("YAML of ours may not");
    assert!(error.message().starts_with("prompt 'a' cannot be written as YAML: "), "{}", error.message());
}
