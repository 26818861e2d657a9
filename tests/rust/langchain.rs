//! LangChain: f-strings of flat templates, and the conversion of rendered messages.

mod chat;

use prompt_manager::Kind;
use prompt_manager::convert::{Report, langchain};
use prompt_manager::template::{EmptyLibrary, Template, TemplateOptions};
use serde_json::{Value, json};

fn f_string(source: &str, options: &TemplateOptions) -> Option<String> {
    let template: Template<Box<str>> = Template::parse_with("", source, options, &EmptyLibrary).unwrap();
    langchain::f_string(&template)
}

#[test]
fn f_string_cases_convert_as_expected() {
    let cases: Value = serde_json::from_str(include_str!("../data/langchain/f_strings.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let source = case["template"].as_str().unwrap();
        let made = f_string(source, &TemplateOptions::default());
        assert_eq!(made.as_deref(), case["f_string"].as_str(), "{}", case["name"]);
    }
}

#[test]
fn engines_that_print_differently_give_no_f_string() {
    let others = [
        TemplateOptions { strict: false, ..TemplateOptions::default() },
        TemplateOptions { escape: true, ..TemplateOptions::default() },
        TemplateOptions { allow_none: true, ..TemplateOptions::default() },
        TemplateOptions { compat: true, ..TemplateOptions::default() },
        TemplateOptions::handlebars(),
    ];
    for options in others {
        assert_eq!(f_string("Hello {{name}}!", &options), None, "{options:?}");
    }
}

/// Converts one message; returns the result or the error, and the warnings.
fn form(message: &Value, strict: bool) -> (Result<Value, prompt_manager::Error>, Vec<String>) {
    let mut report = Report::default();
    let message = chat::messages(&json!([message])).remove(0);
    let form = langchain::message(
        message,
        3,
        &langchain::LangChainOptions { strict, ..Default::default() },
        &mut report,
    );
    (form.map(|form| form.map_or(Value::Null, |form| form.to_json())), report.warnings().to_vec())
}

#[test]
fn each_role_has_its_class() {
    let classes = [("system", "system"), ("developer", "system"), ("user", "human"), ("assistant", "ai")];
    for (role, class) in classes {
        let (made, warnings) = form(&json!({"role": role, "content": "Hi", "name": "Ada"}), true);
        let made = made.unwrap();
        assert_eq!(made["class"], class);
        assert_eq!(made["arguments"]["content"], "Hi");
        assert_eq!(made["arguments"]["name"], "Ada");
        let developer = (role == "developer").then(|| json!({"__openai_role__": "developer"}));
        assert_eq!(made["arguments"].get("additional_kwargs"), developer.as_ref());
        assert!(warnings.is_empty());
    }
    let (made, _) = form(&json!({"role": "tool", "content": "42", "tool_call_id": "c1"}), true);
    assert_eq!(made.unwrap(), json!({"class": "tool", "arguments": {"content": "42", "tool_call_id": "c1"}}));
    let (made, _) = form(&json!({"role": "function", "content": "42", "name": "f"}), true);
    assert_eq!(made.unwrap(), json!({"class": "function", "arguments": {"content": "42", "name": "f"}}));
}

fn calls(arguments: &Value) -> Value {
    json!({"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": arguments}}]})
}

#[test]
fn the_arguments_of_a_tool_call_are_an_object() {
    for (arguments, object) in [
        (json!({"a": [1]}), json!({"a": [1]})),
        (json!("{\"a\": [1]}"), json!({"a": [1]})),
        (json!(""), json!({})),
    ] {
        let (made, _) = form(&calls(&arguments), true);
        let call = json!({"name": "f", "args": object, "id": "c1", "type": "tool_call"});
        assert_eq!(made.unwrap()["arguments"], json!({"content": "", "tool_calls": [call]}));
    }
}

#[test]
fn arguments_must_be_an_object_or_become_an_invalid_call() {
    let (made, _) = form(&calls(&json!("not secret JSON")), true);
    let error = made.unwrap_err();
    assert_eq!(error.kind(), Kind::Conversion);
    assert_eq!(error.message(), "message 3 (assistant): the arguments of tool call 0 are not JSON");
    let (made, warnings) = form(&calls(&json!("not secret JSON")), false);
    let call = json!({"name": "f", "args": "not secret JSON", "id": "c1", "error": null, "type": "invalid_tool_call"});
    assert_eq!(made.unwrap()["arguments"]["invalid_tool_calls"], json!([call]));
    assert_eq!(warnings.len(), 1);
    assert!(!warnings[0].contains("secret"), "{warnings:?}");
}

#[test]
fn a_function_call_keeps_its_arguments_as_json_text() {
    let message = |arguments: Value| json!({"role": "assistant", "function_call": {"name": "f", "arguments": arguments}});
    let (made, _) = form(&message(json!({"a": 1})), true);
    let call = json!({"function_call": {"name": "f", "arguments": "{\"a\":1}"}});
    assert_eq!(made.unwrap()["arguments"]["additional_kwargs"], call);
    let (made, _) = form(&message(json!("no JSON")), true);
    assert!(made.unwrap_err().message().contains("the arguments of the function call are not JSON text"));
    let (made, warnings) = form(&message(json!("no JSON")), false);
    assert_eq!(made.unwrap()["arguments"]["additional_kwargs"]["function_call"]["arguments"], "no JSON");
    assert_eq!(warnings.len(), 1);
}

#[test]
fn a_refusal_is_stored_where_langchain_expects_it() {
    let (made, _) = form(&json!({"role": "assistant", "refusal": "No."}), true);
    let expected = json!({"content": "", "additional_kwargs": {"refusal": "No."}});
    assert_eq!(made.unwrap()["arguments"], expected);
}

#[test]
fn a_missing_required_field_is_an_error() {
    for (message, expected) in [
        (json!({"role": "tool", "content": "42"}), "a tool message needs `tool_call_id`"),
        (json!({"role": "function", "content": "42"}), "a function message needs `name`"),
        (json!({"role": "assistant"}), "the message has no content"),
    ] {
        let (made, _) = form(&message, false);
        let error = made.unwrap_err();
        assert!(error.message().contains(expected), "{error:?}");
        assert!(error.message().starts_with("message 3 ("), "{error:?}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn content_parts_use_the_format_shared_by_chat_models() {
    let parts = json!([
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image", "media_type": "image/png", "data": "QUJD"},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f1"}},
    ]);
    let (made, _) = form(&json!({"role": "user", "content": parts}), true);
    let expected = json!([
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f1"}},
    ]);
    assert_eq!(made.unwrap()["arguments"]["content"], expected);
}

#[test]
fn names_reserved_by_langchain_are_refused() {
    for name in ["self", "stop"] {
        assert!(langchain::reserved(name).unwrap().message().contains(name));
    }
    assert!(langchain::reserved("name").is_none());
}
