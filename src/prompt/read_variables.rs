//! Reads the declarations of variables.

use super::{Variable, Variables, check_name, keys};
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
        for name in names {
            let Some(SpannedText { text, span }) = reader.text_or_expected(name) else { continue };
            if let Err(error) = check_name(&text) {
                reader.note(span, error);
            } else if items.iter().any(|known| known.name == text) {
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
            variable.field_type = reader.parse(node).unwrap_or(FieldType::Any);
            return (variable, None);
        }
        _ => {}
    }
    let expected = "a type, or a mapping with `type`, `description`, `default`, `required`";
    let Some(mut fields) = reader.fields(node, expected, keys::VARIABLE) else {
        return (variable, None);
    };
    if let Some(word) = fields.take_value("type") {
        variable.field_type = reader.parse(word).unwrap_or(FieldType::Any);
    }
    variable.description = reader.optional_text(&mut fields, "description");
    variable.required = fields.take_value("required").and_then(|node| reader.boolean(&node));
    let default = fields.take_value("default");
    let span = default.as_ref().map(|node| node.span);
    variable.default = default.map(|node| reader.json(node, KeyPath::Root("default")));
    (variable, span)
}
