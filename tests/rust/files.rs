//! Prompt and schema files, mostly from the tables in `tests/data/yaml`.
//!
//! A case of a table is a line `@@ SENTENCE`, lines `@ EXPECTATION`, and the text of the file.

mod findings;
mod places;
mod prompts;
mod schemas;

/// A case of a table.
struct Case {
    /// The sentence that describes it.
    name: String,
    /// The expected lines.
    expected: Vec<String>,
    /// The text of the file.
    text: String,
}

/// The cases of a table.
fn cases(table: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in table.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("@@ ") {
            cases.push(Case { name: name.trim().to_owned(), expected: Vec::new(), text: String::new() });
            continue;
        }
        let case = cases.last_mut().expect("a table begins with a case");
        match line.strip_prefix("@ ") {
            Some(expected) => case.expected.push(expected.trim().to_owned()),
            None => case.text.push_str(line),
        }
    }
    cases
}

/// Each error in the notation of the tables: `LINE:COLUMN MESSAGE`, then its hint on a separate line.
fn lines_of(errors: &[prompt_manager::Error]) -> Vec<String> {
    let mut lines = Vec::new();
    for error in errors {
        let place =
            error.place().map_or_else(|| "?".to_owned(), |place| format!("{}:{}", place.line, place.column));
        lines.push(format!("{place} {}", error.message()));
        lines.extend(error.hint().map(|hint| format!("hint {hint}")));
    }
    lines
}
