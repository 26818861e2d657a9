//! The conversions: the cases of `tests/data/convert`, and random conversations, checked separately.

mod chat;
mod chat_random;

use std::collections::HashSet;

use chat_random::Random;
use prompt_manager::convert::{Report, anthropic, bedrock, gemini, openai};
use prompt_manager::prompt::{Content, Message, Role};
use prompt_manager::{Kind, Result};
use serde_json::{Value, json};

/// Converts for a provider; returns the request as JSON and the warnings.
type Convert = fn(Vec<Message<String>>, &Value, bool) -> (Result<Value>, Vec<String>);

fn to_openai(messages: Vec<Message<String>>, options: &Value, strict: bool) -> (Result<Value>, Vec<String>) {
    let all = options["cache_breakpoints"] == true;
    let cache = if all { openai::WrittenHints::All } else { openai::WrittenHints::OpenAi };
    let mut report = Report::default();
    let options = openai::OpenAiOptions { strict, cache, ..Default::default() };
    let form = openai::messages(messages, options, &mut report);
    (form.map(|form| form.to_json()), report.warnings().to_vec())
}

fn to_responses(
    messages: Vec<Message<String>>,
    options: &Value,
    strict: bool,
) -> (Result<Value>, Vec<String>) {
    let cache_breakpoints = options["cache_breakpoints"] == true;
    let mut report = Report::default();
    let form = openai::responses::request(
        messages,
        openai::responses::ResponsesOptions { strict, continues: false, cache_breakpoints },
        &mut report,
    );
    (form.map(|form| form.to_json()), report.warnings().to_vec())
}

fn to_litellm(messages: Vec<Message<String>>, options: &Value, strict: bool) -> (Result<Value>, Vec<String>) {
    let is = |name: &str| options[name].as_bool().unwrap_or_default();
    let options = openai::OpenAiOptions::for_litellm(strict, is("developer_as_system"), is("cache_control"));
    let mut report = Report::default();
    let form = openai::messages(messages, options, &mut report);
    (form.map(|form| form.to_json()), report.warnings().to_vec())
}

fn to_anthropic(
    messages: Vec<Message<String>>,
    options: &Value,
    strict: bool,
) -> (Result<Value>, Vec<String>) {
    let is = |name: &str| options[name].as_bool().unwrap_or_default();
    let options = anthropic::AnthropicOptions {
        strict,
        merge_system: is("merge_system"),
        merge_turns: is("merge_turns"),
        allow_prefill: is("allow_prefill"),
        allow_assistant_first: is("allow_assistant_first"),
        inline_system: is("inline_system"),
    };
    let mut report = Report::default();
    let form = anthropic::request(messages, &options, &mut report);
    (form.map(|form| form.to_json()), report.warnings().to_vec())
}

fn to_gemini(messages: Vec<Message<String>>, options: &Value, strict: bool) -> (Result<Value>, Vec<String>) {
    let allow_prefill = options["allow_prefill"].as_bool().unwrap_or_default();
    let mut report = Report::default();
    let form = gemini::request(messages, gemini::GeminiOptions { strict, allow_prefill }, &mut report);
    (form.map(|form| form.to_json()), report.warnings().to_vec())
}

fn to_bedrock(messages: Vec<Message<String>>, options: &Value, strict: bool) -> (Result<Value>, Vec<String>) {
    let is = |name: &str| options[name].as_bool().unwrap_or_default();
    let options = bedrock::BedrockOptions {
        allow_prefill: is("allow_prefill"),
        allow_assistant_first: is("allow_assistant_first"),
        inline_system: is("inline_system"),
        ..bedrock::BedrockOptions::usual(strict)
    };
    let mut report = Report::default();
    let form = bedrock::request(messages, options, &mut report);
    (form.map(|form| form.to_json()), report.warnings().to_vec())
}

#[test]
fn gemini_cases_convert_as_expected() {
    run(include_str!("../data/convert/gemini.json"), to_gemini);
}

#[test]
fn bedrock_cases_convert_as_expected() {
    run(include_str!("../data/convert/bedrock.json"), to_bedrock);
}

#[test]
fn openai_cases_convert_as_expected() {
    run(include_str!("../data/convert/openai.json"), to_openai);
}

#[test]
fn responses_cases_convert_as_expected() {
    run(include_str!("../data/convert/responses.json"), to_responses);
}

#[test]
fn litellm_cases_convert_as_expected() {
    run(include_str!("../data/convert/litellm.json"), to_litellm);
}

#[test]
fn anthropic_cases_convert_as_expected() {
    run(include_str!("../data/convert/anthropic.json"), to_anthropic);
}

fn run(cases: &str, convert: Convert) {
    let cases: Value = serde_json::from_str(cases).unwrap();
    let mut failures = Vec::new();
    for case in cases.as_array().unwrap() {
        for (mode, strict) in [("strict", true), ("lenient", false)] {
            let outcome = case.get(mode).or_else(|| case.get("both")).unwrap();
            if let Err(failure) = check_case(case, outcome, strict, convert) {
                failures.push(format!("{} ({mode}): {failure}", case["name"]));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn check_case(case: &Value, outcome: &Value, strict: bool, convert: Convert) -> Result<(), String> {
    let (form, warnings) = convert(chat::messages(&case["messages"]), &case["options"], strict);
    let mut secrets = Vec::new();
    collect_secrets(&case["messages"], &mut secrets);
    let shown = form.as_ref().err().map(prompt_manager::Error::report).into_iter().chain(warnings.clone());
    for shown in shown {
        if let Some(secret) = secrets.iter().find(|secret| shown.contains(*secret)) {
            return Err(format!("{shown:?} shows {secret:?}"));
        }
    }
    // Compared as text, because equality of maps ignores the order of keys.
    match (form.map(|form| form.to_string()), outcome.get("expect").map(Value::to_string)) {
        (Ok(form), Some(expect)) if form != expect => Err(format!("gave {form}")),
        (Ok(_), Some(_)) => check_warnings(&warnings, &outcome["warnings"]),
        (Ok(form), None) => Err(format!("gave {form}, not an error")),
        (Err(error), Some(_)) => Err(format!("failed with {:?}", error.message())),
        (Err(error), None) => {
            if error.kind() != Kind::Conversion || error.hint().is_none() {
                return Err(format!("{error:?} is no conversion error with a hint"));
            }
            check_pieces(error.message(), &outcome["error"])
        }
    }
}

fn collect_secrets(json: &Value, secrets: &mut Vec<String>) {
    match json {
        Value::String(text) if text.contains("secret") => secrets.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, secrets)),
        Value::Object(members) => members.values().for_each(|member| collect_secrets(member, secrets)),
        _ => {}
    }
}

fn check_warnings(warnings: &[String], expected: &Value) -> Result<(), String> {
    let expected = expected.as_array().map_or(&[][..], Vec::as_slice);
    if warnings.len() != expected.len() {
        return Err(format!("warned {warnings:?}"));
    }
    warnings.iter().zip(expected).try_for_each(|(warning, pieces)| check_pieces(warning, pieces))
}

fn check_pieces(text: &str, pieces: &Value) -> Result<(), String> {
    let pieces = pieces.as_array().ok_or("the case names no pieces")?;
    match pieces.iter().filter_map(Value::as_str).find(|piece| !text.contains(piece)) {
        Some(piece) => Err(format!("{text:?} lacks {piece:?}")),
        None => Ok(()),
    }
}

#[test]
fn roles_get_the_names_of_each_provider() {
    assert_eq!(Role::ALL.map(openai::map_role), Role::ALL.map(Role::as_str));
    for role in [Role::User, Role::Function, Role::Tool] {
        assert_eq!(anthropic::map_role(role).unwrap(), "user");
    }
    assert_eq!(anthropic::map_role(Role::Assistant).unwrap(), "assistant");
    let error = anthropic::map_role(Role::System).unwrap_err();
    assert_eq!(error.message(), "Unsupported role for Anthropic: system");
    assert!(anthropic::map_role(Role::Developer).is_err());
}

#[test]
fn alternation_of_roles_can_be_checked_alone() {
    assert!(anthropic::validate_alternation(&[]).is_ok());
    assert!(anthropic::validate_alternation(&["user", "assistant", "user"]).is_ok());
    let message = |roles: &[&str]| anthropic::validate_alternation(roles).unwrap_err().message().to_owned();
    assert_eq!(message(&["assistant"]), "First message must be from user in Anthropic format");
    assert_eq!(message(&["user", "assistant", "assistant"]), "Messages must alternate roles (position 2)");
}

#[test]
fn many_colliding_ids_stay_distinct() {
    let calls: Vec<Value> = ["a.", "a/", "a:", "a_", "a_1"]
        .map(|id| json!({"id": id, "function": {"name": "f", "arguments": {}}}))
        .into();
    let results =
        ["a_1", "a_", "a:", "a/", "a."].map(|id| json!({"role": "tool", "tool_call_id": id, "content": id}));
    let mut messages =
        vec![json!({"role": "user", "content": "U"}), json!({"role": "assistant", "tool_calls": calls})];
    messages.extend(results);
    let (form, _) = to_anthropic(chat::messages(&messages.into()), &Value::Null, true);
    check_anthropic(&form.unwrap()).unwrap();
}

#[test]
fn random_conversations_are_valid_for_openai() {
    for seed in 1..=2000 {
        let mut messages = Random::new(seed).conversation();
        for (index, message) in messages.iter_mut().enumerate() {
            if index % 3 == 0 && matches!(message.role, Role::User | Role::Assistant) {
                message.name = Some("Ada_1".to_owned());
            }
        }
        let texts = texts_of(&messages);
        let (form, warnings) = to_openai(messages, &Value::Null, true);
        let form = form.unwrap_or_else(|error| panic!("seed {seed}: {}", error.report()));
        check_openai(&form).unwrap_or_else(|problem| panic!("seed {seed}: {problem} in {form:#}"));
        check_texts(&form, &texts).unwrap_or_else(|problem| panic!("seed {seed}: {problem} in {form:#}"));
        assert!(warnings.is_empty(), "seed {seed}: {warnings:?}");
    }
}

#[test]
fn random_conversations_are_valid_for_anthropic() {
    for seed in 1..=2000 {
        let mut messages = Random::new(seed).conversation();
        if matches!(messages.last().map(|message| message.role), Some(Role::Assistant)) {
            messages.pop();
        }
        let texts = texts_of(&messages);
        let (form, warnings) = to_anthropic(messages, &Value::Null, true);
        let form = form.unwrap_or_else(|error| panic!("seed {seed}: {}", error.report()));
        check_anthropic(&form).unwrap_or_else(|problem| panic!("seed {seed}: {problem} in {form:#}"));
        check_texts(&form, &texts).unwrap_or_else(|problem| panic!("seed {seed}: {problem} in {form:#}"));
        assert!(warnings.is_empty(), "seed {seed}: {warnings:?}");
    }
}

/// Shuffled and shortened conversations: strict mode gives only valid requests, lenient mode never panics.
#[test]
fn strict_mode_produces_only_valid_requests() {
    let mut passed = 0;
    for seed in 1..=4000_usize {
        let mut messages = Random::new(seed as u64).conversation();
        let length = messages.len();
        if seed % 2 == 0 {
            messages.swap(seed % length, seed / 7 % length);
        } else {
            messages.remove(seed / 3 % length);
        }
        let options = json!({"merge_turns": seed % 3 == 0, "merge_system": true, "allow_prefill": true});
        if let (Ok(form), _) = to_anthropic(messages.clone(), &options, true) {
            passed += 1;
            check_anthropic(&form).unwrap_or_else(|problem| panic!("seed {seed}: {problem} in {form:#}"));
        }
        if let (Ok(form), _) = to_openai(messages.clone(), &Value::Null, true) {
            passed += 1;
            check_openai(&form).unwrap_or_else(|problem| panic!("seed {seed}: {problem} in {form:#}"));
        }
        let _ = to_openai(messages.clone(), &options, false);
        let _ = to_anthropic(messages, &options, false);
    }
    assert!(passed > 1000, "only {passed} conversations got through, which tests little");
}

/// The plain texts of messages, in reading order with system messages first.
fn texts_of(messages: &[Message<String>]) -> Vec<String> {
    let plain = |message: &Message<String>| match &message.content {
        Some(Content::Text(text)) => Some(text.clone()),
        _ => None,
    };
    messages.iter().filter_map(plain).collect()
}

/// Checks that the request contains every text exactly.
fn check_texts(form: &Value, texts: &[String]) -> Result<(), String> {
    fn collect<'a>(form: &'a Value, all: &mut HashSet<&'a str>) {
        match form {
            Value::String(text) => drop(all.insert(text)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
            Value::Object(members) => members.values().for_each(|member| collect(member, all)),
            _ => {}
        }
    }
    let mut all = HashSet::new();
    collect(form, &mut all);
    match texts.iter().find(|text| !all.contains(text.as_str())) {
        Some(text) => Err(format!("{text:?} is lost")),
        None => Ok(()),
    }
}

/// Fails with `problem` unless `fine` is true.
fn need(fine: bool, problem: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(problem.to_owned()) }
}

/// Checks that an object has all `required` keys, and no others than the `optional` ones.
fn need_keys(object: &Value, required: &[&str], optional: &[&str]) -> Result<(), String> {
    let members = object.as_object().ok_or("not an object")?;
    for key in required {
        need(members.contains_key(*key), &format!("no {key}"))?;
    }
    for (key, value) in members {
        need(required.contains(&key.as_str()) || optional.contains(&key.as_str()), &format!("key {key}"))?;
        need(!value.is_null() || key == "content", &format!("{key} is null"))?;
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

fn is_filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn check_openai(form: &Value) -> Result<(), String> {
    let messages = form.as_array().ok_or("not a list")?;
    need(!messages.is_empty(), "no messages")?;
    let (mut open, mut seen) = (HashSet::new(), HashSet::new());
    for message in messages {
        let role = message["role"].as_str().ok_or("no role")?;
        if role == "tool" {
            let id = message["tool_call_id"].as_str().ok_or("no tool_call_id")?;
            need(open.remove(id), "a result without a call")?;
        } else {
            need(open.is_empty(), "a call without a result")?;
        }
        match role {
            "system" | "developer" | "user" => need_keys(message, &["role", "content"], &["name"])?,
            "tool" => need_keys(message, &["role", "content", "tool_call_id"], &[])?,
            "function" => need_keys(message, &["role", "content", "name"], &[])?,
            "assistant" => {
                need_keys(message, &["role", "content"], &["name", "tool_calls", "function_call"])?;
                let calls = message.get("tool_calls").or_else(|| message.get("function_call"));
                need(!message["content"].is_null() || calls.is_some(), "nothing said")?;
            }
            _ => return Err("an unknown role".to_owned()),
        }
        if let Some(calls) = message.get("tool_calls") {
            let calls = calls.as_array().filter(|calls| !calls.is_empty()).ok_or("an empty list of calls")?;
            for call in calls {
                need_keys(call, &["id", "type", "function"], &[])?;
                need(call["type"] == "function", "a call of another type")?;
                need_function(&call["function"])?;
                need(seen.insert(call["id"].as_str().ok_or("no id")?), "a duplicate id")?;
                open.insert(call["id"].as_str().ok_or("no id")?);
            }
        }
        message.get("function_call").map_or(Ok(()), need_function)?;
        need(
            message.get("name").is_none_or(|name| is_name(name.as_str().unwrap_or_default())),
            "a bad name",
        )?;
        match &message["content"] {
            Value::Null => need(matches!(role, "assistant" | "function"), "null content")?,
            Value::String(text) => need(!text.is_empty(), "empty content")?,
            Value::Array(parts) => {
                need(!parts.is_empty(), "no parts")?;
                parts.iter().try_for_each(|part| need_openai_part(part, role))?;
            }
            _ => return Err("other content".to_owned()),
        }
    }
    need(open.is_empty(), "a call without a result")
}

fn need_function(call: &Value) -> Result<(), String> {
    need_keys(call, &["name", "arguments"], &[])?;
    need(is_name(call["name"].as_str().unwrap_or_default()), "a bad function name")?;
    let arguments = call["arguments"].as_str().ok_or("arguments that are no text")?;
    serde_json::from_str::<Value>(arguments).map(drop).map_err(|error| error.to_string())
}

fn need_openai_part(part: &Value, role: &str) -> Result<(), String> {
    let kind = part["type"].as_str().ok_or("a part without type")?;
    need(kind == "text" || role == "user", "a part that is not the role's")?;
    need_keys(part, &["type", kind], &[])?;
    match kind {
        "text" => need(part["text"].as_str().is_some_and(|text| !text.is_empty()), "an empty text part"),
        "image_url" => need_keys(&part[kind], &["url"], &["detail"]),
        "input_audio" => need_keys(&part[kind], &["data", "format"], &[]),
        "file" => need_keys(&part[kind], &[], &["file_id", "filename", "file_data"]),
        _ => Err("an unknown part".to_owned()),
    }
}

fn check_anthropic(form: &Value) -> Result<(), String> {
    need_keys(form, &["messages"], &["system"])?;
    match form.get("system") {
        None => {}
        Some(Value::Array(blocks)) => {
            need(!blocks.is_empty(), "an empty system")?;
            blocks.iter().try_for_each(|block| need_block(block, &["text"]))?;
        }
        Some(text) => need(is_filled(text), "an empty system")?,
    }
    let messages = form["messages"].as_array().ok_or("not a list")?;
    need(!messages.is_empty(), "no messages")?;
    let (mut open, mut seen) = (HashSet::new(), HashSet::new());
    for (index, message) in messages.iter().enumerate() {
        need_keys(message, &["role", "content"], &[])?;
        need(message["role"] == ["user", "assistant"][index % 2], "turns that do not alternate")?;
        let user = index % 2 == 0;
        let Value::Array(blocks) = &message["content"] else {
            need(is_filled(&message["content"]), "empty content")?;
            need(open.is_empty(), "a call without a result")?;
            continue;
        };
        need(!blocks.is_empty(), "no blocks")?;
        let mut results_over = false;
        for block in blocks {
            need_block(
                block,
                if user { &["text", "image", "document", "tool_result"] } else { &["text", "tool_use"] },
            )?;
            if block["type"] == "tool_result" {
                need(!results_over, "a result after other blocks")?;
                need(
                    open.remove(block["tool_use_id"].as_str().unwrap_or_default()),
                    "a result without a call",
                )?;
            } else {
                results_over = true;
            }
            if block["type"] == "tool_use" {
                let id = block["id"].as_str().unwrap_or_default();
                need(is_name(id) && seen.insert(id), "an id that is bad or not new")?;
                open.insert(id);
            }
        }
        need(!user || open.is_empty(), "a call without a result")?;
    }
    need(open.is_empty(), "a call without a result")?;
    if messages.len() % 2 == 0 {
        let content = &messages[messages.len() - 1]["content"];
        let last = content.as_str().or_else(|| content.as_array()?.last()?["text"].as_str());
        need(last.is_none_or(|text| text == text.trim_end()), "a prefill that ends with a blank")?;
    }
    Ok(())
}

fn need_block(block: &Value, kinds: &[&str]) -> Result<(), String> {
    let kind = block["type"].as_str().ok_or("a block without type")?;
    need(kinds.contains(&kind), &format!("a {kind} block out of place"))?;
    if let Some(cache) = block.get("cache_control") {
        need_keys(cache, &["type"], &["ttl"])?;
        need(cache["type"] == "ephemeral", "another cache")?;
    }
    match kind {
        "text" => {
            need_keys(block, &["type", "text"], &["cache_control"])?;
            need(is_filled(&block["text"]), "a blank text block")
        }
        "image" | "document" => {
            need_keys(block, &["type", "source"], &["cache_control", "title"])?;
            match block["source"]["type"].as_str() {
                Some("url") => need_keys(&block["source"], &["type", "url"], &[]),
                Some("base64") => need_keys(&block["source"], &["type", "media_type", "data"], &[]),
                Some("file") => need_keys(&block["source"], &["type", "file_id"], &[]),
                _ => Err("an unknown source".to_owned()),
            }
        }
        "tool_use" => {
            need_keys(block, &["type", "id", "name", "input"], &["cache_control"])?;
            need(block["input"].is_object(), "an input that is no object")
        }
        _ => {
            need_keys(block, &["type", "tool_use_id"], &["content", "cache_control"])?;
            match block.get("content") {
                Some(Value::Array(blocks)) => {
                    blocks.iter().try_for_each(|block| need_block(block, &["text", "image", "document"]))
                }
                Some(text) => need(is_filled(text), "an empty result"),
                None => Ok(()),
            }
        }
    }
}
