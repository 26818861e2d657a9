//! Reads any text as a prompt file.

use prompt_manager::prompt::Compiled;
use prompt_manager::store::encoding::Encoding;
use prompt_manager::store::yaml::read_prompts;
use prompt_manager::template::{EmptyLibrary, TemplateOptions};
use prompt_manager::{Error, Kind};

/// Reads any text as a prompt file of either encoding. Every error has a place in the text. A prompt that is read can be
/// compiled, and what is written of it reads back the same.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = read_prompts("fuzzed.yaml", text);
    for error in &read.errors {
        assert_is_placed(error, text);
    }
    for located in &read.prompts {
        let _ =
            Compiled::<Box<str>>::compile(located.prompt.clone(), &TemplateOptions::default(), &EmptyLibrary);
    }
    for encoding in [Encoding::Yaml, Encoding::Json] {
        match encoding.read("fuzzed", data) {
            Ok((prompt, _)) => {
                for target in [Encoding::Yaml, Encoding::Json] {
                    let Ok(written) = target.write(&prompt) else { continue };
                    let (again, _) =
                        target.read("written", written.as_bytes()).expect("it was written by us");
                    assert_eq!(again, prompt, "{text:?} was written as {written:?}");
                    assert_eq!(target.write(&again).expect("once more"), written);
                }
            }
            Err(error) => assert_is_placed(&error, text),
        }
    }
}

/// Checks that an error of a file has a position in it and can be printed.
fn assert_is_placed(error: &Error, text: &str) {
    assert!(
        matches!(error.kind(), Kind::PromptInvalid | Kind::SchemaParse | Kind::TemplateSyntax),
        "{error:?}"
    );
    assert!(!error.report().is_empty());
    let Some(place) = error.place() else {
        // A list of several errors, which names the place of each.
        let is_list = error.message().contains(" problems in fuzzed");
        assert!(is_list, "{} has no place in {text:?}", error.message());
        return;
    };
    // YAML also breaks lines at a lone carriage return.
    let lines = text.split(['\n', '\r']).count();
    assert!((1..=lines).contains(&place.line), "line {} of {lines} in {text:?}", place.line);
    assert!(place.column >= 1, "column {}", place.column);
}
