//! Validation of JSON: the cases of `tests/data/schemas`, and tests of whole sets of schemas.

use prompt_manager::error::ContextValue;
use prompt_manager::prompt::{Compiled, Prompt, RenderOptions, Status};
use prompt_manager::schema::json_schema::JsonSchemaMode;
use prompt_manager::schema::output::{self, AnswerOptions};
use prompt_manager::schema::{CompiledSchema, Field, FieldType, JsonFunction, Schema, SchemaSet, parse};
use prompt_manager::template::{EmptyLibrary, JsonData, JsonDataValue, TemplateOptions};
use prompt_manager::{Error, Kind};
use serde_json::{Value, json};

type Schemas = SchemaSet<Box<str>, JsonFunction, std::convert::Infallible>;

fn schemas(list: &Value) -> Schemas {
    let mut set = Schemas::default();
    let read = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|schema| parse::read_one(schema).expect("it is a schema"));
    set.add(read.collect()).expect("they fit together");
    set
}

/// Returns the validated data, or the violations as `[path, rule, message]`.
fn validate(
    compiled: &CompiledSchema<Box<str>, JsonFunction, std::convert::Infallible>,
    data: &Value,
    coerce: Option<bool>,
) -> Result<Value, Value> {
    match compiled.validate(&JsonData::default(), &JsonDataValue::Borrowed(data), "the data", coerce) {
        Ok(None) => Ok(data.clone()),
        Ok(Some(made)) => Ok(made.value().clone()),
        Err(error) => Err(violations(&error)),
    }
}

fn violations(error: &Error) -> Value {
    assert_eq!(error.kind(), Kind::SchemaInvalid, "{}", error.report());
    let records = error.context().iter().find_map(|(name, fact)| match fact {
        ContextValue::Records(records) if *name == "errors" => Some(records),
        _ => None,
    });
    let texts = |record: &Vec<(&str, String)>| record.iter().map(|(_, text)| json!(text)).collect::<Value>();
    records.expect("it has violations").iter().map(texts).collect()
}

#[test]
fn cases_validate_as_expected() {
    let groups: Vec<Value> =
        serde_json::from_str(include_str!("../data/schemas/validate.json")).expect("it is JSON");
    let mut count = 0;
    for group in &groups {
        let name = &group["name"];
        let coerce = group["coerce"].as_bool();
        let (list, first) = if let Some(list) = group.get("schemas") {
            (list.clone(), list[0]["name"].as_str().expect("a name").to_owned())
        } else {
            let mut field = group["field"].clone();
            field["name"] = json!("x");
            (json!([{"name": "s", "fields": [field]}]), "s".to_owned())
        };
        let set = schemas(&list);
        let compiled = set.compiled(&first).expect("it compiles");
        let wrapped =
            |value: &Value| if group.get("field").is_some() { json!({"x": value}) } else { value.clone() };
        if let Some(missing) = group.get("missing") {
            let found = validate(&compiled, &json!({}), coerce);
            match missing {
                Value::Bool(_) => assert_eq!(found, Ok(json!({})), "{name}"),
                Value::Array(said) => assert_eq!(found, Err(json!([["x", said[0], said[1]]])), "{name}"),
                made => assert_eq!(found, Ok(json!({"x": made["is"]})), "{name}"),
            }
            count += 1;
        }
        for case in group["cases"].as_array().expect("cases") {
            let found = validate(&compiled, &wrapped(&case[0]), coerce);
            match &case[1] {
                Value::Bool(_) => assert_eq!(found, Ok(wrapped(&case[0])), "{name}: {case}"),
                Value::Object(made) => assert_eq!(found, Ok(wrapped(&made["is"])), "{name}: {case}"),
                Value::Array(all) => assert_eq!(found, Err(json!(all)), "{name}: {case}"),
                rule => {
                    let path = format!("x{}", case.get(3).and_then(Value::as_str).unwrap_or_default());
                    assert_eq!(found, Err(json!([[path, rule, case[2]]])), "{name}: {case}");
                }
            }
            count += 1;
        }
    }
    assert!(count > 150, "{count} cases");
}

#[test]
fn data_nested_ten_thousand_deep_is_an_error() {
    let set = schemas(&json!([{"name": "node", "fields": [
        {"name": "next", "type": "dict", "nested_schema": "node", "nullable": true}]}]));
    let compiled = set.compiled("node").expect("it compiles");
    let mut data = json!({"next": null});
    for _ in 0..10_000 {
        data = Value::Object(std::iter::once(("next".to_owned(), data)).collect());
    }
    let found = validate(&compiled, &data, None).expect_err("it is too deep");
    assert_eq!(found[0][1], "depth");
    assert_eq!(found[0][2], "the data nests deeper than 200 levels");
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    // Dropping it recursively would overflow the stack of the test.
    while let Value::Object(mut members) = data {
        data = members.remove("next").unwrap_or_default();
    }
}

#[test]
fn errors_do_not_contain_the_data() {
    let set = schemas(&json!([{"name": "s", "fields": [
        {"name": "a", "type": "integer"}, {"name": "b", "type": "string", "validators": [
            {"type": "email"}, {"type": "max_length", "max_value": 2}, {"type": "enum", "allowed_values": ["x"]}]}]}]));
    let compiled = set.compiled("s").expect("it compiles");
    let data = json!({"a": "s3cr3t", "b": "s3cr3t"});
    let error = compiled
        .validate(&JsonData::default(), &JsonDataValue::Borrowed(&data), "the data", None)
        .expect_err("it is wrong");
    assert!(!format!("{error:?}{}", error.report()).contains("s3cr3t"));
    assert_eq!(
        error.report(),
        "the data does not fit schema 's': a: must be an integer, but this text is not (and 3 more)\n  \
         - a: must be an integer, but this text is not\n  - b: must be an email address\n  \
         - b: must have at most 2 characters\n  - b: must be one of 'x'"
    );
}

#[test]
fn circular_parents_are_refused_and_nothing_is_added() {
    let mut set = Schemas::default();
    let extending =
        |name: &str, parent: &str| Schema { extends: Some(parent.to_owned()), ..Schema::new(name) };
    set.add(vec![Schema::new("known")]).expect("it is new");
    let error = set
        .add(vec![extending("a", "b"), extending("b", "c"), extending("c", "a")])
        .expect_err("they go round");
    assert_eq!(error.kind(), Kind::SchemaParse);
    assert_eq!(error.message(), "schemas extend each other in a circle: a → b → c → a");
    assert_eq!(set.names().collect::<Vec<_>>(), ["known"]);
}

#[test]
fn unknown_references_get_a_suggestion() {
    let mut set = Schemas::default();
    let field = Field { item_schema: Some("lines".to_owned()), ..Field::new("rows", FieldType::List) };
    let order = Schema { extends: Some("bse".to_owned()), fields: vec![field], ..Schema::new("order") };
    set.add(vec![order, Schema::new("base"), Schema::new("line")]).expect("what is missing may come later");
    let reports: Vec<String> = set.check().iter().map(Error::report).collect();
    assert_eq!(
        reports,
        [
            "schema 'order' extends 'bse', but no such schema exists\n  hint: did you mean 'base'?",
            "field 'rows' of schema 'order' names 'lines', but no such schema exists\n  hint: did you mean 'line'?",
        ]
    );
    assert_eq!(set.compiled("order").expect_err("the parent is missing").message(), set.check()[0].message());
    let unknown = set.compiled("oder").expect_err("there is none");
    assert_eq!((unknown.kind(), unknown.hint()), (Kind::Schema, Some("did you mean 'order'?")));
}

#[test]
fn a_schema_name_can_be_used_only_once() {
    let mut set = Schemas::default();
    set.add(vec![Schema::new("s")]).expect("it is new");
    set.add(vec![Schema::new("s")]).expect("it is the same");
    let other = Schema { strict: false, ..Schema::new("s") };
    let error = set.add(vec![Schema::new("t"), other]).expect_err("it is another");
    assert_eq!(error.message(), "schema 's' already exists with different content");
    assert_eq!(set.names().collect::<Vec<_>>(), ["s"]);
}

#[test]
fn custom_calls_the_function_of_its_name() {
    let list = json!([{"name": "s", "fields": [{"name": "n", "type": "integer", "validators": [
        {"type": "custom", "custom_function": "is_even"}]}]}]);
    let mut set = schemas(&list);
    let error = set.compiled("s").expect_err("there is no function yet");
    assert_eq!(
        error.message(),
        "field 'n' of schema 's' calls the function 'is_even', but no function is registered under that name"
    );
    set.register_function("is_even".to_owned(), |value| value.as_i64().is_some_and(|n| n % 2 == 0));
    let compiled = set.compiled("s").expect("it is there now");
    assert_eq!(validate(&compiled, &json!({"n": 2}), None), Ok(json!({"n": 2})));
    assert_eq!(
        validate(&compiled, &json!({"n": 3}), None),
        Err(json!([["n", "custom", "is refused by `is_even`"]]))
    );
}

#[test]
fn answers_are_read_as_expected() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../data/schemas/output.json")).expect("it is JSON");
    let mut wrong = Vec::new();
    for case in &cases {
        let reading =
            AnswerOptions { strict: case["strict"] == json!(true), dict: case["dict"] == json!(true) };
        let (found, expected) = match output::parse(case["text"].as_str().expect("a text"), reading) {
            Ok(output::Answer { parsed, repairs, .. }) => {
                let repairs: Value = repairs
                    .iter()
                    .map(|repair| json!([repair.kind.as_str(), repair.line, repair.column]))
                    .collect();
                (json!([parsed.to_json(), repairs]), json!([case["data"], case["repairs"]]))
            }
            Err(error) => (violations(&error), json!([["", "syntax", case["error"]]])),
        };
        if found != expected {
            wrong.push(format!("{}: {found}, expected {expected}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strict_reading_of_prefixes_agrees_with_another_parser() {
    let text = r#"{"a": [1, -2.5e3, true, null, "x\n\u00e9"], "b": {"c": "", "d": 0}}"#;
    for end in 0..=text.len() {
        let begun = &text[..end];
        let theirs = serde_json::from_str::<Value>(begun).ok();
        let ours = output::parse(begun, AnswerOptions { strict: true, dict: false }).ok();
        assert_eq!(ours.map(|answer| answer.parsed.to_json()), theirs, "{begun}");
    }
}

#[test]
fn a_cut_off_answer_gives_part_of_the_whole() {
    fn within(part: &Value, whole: &Value) -> bool {
        match (part, whole) {
            (Value::Object(part), Value::Object(whole)) => {
                part.iter().all(|(key, value)| whole.get(key).is_some_and(|known| within(value, known)))
            }
            (Value::Array(part), Value::Array(whole)) => {
                part.len() <= whole.len() && part.iter().zip(whole).all(|(part, whole)| within(part, whole))
            }
            _ => part == whole,
        }
    }
    let text =
        r#"{"a": [1, -2.5e3, true, null, "x\n\u00e9", {"k": "v"}], "b": {"c": "", "d": 120}, "e": false}"#;
    let whole: Value = serde_json::from_str(text).expect("it is JSON");
    for end in 1..text.len() {
        let output::Answer { parsed, repairs, .. } =
            output::parse(&text[..end], AnswerOptions { strict: false, dict: true })
                .expect("the rest is known");
        assert!(within(&parsed.to_json(), &whole), "{}", &text[..end]);
        assert_eq!(
            repairs.last().map(|repair| repair.kind),
            Some(output::RepairKind::CutOff),
            "{}",
            &text[..end]
        );
    }
}

#[test]
fn text_that_only_resembles_json_is_refused_quickly() {
    for text in ["{".repeat(100_000), "[1,".repeat(50_000), "{\"a\": x} ".repeat(20_000), "{'".repeat(50_000)]
    {
        assert!(output::parse(&text, AnswerOptions { strict: false, dict: true }).is_err());
    }
    // Each of these once took time quadratic in its length.
    let blank_lines = format!("```json\n{{\"a\":\"{}\"}}\n```", "\n".repeat(300_000));
    let backticks = "a``` .".repeat(100_000);
    for text in
        ["```".repeat(300_000), "{/*".repeat(100_000) + "x", "{a b} ".repeat(100_000), blank_lines, backticks]
    {
        let _ = output::parse(&text, AnswerOptions { strict: false, dict: true });
    }
    for item in ["None,", "NaN,", "1,/* */", "“x”,", "'x',", "[1,],", "\"\\d\",", "\"\"\"x\"\"\","] {
        let text = format!("{{\"a\":[{}1]}}", item.repeat(160_000));
        let answer = output::parse(&text, AnswerOptions::default()).expect("it can be repaired");
        let columns = answer.repairs.iter().map(|repair| repair.column);
        assert!(columns.is_sorted(), "{item}");
        assert_eq!(answer.repairs.len(), 160_000, "{item}");
    }
    let distinct: Vec<String> = (0..50_000).map(|n| format!("{{\"a\": {n}}}")).collect();
    assert!(output::parse(&distinct.join(" "), AnswerOptions::default()).is_err());
    let members: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\": {n}")).collect();
    let many =
        output::parse(&format!("{{{}}}", members.join(",")), AnswerOptions::default()).expect("it is JSON");
    assert!(matches!(many.parsed, output::Parsed::Dict(members) if members.len() == 50_000));
    let answer = output::parse(&"[".repeat(100), AnswerOptions::default()).expect("that deep it may be");
    assert!(matches!(answer.parsed, output::Parsed::List(_)));
    assert_eq!(answer.open, 100);
    assert!(
        output::parse(&format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)), AnswerOptions::default())
            .is_err()
    );
}

/// The schema that a prompt with this output schema gives a request, with the listed schemas registered.
fn response(
    output: &Value,
    list: &Value,
    form: JsonSchemaMode,
) -> Result<(String, Value, Option<String>), Error> {
    let document =
        json!({"id": "p", "version": "1.0.0", "format": "text", "template": "Hi", "output_schema": output});
    let prompt = Prompt::from_json(&document, Status::Active).expect("it is a prompt");
    let compiled: Compiled<Box<str>> =
        Compiled::compile(prompt, &TemplateOptions::default(), &EmptyLibrary).expect("it compiles");
    let shared = prompt_manager::schema::SharedSchemaSet::default();
    for schema in list.as_array().expect("a list") {
        shared.write().add(vec![parse::read_one(schema).expect("it is a schema")]).expect("it is new");
    }
    let options =
        RenderOptions { schemas: Some(&shared), output_instructions: false, ..RenderOptions::default() };
    let response = compiled.response_schema(&JsonData::default(), &options, form)?.expect("it has a schema");
    let reason = response.not_strict.as_ref().map(|error| error.message().to_owned());
    Ok((response.name.clone(), response.schema.clone(), reason))
}

#[test]
fn requests_can_get_the_output_schema() {
    let list = json!([{"name": "verdict", "fields": [
        {"name": "ok", "type": "boolean"},
        {"name": "why", "type": "string", "required": false, "nullable": true,
         "validators": [{"type": "max_length", "max_value": 80}]}]}]);
    let strict = json!({"title": "verdict", "type": "object",
        "properties": {"ok": {"type": "boolean"}, "why": {"type": ["string", "null"]}},
        "required": ["ok", "why"], "additionalProperties": false});
    assert_eq!(
        response(&json!("verdict"), &list, JsonSchemaMode::Strict).expect("it is there"),
        ("verdict".to_owned(), strict, None)
    );
    let full = json!({"title": "verdict", "type": "object",
        "properties": {"ok": {"type": "boolean"}, "why": {"type": ["string", "null"], "maxLength": 80}},
        "required": ["ok"], "additionalProperties": false});
    assert_eq!(
        response(&json!("verdict"), &list, JsonSchemaMode::Full).expect("it is there"),
        ("verdict".to_owned(), full, None)
    );
}

#[test]
fn schemas_outside_the_strict_subset_are_given_in_full() {
    let document =
        json!({"type": "object", "properties": {"tags": {"type": "object"}}, "required": ["tags"]});
    let (name, schema, reason) =
        response(&document, &json!([]), JsonSchemaMode::Strict).expect("it is a schema");
    assert_eq!((name.as_str(), &schema["properties"]["tags"]), ("output_schema", &json!({"type": "object"})));
    assert_eq!(
        reason.as_deref(),
        Some(
            "field 'tags' of schema 'output_schema': a dict without a schema cannot be expressed in OpenAI's strict subset"
        )
    );
}

#[test]
fn an_unknown_output_schema_names_the_prompt() {
    let error =
        response(&json!("verdit"), &json!([{"name": "verdict", "fields": []}]), JsonSchemaMode::Strict)
            .expect_err("there is none");
    assert_eq!(error.message(), "`output_schema` of prompt 'p': there is no schema 'verdit'");
    assert_eq!(error.hint(), Some("did you mean 'verdict'?"));
}
