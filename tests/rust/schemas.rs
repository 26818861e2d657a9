//! Schema files: what is read, and what is refused and where.

use prompt_manager::Kind;
use prompt_manager::schema::parse::read_schemas;
use prompt_manager::schema::{FieldType, ValidatorKind};
use serde_json::json;

use crate::{cases, told};

#[test]
fn bad_schema_files_are_refused_with_place_and_hint() {
    for case in cases(include_str!("../data/yaml/bad_schemas.txt")) {
        let (_, errors) = read_schemas("s.yaml", &case.text);
        assert_eq!(told(&errors), case.expected, "{}", case.name);
        assert!(errors.iter().all(|error| error.kind() == Kind::SchemaParse), "{}", case.name);
    }
}

#[test]
fn a_schema_file_reads_into_the_whole_model() {
    let text = include_str!("../data/yaml/schemas.yaml");
    let (schemas, errors) = read_schemas("s.yaml", text);
    assert_eq!(told(&errors), Vec::<String>::new());
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
fn good_schemas_stay_before_a_broken_one() {
    let (schemas, errors) = read_schemas("s.yaml", "schemas:\n  - {name: a, fields: []}\n  - {name: b}\n");
    assert_eq!(schemas.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(errors.len(), 1);
}
