//! Reads the declarations of variables.

use std::collections::HashSet;

use serde_json::Value;

use super::variable::comparable;
use super::{Variable, Variables, check_name, key_hints, keys};
use crate::de::{KeyPath, NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText, shown};
use crate::schema::FieldType;

/// Reads the declared variables; also where their names are.
pub(super) fn read_variables(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
) -> (Variables, Vec<SourceSpan>) {
    let mut items: Vec<Variable> = Vec::new();
    let mut spans = Vec::new();
    if let NodeValue::List(names) = node.value {
        let mut listed = HashSet::new();
        for name in names {
            let Some(SpannedText { text, span }) = reader.text_or_expected(name) else { continue };
            if let Err(error) = check_name(&text) {
                reader.note(span, error);
            } else if !listed.insert(text.clone()) {
                reader.wrong(span, format!("variable {} is listed twice", shown(&text)));
            } else {
                items.push(Variable::new(text));
                spans.push(span);
            }
        }
        return (Variables { short: true, items }, spans);
    }
    let members = reader.members(node, "variables: a list of names, or a mapping from names to types");
    for (name, span, spec) in members.unwrap_or_default() {
        if let Err(error) = check_name(&name) {
            reader.note(span, error);
        }
        let mark = reader.mark();
        let spec_span = spec.span;
        let (variable, default_span) = read_variable(reader, spec, name);
        if reader.is_clean_since(mark)
            && let Err(error) = variable.check_default()
        {
            reader.note(default_span.unwrap_or(spec_span), error);
        }
        items.push(variable);
        spans.push(span);
    }
    (Variables { short: false, items }, spans)
}

/// Reads a variable's type or mapping. Also returns the place of its default.
fn read_variable(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    name: String,
) -> (Variable, Option<SourceSpan>) {
    let mut variable = Variable::new(name);
    match node.value {
        NodeValue::Null => return (variable, None),
        NodeValue::Text(_) => {
            let span = node.span;
            variable.field_type = reader.parse(node).unwrap_or(FieldType::Any);
            check_values(reader, &variable, span, None);
            return (variable, None);
        }
        _ => {}
    }
    let expected = "a type, or a mapping with `type`, `values`, `description`, `default`, `required`";
    let fields = reader.hinted_fields(node, expected, keys::VARIABLE, key_hints::of_variable);
    let Some(mut fields) = fields else { return (variable, None) };
    let mark = reader.mark();
    let mut type_span = fields.last;
    if let Some(word) = fields.take_value("type") {
        type_span = word.span;
        variable.field_type = reader.parse(word).unwrap_or(FieldType::Any);
    }
    let values_span = fields.take_value("values").map(|node| {
        let span = node.span;
        variable.values = read_values(reader, node);
        span
    });
    if reader.is_clean_since(mark) && !fields.means("values") && !fields.means("type") {
        check_values(reader, &variable, type_span, values_span);
    }
    variable.description = reader.optional_text(&mut fields, "description");
    variable.required = fields.take_value("required").and_then(|node| reader.boolean(&node));
    let default = fields.take_value("default");
    let span = default.as_ref().map(|node| node.span);
    variable.default = default.map(|node| reader.json(node, KeyPath::Root("default")));
    (variable, span)
}

/// Checks that an enum has values, and that nothing else has.
fn check_values(
    reader: &mut NodeReader<'_>,
    variable: &Variable,
    type_span: SourceSpan,
    values_span: Option<SourceSpan>,
) {
    if variable.field_type == FieldType::Enum && variable.values.is_empty() {
        reader.wrong_hint(values_span.unwrap_or(type_span), "an enum needs `values`", key_hints::ENUM);
    } else if let Some(span) = values_span.filter(|_| variable.field_type != FieldType::Enum) {
        reader.wrong_hint(span, "`values` needs `type: enum`", key_hints::ENUM);
    }
}

/// Reads the values of an enum.
fn read_values(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    let mut listed = HashSet::new();
    for item in reader.items(node, "a list of values").unwrap_or_default() {
        let span = item.span;
        if !matches!(item.value, NodeValue::Text(_) | NodeValue::Number(_) | NodeValue::Bool(_)) {
            reader.expected(&item, "a string, a number or a boolean");
            continue;
        }
        let value = reader.json(item, KeyPath::Root("values"));
        if !listed.insert(comparable(&value)) {
            reader.wrong(span, format!("the value {} is listed twice", shown(&value_text(&value))));
        }
        values.push(value);
    }
    values
}

fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
