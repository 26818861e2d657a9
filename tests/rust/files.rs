//! What a user of prompt and schema files would notice, mostly as tables in `tests/data/yaml`.
//!
//! A table holds cases: a line `@@ SENTENCE`, lines `@ EXPECTATION`, then the file's text as it is.

mod places;
mod prompts;
mod schemas;

/// A case of a table.
struct Case {
    /// What it shows.
    name: String,
    /// What must come of it.
    expected: Vec<String>,
    /// The file.
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

/// Each error as the tables write it: `LINE:COLUMN MESSAGE`, and its hint in a line of its own.
fn told(errors: &[prompt_manager::Error]) -> Vec<String> {
    let mut told = Vec::new();
    for error in errors {
        let place =
            error.place().map_or_else(|| "?".to_owned(), |place| format!("{}:{}", place.line, place.column));
        told.push(format!("{place} {}", error.message()));
        told.extend(error.hint().map(|hint| format!("hint {hint}")));
    }
    told
}
