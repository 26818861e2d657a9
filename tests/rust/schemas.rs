//! Schema files: reading, and errors with locations.

use prompt_manager::Kind;
use prompt_manager::schema::parse::{read_exact, read_schemas};
use prompt_manager::schema::{FieldType, ValidatorKind, lints};
use serde_json::json;

use crate::{cases, lines_of};

#[test]
fn bad_schema_files_report_location_and_hint() {
    for case in cases(include_str!("../data/yaml/bad_schemas.txt")) {
        let (_, errors) = read_schemas("s.yaml", &case.text);
        assert_eq!(lines_of(&errors), case.expected, "{}", case.name);
        assert!(errors.iter().all(|error| error.kind() == Kind::SchemaParse), "{}", case.name);
    }
}

#[test]
fn a_schema_file_sets_every_field_of_the_model() {
    let text = include_str!("../data/yaml/schemas.yaml");
    let (schemas, errors) = read_schemas("s.yaml", text);
    assert_eq!(lines_of(&errors), Vec::<String>::new());
    let [order, rush] = schemas.as_slice() else { panic!("two schemas, not {}", schemas.len()) };
    assert_eq!((order.name.as_str(), order.version.to_string().as_str()), ("order", "1.1.0"));
    assert!(order.strict && !order.allow_extra);
    assert_eq!(order.metadata["team"], json!("sales"));
    assert_eq!(order.fields.iter().map(|field| field.field_type).collect::<Vec<_>>(), FieldType::ALL);
    let kinds: Vec<_> =
        order.fields.iter().flat_map(|field| &field.validators).map(|validator| validator.kind).collect();
    assert_eq!(kinds, ValidatorKind::ALL);
    let field = |name: &str| order.fields.iter().find(|field| field.name == name).expect("it is there");
    assert!(field("id").required && !field("count").required && !field("note").required);
    assert_eq!(field("count").default, Some(json!(1)));
    assert_eq!((field("note").nullable, &field("note").default), (true, &Some(json!(null))));
    assert_eq!(field("lines").item_schema.as_deref(), Some("line"));
    assert_eq!(field("lines").item_type, Some(FieldType::Dict));
    assert_eq!(field("address").nested_schema.as_deref(), Some("address"));
    assert_eq!(field("id").validators[0].min_value, Some(3.into()));
    let ours = &field("key").validators[0];
    assert_eq!(ours.custom_function.as_deref(), Some("is_ours"));
    assert_eq!(ours.error_message.as_deref(), Some("not ours"));
    assert_eq!((rush.extends.as_deref(), rush.allow_extra, rush.fields.len()), (Some("order"), true, 0));
}

#[test]
fn good_schemas_are_kept_before_a_broken_one() {
    let (schemas, errors) = read_schemas("s.yaml", "schemas:\n  - {name: a, fields: []}\n  - {name: b}\n");
    assert_eq!(schemas.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(errors.len(), 1);
}

#[test]
fn settings_without_effect_are_lints_and_errors_in_code() {
    let text = "schemas:\n  - name: s\n    fields:\n      - {name: a, type: integer, default: x}\n      \
                - {name: b, type: string, item_type: string, item_schema: t}\n      \
                - {name: c, type: list, nested_schema: t}\n      \
                - {name: d, type: string, validators: [{type: min_length}, {type: max_value, value: many}]}\n";
    let (schemas, errors) = read_schemas("s.yaml", text);
    assert_eq!(lines_of(&errors), Vec::<String>::new());
    let found: Vec<(String, Option<usize>)> = lints(&schemas[0])
        .iter()
        .map(|error| (error.message().to_owned(), error.place().map(|place| place.line)))
        .collect();
    let expected = [
        "the default of field `a` is not of type integer; it is used unchanged",
        "`item_type` belongs to a field of type list, but field `b` is of type string: it has no effect",
        "`item_schema` belongs to a field of type list, but field `b` is of type string: it has no effect",
        "`nested_schema` belongs to a field of type dict, but field `c` is of type list: it has no effect",
        "field `d`: validator min_length needs `min_value`; without it, it checks nothing",
        "field `d`: validator max_value needs `max_value`; without it, it checks nothing",
    ];
    assert_eq!(found, expected.map(|message| (format!("schema 's': {message}"), Some(2))));
    let document = json!({"name": "s", "fields": [{"name": "a", "type": "integer", "default": "x"}]});
    let refused = read_exact(&document).expect_err("a program may not say it");
    assert_eq!(refused.to_string(), format!("schema 's': {}", expected[0]));
}

#[test]
fn schema_files_may_use_yaml_1_1_booleans() {
    let text = "schemas:\n  - name: s\n    strict: off\n    fields:\n      \
                - {name: a, type: string, required: no, nullable: Yes, read_only: 1, validators: [\
                {type: range, min_value: '2', max_value: '3.5'}]}\n";
    let (schemas, errors) = read_schemas("s.yaml", text);
    assert_eq!(lines_of(&errors), Vec::<String>::new());
    let field = &schemas[0].fields[0];
    assert!(!schemas[0].strict && !field.required && field.nullable && field.read_only);
    assert_eq!(field.validators[0].min_value, Some(2.into()));
    assert_eq!(field.validators[0].max_value, serde_json::Number::from_f64(3.5));
}
