//! `wrong-type`: a template uses a variable in a way that its declared type does not allow.
//!
//! Every render checks that a value has the declared type. So the use fails in every render, or a comparison has the
//! same result in all of them.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{#each tags}}- {{this}}{{/each}}"
//! variables: {tags: string}
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{#each tags}}- {{this}}{{/each}}"
//! variables: {tags: list}
//! ```
//!
//! The rule finds loops over values without items, printed mappings, members of texts, numbers and lists, helpers such as
//! `join`, `date`, `length`, `add` and `gt` with a value that they refuse, and comparisons (`eq`) with a value that the
//! variable never has.

use super::checked_prompt::{CheckedPrompt, ParsedText};
use super::code::Code;
use super::finding::Finding;
use super::tag_uses::{TagUse, UseKind, each_use};
use crate::prompt::Variable;
use crate::schema::FieldType;
use crate::template::ast::{CallNode, ExprNodeKind};

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let Some(declared) = checked.prompt.declared() else { return Vec::new() };
    if checked.template_options.is_javascript() || !checked.template_options.strict {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for ParsedText { location, program, .. } in checked.texts_with_variables() {
        each_use(program, checked.is_helper, &mut |one| {
            let Some(variable) = declared.get(one.name) else { return };
            if let Some((problem, hint)) = problem(variable, &one, checked.is_helper) {
                let id = &checked.prompt.id;
                let message = format!("{problem} ({location} of prompt `{id}`)");
                let place = checked.place(*location, one.offset);
                findings.push(checked.finding(Code::WrongType, message, place).with_hint(hint));
            }
        });
    }
    findings
}

/// What is wrong with a use, and what to do about it.
fn problem(
    variable: &Variable,
    one: &TagUse<'_>,
    is_helper: &dyn Fn(&str) -> bool,
) -> Option<(String, String)> {
    let (name, kind) = (&variable.name, variable.field_type);
    if let [member, ..] = &*one.members {
        let is_missing = match kind {
            FieldType::String | FieldType::Integer | FieldType::Float | FieldType::Boolean => {
                *member != "length" && !is_index(member)
            }
            FieldType::List => *member != "length" && !is_index(member),
            _ => false,
        };
        return is_missing.then(|| {
            let hint = match kind {
                FieldType::List => {
                    format!("loop over its items: `{{{{#each {name}}}}}{{{{{member}}}}}{{{{/each}}}}`")
                }
                _ => format!("use the value itself, or declare `{name}` as a dict"),
            };
            (format!("`{name}` is of type {kind} and has no member `{member}`"), hint)
        });
    }
    match one.kind {
        UseKind::Iterated(_) if has_no_items(kind) => Some((
            format!("`each` loops over `{name}`, which is of type {kind}"),
            format!("declare `{name}` as a list, or print it with `{{{{{name}}}}}`"),
        )),
        UseKind::Printed if kind == FieldType::Dict => Some((
            format!("`{{{{{name}}}}}` prints a value of type dict, which has no text"),
            format!("print a member, or all of it with `{{{{json {name}}}}}`"),
        )),
        UseKind::Argument { call, at } => in_helper(variable, call, at, is_helper),
        _ => None,
    }
}

fn is_index(member: &str) -> bool {
    member.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_no_items(kind: FieldType) -> bool {
    !matches!(kind, FieldType::List | FieldType::Dict | FieldType::Any)
}

/// What is wrong with an argument of a helper.
fn in_helper(
    variable: &Variable,
    call: &CallNode<'_>,
    at: usize,
    is_helper: &dyn Fn(&str) -> bool,
) -> Option<(String, String)> {
    use FieldType::{Boolean, Date, DateTime, Dict, Float, Integer, List, String};
    let helper = &*call.callee.name();
    if is_helper(helper) {
        return None;
    }
    let (name, kind) = (&variable.name, variable.field_type);
    let is_refused = match (helper, at) {
        ("join", 0) => has_no_items(kind) || kind == Dict,
        ("length", 0) => matches!(kind, Integer | Float | Boolean),
        ("date", 0) => matches!(kind, Integer | Float | Boolean | List | Dict),
        ("add" | "sub", 0 | 1) => !matches!(kind, Integer | Float | FieldType::Any | FieldType::Enum),
        ("upper" | "lower" | "trim" | "truncate" | "indent", 0) => kind == Dict,
        ("lt" | "lte" | "gt" | "gte", 0 | 1) => {
            let other = call.params().get(1 - at)?;
            matches!(
                (&other.kind, kind),
                (ExprNodeKind::Number(_), String | List | Dict | Date | DateTime)
                    | (ExprNodeKind::String(_), Integer | Float | Boolean | List | Dict)
            )
        }
        ("eq" | "ne", 0 | 1) => return compared(variable, helper, &call.params().get(1 - at)?.kind),
        _ => false,
    };
    is_refused.then(|| {
        let hint = format!("change the type of `{name}`, or the tag");
        (format!("`{helper}` refuses `{name}`, which is of type {kind}"), hint)
    })
}

/// A comparison with a literal that the variable never equals.
fn compared(variable: &Variable, helper: &str, literal: &ExprNodeKind<'_>) -> Option<(String, String)> {
    use FieldType::{Boolean, Dict, Enum, Float, Integer, List, String};
    let (name, kind) = (&variable.name, variable.field_type);
    let is_never = match literal {
        ExprNodeKind::String(text) if kind == Enum => {
            !variable.values.iter().any(|value| value.as_str() == Some(text))
        }
        ExprNodeKind::String(_) => matches!(kind, Integer | Float | Boolean | List | Dict),
        ExprNodeKind::Number(_) if kind == Enum => variable.values.iter().all(|value| !value.is_number()),
        ExprNodeKind::Number(_) => matches!(kind, String | List | Dict),
        ExprNodeKind::Bool(_) => matches!(kind, String | List | Dict),
        _ => false,
    };
    let shown = match literal {
        ExprNodeKind::String(text) => format!("\"{text}\""),
        ExprNodeKind::Number(text) => (*text).to_owned(),
        ExprNodeKind::Bool(value) => value.to_string(),
        _ => return None,
    };
    let always = if helper == "eq" { "never" } else { "always" };
    let hint = if kind == Enum {
        let near = literal_text(literal).and_then(|text| nearest_value(variable, text));
        near.map_or_else(
            || format!("add the value to the `values` of `{name}`, or change the comparison"),
            |near| format!("did you mean `\"{near}\"`?"),
        )
    } else {
        format!("compare with a value of type {kind}")
    };
    is_never.then(|| {
        let what =
            if kind == Enum { "does not have this value".to_owned() } else { format!("is of type {kind}") };
        (format!("`{helper} {name} {shown}` is {always} true, because `{name}` {what}"), hint)
    })
}

fn literal_text<'l>(literal: &'l ExprNodeKind<'_>) -> Option<&'l str> {
    match literal {
        ExprNodeKind::String(text) => Some(text),
        _ => None,
    }
}

fn nearest_value<'v>(variable: &'v Variable, text: &str) -> Option<&'v str> {
    crate::error::nearest(text, variable.values.iter().filter_map(serde_json::Value::as_str))
}
