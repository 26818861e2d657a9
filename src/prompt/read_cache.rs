//! Reads cache hints: `true`, `1h`, `{ttl: 1h}`, `{ttl: 1h, openai: {ttl: 30m}}`.

use super::message::{CacheHint, OpenAiCache, PortableCache};
use super::{key_hints, keys};
use crate::de::{NodeReader, NodeValue, SourceNode, SpannedText, shown, unknown};
use crate::error::{Error, Kind};

/// Reads a hint. `None` for `false`, and where a mistake was noted. In the data of a user the time can be any text.
pub(super) fn read(reader: &mut NodeReader<'_>, node: SourceNode<'_>, is_data: bool) -> Option<CacheHint> {
    match node.value {
        NodeValue::Bool(cache) => return cache.then(|| CacheHint::portable(None)),
        NodeValue::Text(_) => return Some(CacheHint::portable(portable_time(reader, node, is_data))),
        _ => {}
    }
    let expected = "a cache hint: `true`, a time such as `1h`, or `{ttl: 1h}`";
    let mut fields = reader.hinted_fields(node, expected, keys::CACHE, key_hints::of_cache)?;
    let word = fields.take_value("type");
    let ttl = fields.take_value("ttl");
    let openai = fields.take_value("openai");
    let is_portable = word.is_some() || ttl.is_some() || openai.is_none();
    if let Some(word) = word {
        only_word(reader, word, "cache type", "ephemeral");
    }
    let ttl = ttl.and_then(|ttl| portable_time(reader, ttl, is_data));
    let openai = openai.and_then(|openai| read_openai(reader, openai, is_data));
    Some(CacheHint { portable: is_portable.then_some(PortableCache { ttl }), openai })
}

fn read_openai(reader: &mut NodeReader<'_>, node: SourceNode<'_>, is_data: bool) -> Option<OpenAiCache> {
    match node.value {
        NodeValue::Bool(true) => return Some(OpenAiCache::default()),
        NodeValue::Text(_) => return openai_time(reader, node, is_data),
        _ => {}
    }
    let expected = "a cache hint of OpenAI: `true`, a time such as `30m`, or `{ttl: 30m}`";
    let mut fields = reader.fields(node, expected, keys::OPENAI_CACHE)?;
    if let Some(mode) = fields.take_value("mode") {
        only_word(reader, mode, "cache mode", "explicit");
    }
    match fields.take_value("ttl") {
        Some(ttl) => openai_time(reader, ttl, is_data),
        None => Some(OpenAiCache::default()),
    }
}

/// Checks a key that has only one value.
fn only_word(reader: &mut NodeReader<'_>, node: SourceNode<'_>, what: &str, word: &str) {
    if let Some(SpannedText { text, span }) = reader.text_or_expected(node)
        && text != word
    {
        reader.note(span, unknown(Kind::PromptInvalid, what, &text, &[word]));
    }
}

fn portable_time(reader: &mut NodeReader<'_>, node: SourceNode<'_>, is_data: bool) -> Option<String> {
    let SpannedText { text, span } = reader.text_or_expected(node)?;
    if is_data || PortableCache::TIMES.contains(&text.as_str()) {
        return Some(text);
    }
    let error = match OpenAiCache::with_ttl(&text) {
        Some(_) => Error::new(Kind::PromptInvalid, format!("only OpenAI has the time {}", shown(&text)))
            .with_hint("write `openai: {ttl: …}` in the cache hint"),
        None => unknown(Kind::PromptInvalid, TIME, &text, &PortableCache::TIMES),
    };
    reader.note(span, error);
    None
}

fn openai_time(reader: &mut NodeReader<'_>, node: SourceNode<'_>, is_data: bool) -> Option<OpenAiCache> {
    let SpannedText { text, span } = reader.text_or_expected(node)?;
    let read = OpenAiCache::with_ttl(&text);
    if read.is_none() {
        let error = unknown(Kind::PromptInvalid, TIME, &text, &OpenAiCache::TIMES);
        // No message may quote a user's data.
        let unquoted = "OpenAI does not support the `ttl` of this cache hint";
        reader.note(span, if is_data { error.recast(Kind::PromptInvalid, unquoted) } else { error });
    }
    read
}

/// What a time is called in errors.
const TIME: &str = "time of a cache hint";
