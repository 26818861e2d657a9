//! The functions that the fuzz targets run on each input.
//!
//! The targets run them on inputs from libFuzzer, and `tests/rust/corpus.rs` runs them on the inputs of the corpus. An
//! input fails if an assertion fails, if the code panics or overflows the stack, or if it takes too much time or memory.

#[path = "bodies/arrow.rs"]
pub mod arrow;
#[path = "bodies/history.rs"]
pub mod history;
#[path = "bodies/prompt_file.rs"]
pub mod prompt_file;
#[path = "bodies/schema.rs"]
pub mod schema;
#[path = "bodies/words.rs"]
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::{Result as Taken, Unstructured};
use prompt_manager::limits::Limits;
use prompt_manager::schema::output::{self, AnswerOptions};
use prompt_manager::template::{JsonData, JsonDataValue, Template, TemplateOptions};
use prompt_manager::template::{parse as parse_source, print};
use prompt_manager::{Error, Kind};
use serde_json::{Map, Value};

/// The byte that separates the texts of an input. UTF-8 never contains it.
const SEPARATOR: u8 = 0xFF;

/// The names of the partials: single characters, which random templates are likely to use.
const PARTIALS: [&str; 2] = ["p", "q"];

/// Low limits, so that no input takes long. The limits of nesting are the default ones, because the stack must be large
/// enough for them.
const LIMITS: Limits = Limits {
    source_bytes: 1024 * 1024,
    nesting: 100,
    partial_depth: 50,
    depth: 400,
    steps: 2_000,
    output_bytes: 64 * 1024,
};

/// Compiles any text as a template with any options, and extracts its variables.
///
/// The input is two bytes of options, then the template.
pub fn parse(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(options) = options(&mut input) else { return };
    let Ok(source) = std::str::from_utf8(input.take_rest()) else { return };
    match Template::<Box<str>>::parse("fuzzed", source, &options) {
        Ok(template) => {
            let mut library = BTreeMap::new();
            for name in PARTIALS {
                library.insert(name.into(), template.clone());
            }
            let alone = template.variables(&BTreeMap::new()).expect("an account of one template");
            match template.variables(&library) {
                Ok(included) => {
                    assert!(
                        alone.keys().all(|name| included.contains_key(name)),
                        "a partial took a variable away"
                    );
                }
                Err(error) => assert_eq!(error.kind(), Kind::TemplateSyntax, "{}", error.report()),
            }
        }
        Err(error) => assert_is_template_error(&error, source),
    }
}

/// Renders any template with any partials over any data.
///
/// The input is the template and two partials, with a byte of 255 after each, then two bytes of options and the data.
pub fn render(data: &[u8]) {
    let mut pieces = data.splitn(PARTIALS.len() + 2, |byte| *byte == SEPARATOR);
    let mut texts = Vec::new();
    for _ in 0..=PARTIALS.len() {
        let Some(Ok(text)) = pieces.next().map(std::str::from_utf8) else { return };
        texts.push(text);
    }
    let mut input = Unstructured::new(pieces.next().unwrap_or_default());
    let Ok(options) = options(&mut input) else { return };
    let Ok(value) = value(&mut input, 0) else { return };
    let compile = |name: &str, source: &str| Template::<Box<str>>::parse(name, source, &options);
    let Ok(template) = compile("", texts[0]) else { return };
    let mut partials = BTreeMap::new();
    for (name, source) in PARTIALS.into_iter().zip(&texts[1..]) {
        if let Ok(partial) = compile(name, source) {
            partials.insert(name.into(), partial);
        }
    }
    let data = if options.is_javascript() { JsonData::javascript() } else { JsonData::default() };
    let run = || {
        template.render(
            &data,
            &JsonDataValue::Borrowed(&value),
            Some(&JsonDataValue::Borrowed(&value)),
            &partials,
        )
    };
    let (first, second) = (run(), run());
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first, second, "a second render differs");
            assert!(first.len() <= LIMITS.output_bytes, "the output passes its limit");
        }
        (Err(first), Err(second)) => {
            assert_eq!(first.report(), second.report(), "a second render fails otherwise");
            assert!(
                matches!(first.kind(), Kind::TemplateRender | Kind::TemplateSyntax),
                "{}",
                first.report()
            );
            assert!(first.place().is_some(), "the error has no place: {}", first.message());
        }
        (first, second) => panic!("one render fails and the other does not: {first:?}, {second:?}"),
    }
}

/// Parses a text, prints the tree, and parses the result. Both trees must be equal, and print the same.
pub fn round_trip(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let tree = match parse_source(source, &LIMITS) {
        Ok(tree) => tree,
        Err(error) => return assert_is_template_error(&error, source),
    };
    let Some(printed) = print(&tree) else {
        assert!(source.contains('\\'), "{source:?} was not printed");
        return;
    };
    let again = parse_source(&printed, &LIMITS)
        .unwrap_or_else(|error| panic!("{source:?} was printed as {printed:?}:\n{}", error.report()));
    assert_eq!(without_places(&tree), without_places(&again), "{source:?} was printed as {printed:?}");
    assert_eq!(print(&again).as_deref(), Some(printed.as_str()), "printed once more");
}

/// Reads an answer of a model: any text, or any value with text around it. The value is read as itself or refused, so
/// nothing within its texts is taken for the answer. In a quotation it is refused.
///
/// The input is a byte that selects the text around the value, then the value; or a byte of 255, then any text.
pub fn answer(data: &[u8]) {
    const FRAMES: [&str; 10] = [
        "{}",
        "```json\n{}\n```",
        "```\n{}\n```",
        "```json\n{}",
        "Here: {}",
        "{}\nHope it helps.",
        "Sure {thing}, see [1]:\n\n```json\n{}\n```\nDoes that [help]?",
        "<think>hm</think>{}",
        "<think>hm</think>\n```\n{}\n```\nDone.",
        "\u{feff} {} ok?",
    ];
    const QUOTATIONS: [&str; 8] = [
        "They wrote `{}` to me.",
        "They wrote:\n> {}\nI refuse.",
        "They wrote \"\n{}\n\" to me.",
        "They wrote „{}“ to me.",
        "They wrote \"{}",
        "They wrote `please say {} now`.",
        "They wrote <text>please say {} now</text>.",
        "<|im_start|>user\n{}<|im_end|>",
    ];
    let options = AnswerOptions { strict: false, dict: true };
    let Some((first, rest)) = data.split_first() else { return };
    if *first == SEPARATOR {
        let Ok(text) = std::str::from_utf8(rest) else { return };
        let parsed = output::parse(text, options);
        let again = output::parse(text, options);
        assert_eq!(format!("{parsed:?}"), format!("{again:?}"), "a second reading differs");
        let names = ["a", "verdict"].map(str::to_owned).into();
        let _ = output::readings::<std::hash::RandomState>(text, options, &names);
        return;
    }
    let Ok(value) = value(&mut Unstructured::new(rest), 0) else { return };
    let value = serde_json::json!({ "verdict": value });
    let text = FRAMES[usize::from(*first) % FRAMES.len()].replace("{}", &value.to_string());
    if let Ok(found) = output::parse(&text, options) {
        assert_eq!(found.parsed.to_json(), value, "{text}");
    }
    for quotation in QUOTATIONS {
        let text = quotation.replace("{}", &value.to_string());
        assert!(output::parse(&text, options).is_err(), "{text}");
    }
}

/// Checks that a syntax error has a position in the source and can be printed.
fn assert_is_template_error(error: &Error, source: &str) {
    assert_eq!(error.kind(), Kind::TemplateSyntax, "{}", error.report());
    let place = error.place().unwrap_or_else(|| panic!("{} has no place in {source:?}", error.message()));
    let lines = source.split('\n').count();
    assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
    assert!(place.column >= 1, "column {}", place.column);
    assert!(!error.report().is_empty());
}

/// Formats a tree as text, without source positions.
fn without_places(tree: &prompt_manager::template::ast::Program) -> String {
    let shown = format!("{tree:?}");
    let mut pieces = shown.split("Span { start: ");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str(piece.split_once('}').map_or(piece, |(_, rest)| rest));
    }
    text
}

/// Reads options of either dialect from two bytes.
fn options(input: &mut Unstructured<'_>) -> Taken<TemplateOptions> {
    let bits = u16::from_le_bytes([input.arbitrary()?, input.arbitrary()?]);
    let flag = |at: u32| bits & (1 << at) != 0;
    let defaults = if flag(0) { TemplateOptions::handlebars() } else { TemplateOptions::default() };
    Ok(TemplateOptions {
        strict: defaults.strict ^ flag(1),
        allow_none: defaults.allow_none ^ flag(2),
        escape: defaults.escape ^ flag(3),
        prevent_indent: flag(4),
        ignore_standalone: flag(5),
        explicit_partial_context: flag(6),
        assume_objects: flag(7),
        known_helpers_only: flag(8),
        known_helpers: if flag(9) { Arc::new(["a".into()]) } else { Arc::default() },
        compat: flag(10),
        limits: LIMITS,
        ..defaults
    })
}

/// Reads a JSON value: a byte for its type, and for some types a byte for its length.
fn value(input: &mut Unstructured<'_>, depth: usize) -> Taken<Value> {
    let sort: u8 = input.arbitrary()?;
    Ok(match sort % 8 {
        1 => Value::Bool(input.arbitrary::<u8>()? != 0),
        2 => Value::from(input.arbitrary::<i8>()?),
        3 => Value::from(input.arbitrary::<i64>()?),
        4 => Value::from(input.arbitrary::<f64>()?),
        5 => Value::from(text(input)?),
        6 if depth < 32 => {
            let length: u8 = input.arbitrary()?;
            (0..length)
                .map_while(|_| (!input.is_empty()).then(|| value(input, depth + 1)))
                .collect::<Taken<_>>()?
        }
        7 if depth < 32 => {
            let length: u8 = input.arbitrary()?;
            let mut members = Map::new();
            for _ in 0..length {
                if input.is_empty() {
                    break;
                }
                members.insert(text(input)?, value(input, depth + 1)?);
            }
            Value::Object(members)
        }
        _ => Value::Null,
    })
}

/// Reads a text: a byte for its length, then its bytes. Invalid UTF-8 is replaced.
fn text(input: &mut Unstructured<'_>) -> Taken<String> {
    let length: u8 = input.arbitrary()?;
    let bytes = input.bytes(usize::from(length).min(input.len()))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}
