//! Reads settings, and the metadata, which may hold two of them.

use serde_json::{Map, Value};

use super::settings::PROVIDERS;
use super::{Metadata, Settings, key_hints, keys};
use crate::de::{Fields, KeyPath, NodeReader, NodeValue, SourceNode};

pub(super) fn read_settings(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Settings {
    let expected = "a mapping of settings";
    let fields = reader.hinted_fields(node, expected, keys::SETTINGS, key_hints::of_settings);
    let Some(mut fields) = fields else {
        return Settings::default();
    };
    let stop = fields.take_value("stop").map(|node| match node.value {
        NodeValue::List(_) => reader.texts(node),
        _ => match reader.spanned_or_node(node) {
            Ok(text) => vec![text.text],
            Err(node) => {
                reader.expected(&node, "a string or a list of strings");
                Vec::new()
            }
        },
    });
    let whole = |reader: &mut NodeReader<'_>, fields: &mut Fields<'_>, key: &'static str| {
        let node = fields.take_value(key)?;
        Some((reader.integer(&node)?, node.span))
    };
    let seed = whole(reader, &mut fields, "seed").and_then(|(number, span)| {
        let seed = number.as_i64();
        if seed.is_none() {
            reader.wrong(span, "`seed` must be a whole number of at most 64 bits");
        }
        seed
    });
    let count = |reader: &mut NodeReader<'_>, fields: &mut Fields<'_>, key: &'static str| {
        let (number, span) = whole(reader, fields, key)?;
        let count = number.as_u64();
        if count.is_none() {
            reader.wrong(span, format!("`{key}` must not be negative"));
        }
        count
    };
    let top_k = count(reader, &mut fields, "top_k");
    let thinking_budget = count(reader, &mut fields, "thinking_budget");
    let providers = PROVIDERS.into_iter().filter_map(|provider| {
        let node = fields.take_value(provider)?;
        let arguments = reader.object(node, &format!("settings.{provider}"))?;
        (!arguments.is_empty()).then_some((provider, arguments))
    });
    let providers = providers.collect();
    Settings {
        model: reader.optional_text(&mut fields, "model"),
        temperature: fields.take_value("temperature").and_then(|node| read_temperature(reader, &node)),
        top_p: read_number(reader, fields.take_value("top_p").as_ref(), "top_p", (0.0, 1.0), "from 0 to 1"),
        max_tokens: fields.take_value("max_tokens").and_then(|node| read_max_tokens(reader, &node)),
        stop: stop.unwrap_or_default(),
        seed,
        presence_penalty: read_finite(reader, &mut fields, "presence_penalty"),
        frequency_penalty: read_finite(reader, &mut fields, "frequency_penalty"),
        top_k,
        effort: fields.take_value("effort").and_then(|node| reader.parse(node)),
        verbosity: fields.take_value("verbosity").and_then(|node| reader.parse(node)),
        thinking_budget,
        parallel_tool_calls: fields.take_value("parallel_tool_calls").and_then(|node| reader.boolean(&node)),
        providers,
        extra: fields
            .take_value("extra")
            .and_then(|node| reader.object(node, "settings.extra"))
            .unwrap_or_default(),
    }
}

fn read_number(
    reader: &mut NodeReader<'_>,
    node: Option<&SourceNode<'_>>,
    key: &str,
    (low, high): (f64, f64),
    range: &str,
) -> Option<f64> {
    let node = node?;
    let number = reader.float(node)?;
    if number.is_finite() && (low..=high).contains(&number) {
        return Some(number);
    }
    reader.wrong(node.span, format!("`{key}` must be {range}"));
    None
}

fn read_temperature(reader: &mut NodeReader<'_>, node: &SourceNode<'_>) -> Option<f64> {
    read_number(reader, Some(node), "temperature", (0.0, 2.0), "from 0 to 2")
}

fn read_finite(reader: &mut NodeReader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<f64> {
    let node = fields.take_value(key);
    read_number(reader, node.as_ref(), key, (f64::MIN, f64::MAX), "a finite number")
}

fn read_max_tokens(reader: &mut NodeReader<'_>, node: &SourceNode<'_>) -> Option<u64> {
    let count = reader.integer(node)?.as_u64().filter(|count| *count > 0);
    if count.is_none() {
        reader.wrong(node.span, "`max_tokens` must be more than 0");
    }
    count
}

pub(super) fn read_metadata(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Metadata {
    let root = KeyPath::Root("metadata");
    let mut metadata = Map::new();
    let members = reader.members(node, "a mapping of metadata").unwrap_or_default();
    for (key, _, node) in members {
        let known = keys::METADATA.contains(&key.as_str());
        if known && node.is_null() {
            continue;
        }
        let value = match key.as_str() {
            "author" | "description" | "category" => Some(Value::String(reader.text(node))),
            "tags" | "use_cases" | "model_recommendations" => Some(Value::from(reader.texts(node))),
            "temperature" => read_temperature(reader, &node).map(Value::from),
            "max_tokens" => read_max_tokens(reader, &node).map(Value::from),
            "custom" => reader.object(node, "metadata.custom").map(Value::Object),
            _ => Some(reader.json(node, KeyPath::Key(&root, &key))),
        };
        if let Some(value) = value {
            metadata.insert(key, value);
        }
    }
    Metadata(metadata)
}
