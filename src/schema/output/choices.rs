//! Decides which quotes end the strings of a damaged answer.
//!
//! In `{"a": "he said "no", and left"}` several quotes may end the string. The answer is read again and again, each time
//! with another script of decisions, until one reading makes sense.

/// The decisions of one reading. A quote that may end a string ends it, unless the script has another decision.
pub(super) struct Choices<'n> {
    /// The decisions for the first quotes, in order: whether the quote ends the string.
    script: Vec<bool>,
    made: Vec<Choice>,
    names: &'n dyn Fn(&str) -> bool,
    /// Whether a string contains a key of the schema, or a quote that looks like its end.
    pub(super) is_doubtful: bool,
}

#[derive(Clone, Copy)]
struct Choice {
    ends: bool,
    /// Whether the string has an earlier quote that did not end it.
    is_damaged: bool,
}

impl<'n> Choices<'n> {
    pub(super) fn new(script: Vec<bool>, names: &'n dyn Fn(&str) -> bool) -> Self {
        Self { script, made: Vec::new(), names, is_doubtful: false }
    }

    /// Decides whether the next quote that may end a string ends it.
    pub(super) fn ends(&mut self, is_damaged: bool) -> bool {
        let ends = self.script.get(self.made.len()).copied().unwrap_or(true);
        self.made.push(Choice { ends, is_damaged });
        ends
    }

    /// Notes a key that was found inside a string.
    pub(super) fn note_key(&mut self, name: &str) {
        self.is_doubtful |= (self.names)(name);
    }

    /// The script of the next reading, or `None` after the last. If `all` is false, strings without stray quotes keep
    /// their ends.
    pub(super) fn next_script(&self, all: bool) -> Option<Vec<bool>> {
        let last = self.made.iter().rposition(|choice| choice.ends && (all || choice.is_damaged))?;
        let mut script: Vec<bool> = self.made[..=last].iter().map(|choice| choice.ends).collect();
        script[last] = false;
        Some(script)
    }
}
