//! Converts any history to the requests of each provider.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use prompt_manager::convert::{ProviderConverter, Report};
use prompt_manager::prompt::{Compiled, Message, Prompt, RenderOptions, Rendered, Status};
use prompt_manager::template::{EmptyLibrary, JsonData, JsonDataValue, TemplateOptions};
use prompt_manager::{Error, Kind};
use serde_json::{Value, json};

use super::words::Words;

const PROVIDERS: [&str; 6] = ["openai", "openai-responses", "anthropic", "litellm", "gemini", "bedrock"];

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::of(include_str!("../words/history.txt")));

/// A chat of a system message, the history and a user message.
static CHAT: LazyLock<Compiled<Box<str>>> = LazyLock::new(|| {
    let document = json!({"id": "fuzzed", "format": "chat", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "placeholder", "name": "history"},
        {"role": "user", "content": "Thanks."},
    ]});
    let prompt = Prompt::from_json(&document, Status::Active).expect("a prompt");
    Compiled::compile(prompt, &TemplateOptions::default(), &EmptyLibrary).expect("it compiles")
});

/// Renders a prompt with a history, and converts it for each provider. What strict mode accepts is the same without it.
///
/// The input is a list of messages.
pub fn run(data: &[u8]) {
    let Ok(history) = WORDS.value(&mut Unstructured::new(data)) else { return };
    let variables = json!({ "history": history });
    let messages = CHAT.messages_with(
        &JsonData::default(),
        &JsonDataValue::Borrowed(&variables),
        &EmptyLibrary,
        &RenderOptions::default(),
    );
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) => return assert_is_about_the_history(&error),
    };
    for provider in PROVIDERS {
        let strict = ProviderConverter::strict(provider).expect("a provider");
        let (exact, noted) = converted(strict, messages.clone());
        let (near, warnings) = converted(strict.lenient(), messages.clone());
        if let Ok(exact) = exact {
            assert_eq!(near.as_ref(), Ok(&exact), "{provider} of {history}");
            assert_eq!(noted, warnings, "{provider} of {history}");
        }
        // A second conversion differs in nothing.
        assert_eq!(
            converted(strict.lenient(), messages.clone()),
            (near, warnings),
            "{provider} of {history}"
        );
    }
}

/// The request, or the report of the error; and the warnings.
fn converted(
    converter: ProviderConverter,
    messages: Vec<Message<String>>,
) -> (Result<Value, String>, Vec<String>) {
    let mut report = Report::default();
    let made = converter.convert(Rendered::Messages(messages), &mut report);
    let made = made.map(|made| made.to_json()).map_err(|error| {
        assert_eq!(error.kind(), Kind::Conversion, "{}", error.report());
        error.report()
    });
    (made, report.warnings().to_vec())
}

fn assert_is_about_the_history(error: &Error) {
    assert_eq!(error.kind(), Kind::TemplateRender, "{}", error.report());
    assert!(error.report().contains("history"), "{}", error.report());
}
