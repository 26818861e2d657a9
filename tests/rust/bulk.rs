//! Batches over Arrow tables, without Python: types, nulls, slices, limits, errors and threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int64Array, NullArray,
    RecordBatch, RunArray, StringArray, StringViewArray, StructArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use prompt_manager::Kind;
use prompt_manager::bulk::{Batch, BatchHost, BatchPrompt, BatchTarget};
use prompt_manager::prompt::{Format, Prompt, Status};
use prompt_manager::template::TemplateOptions;
use serde_json::json;

struct NoInterrupt;

impl BatchHost for NoInterrupt {
    fn check_interrupt(&self) -> prompt_manager::Result<()> {
        Ok(())
    }
}

fn prompt(document: &serde_json::Value) -> Prompt {
    Prompt::from_json(document, Status::Active).unwrap()
}

fn batch_of(prompt: Prompt, options: &TemplateOptions) -> Batch {
    assert_ne!(prompt.format, Format::Chat);
    let render = BatchPrompt::compile(prompt.clone(), [], [], options).unwrap();
    Batch {
        needs: render.needs(BTreeMap::new()),
        prompt,
        render: Box::new(render),
        target: BatchTarget::Text,
        output_instructions: true,
        column: "text".to_owned(),
        error_column: None,
        threads: 2,
    }
}

fn text_batch(template: &str) -> Batch {
    batch_of(prompt(&json!({"id": "p", "template": template})), &TemplateOptions::default())
}

/// Renders a table and returns the texts.
fn rendered(batch: &Batch, table: &RecordBatch) -> prompt_manager::Result<Vec<Option<String>>> {
    let (used, schema) = batch.check(table.schema_ref())?;
    let result = batch.render(table, 0, &used, &schema, &NoInterrupt)?;
    let mut texts = Vec::new();
    for part in &result.batches {
        let column = part.column_by_name("text").unwrap().as_string::<i32>().clone();
        texts.extend(column.iter().map(|text| text.map(ToOwned::to_owned)));
    }
    Ok(texts)
}

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn texts(template: &str, columns: Vec<(&str, ArrayRef)>) -> Vec<String> {
    let texts = rendered(&text_batch(template), &table(columns)).unwrap();
    texts.into_iter().map(Option::unwrap).collect()
}

#[test]
fn cells_of_every_type_are_read_in_place() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), None]);
    let mut sizes = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    sizes.keys().append_value("x");
    sizes.values().append_value(3);
    sizes.append(true).unwrap();
    let age: ArrayRef = Arc::new(Int64Array::from(vec![36]));
    let user = StructArray::from(vec![(Arc::new(Field::new("age", DataType::Int64, true)), age)]);
    let decimal = Decimal128Array::from(vec![1250]).with_precision_and_scale(6, 2).unwrap();
    let kind: DictionaryArray<Int8Type> = vec!["low"].into_iter().collect();
    let run: RunArray<Int32Type> = vec!["again"].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("view", Arc::new(StringViewArray::from(vec!["a text that is longer than twelve bytes"]))),
        ("large", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("float", Arc::new(Float64Array::from(vec![0.1]))),
        ("truth", Arc::new(BooleanArray::from(vec![true]))),
        ("nothing", Arc::new(NullArray::new(1))),
        ("decimal", Arc::new(decimal)),
        ("kind", Arc::new(kind)),
        ("run", Arc::new(run)),
        ("tags", Arc::new(tags.finish())),
        ("sizes", Arc::new(sizes.finish())),
        ("user", Arc::new(user)),
    ];
    let template = "{{view}}|{{large}}|{{float}}|{{truth}}|{{#if nothing}}{{/if}}|{{decimal}}|{{kind}}|{{run}}|\
                    {{json tags}}|{{sizes.x}}|{{user.age}}|{{add large 1}}|{{eq decimal 12.5}}";
    assert_eq!(
        texts(template, columns),
        [
            r#"a text that is longer than twelve bytes|18446744073709551615|0.1|true||12.50|low|again|["a",null]|3|36|18446744073709551616|true"#
        ]
    );
}

#[test]
fn a_slice_is_rendered_from_its_own_first_row() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a")]);
    tags.append_value([Some("b"), Some("c")]);
    tags.append_null();
    let names: ArrayRef = Arc::new(StringArray::from(vec!["Ada", "Grace", "Alan"]));
    let sliced = table(vec![("name", names), ("tags", Arc::new(tags.finish()))]).slice(1, 2);
    let made = rendered(&text_batch("{{name}}{{#each tags}} {{this}}{{/each}}"), &sliced).unwrap();
    assert_eq!(made, [Some("Grace b c".to_owned()), Some("Alan".to_owned())]);
}

#[test]
fn several_threads_keep_the_order_of_the_rows() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5000));
    let made = texts("{{n}}", vec![("n", numbers)]);
    let expected: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
    assert_eq!(made, expected);
}

#[test]
fn the_first_error_in_the_order_of_the_rows_ends_the_batch() {
    let names: Vec<Option<&str>> = (0..4000).map(|at| (at != 1500 && at != 3500).then_some("Ada")).collect();
    let table = table(vec![("name", Arc::new(StringArray::from(names)) as ArrayRef)]);
    let error = rendered(&text_batch("{{name}}"), &table).unwrap_err();
    assert!(error.message().starts_with("row 1500: "), "{}", error.message());
}

#[test]
fn rows_that_fail_are_null_where_errors_have_a_column() {
    let mut batch = text_batch("{{name}}");
    batch.error_column = Some("error".to_owned());
    let table = table(vec![("name", Arc::new(StringArray::from(vec![Some("Ada"), None])) as ArrayRef)]);
    let (used, schema) = batch.check(table.schema_ref()).unwrap();
    let result = batch.render(&table, 10, &used, &schema, &NoInterrupt).unwrap();
    assert_eq!(result.failed, 1);
    let errors = result.batches[0].column_by_name("error").unwrap().as_string::<i32>();
    assert!(errors.is_null(0));
    assert!(errors.value(1).starts_with("row 11: "), "{}", errors.value(1));
}

#[test]
fn each_row_has_the_limits_of_a_render() {
    let options = TemplateOptions {
        limits: prompt_manager::limits::Limits { output_bytes: 10, ..Default::default() },
        ..TemplateOptions::default()
    };
    let batch = batch_of(prompt(&json!({"id": "p", "template": "{{name}}"})), &options);
    let table =
        table(vec![("name", Arc::new(StringArray::from(vec!["short", "much too long"])) as ArrayRef)]);
    let error = rendered(&batch, &table).unwrap_err();
    assert!(error.message().starts_with("row 1: "), "{}", error.message());
}

#[test]
fn an_interrupt_ends_the_batch() {
    struct Interrupt;
    impl BatchHost for Interrupt {
        fn check_interrupt(&self) -> prompt_manager::Result<()> {
            Err(prompt_manager::Error::new(Kind::Foreign, "interrupted"))
        }
    }
    let loops = "{{#if this}}{{/if}}".repeat(2000);
    for threads in [1, 2] {
        let batch = Batch { threads, ..text_batch(&format!("{{{{#each items}}}}{loops}{{{{/each}}}}")) };
        let mut items = ListBuilder::new(Int64Builder::new());
        for _ in 0..2048 {
            items.append_value([Some(1), Some(2)]);
        }
        let table = table(vec![("items", Arc::new(items.finish()) as ArrayRef)]);
        let (used, schema) = batch.check(table.schema_ref()).unwrap();
        let error = batch.render(&table, 0, &used, &schema, &Interrupt).unwrap_err();
        assert_eq!(error.message(), "interrupted");
    }
}

#[test]
fn only_the_columns_that_a_prompt_uses_are_read() {
    let batch = text_batch("Hello {{name}}!");
    let name: ArrayRef = Arc::new(StringArray::from(vec!["Ada"]));
    let span = arrow_array::IntervalYearMonthArray::from(vec![1]);
    let columns = table(vec![("span", Arc::new(span)), ("name", name)]);
    let (used, _) = batch.check(columns.schema_ref()).unwrap();
    assert_eq!(used.variables().collect::<Vec<_>>(), ["name"]);
    assert_eq!(rendered(&batch, &columns).unwrap(), [Some("Hello Ada!".to_owned())]);
}
