//! Where texts end that have quotes in them.

/// Where texts end, in one reading. The first quote that may end a text does, unless the script says otherwise.
pub(super) struct Choices<'n> {
    /// Whether the first, second, … quote that may end a text ends it.
    script: Vec<bool>,
    made: Vec<Choice>,
    names: &'n dyn Fn(&str) -> bool,
    /// Whether a text holds a key of the schema, or a quote that looks like its end.
    pub(super) is_doubtful: bool,
}

#[derive(Clone, Copy)]
struct Choice {
    ends: bool,
    /// Whether the text has a quote before.
    is_damaged: bool,
}

impl<'n> Choices<'n> {
    pub(super) fn new(script: Vec<bool>, names: &'n dyn Fn(&str) -> bool) -> Self {
        Self { script, made: Vec::new(), names, is_doubtful: false }
    }

    /// Whether a quote that may end a text does.
    pub(super) fn ends(&mut self, is_damaged: bool) -> bool {
        let ends = self.script.get(self.made.len()).copied().unwrap_or(true);
        self.made.push(Choice { ends, is_damaged });
        ends
    }

    /// Notes a key within a text.
    pub(super) fn note_key(&mut self, name: &str) {
        self.is_doubtful |= (self.names)(name);
    }

    /// The script of the next reading. If `all` is false, texts without stray quotes keep their ends.
    pub(super) fn next_script(&self, all: bool) -> Option<Vec<bool>> {
        let last = self.made.iter().rposition(|choice| choice.ends && (all || choice.is_damaged))?;
        let mut script: Vec<bool> = self.made[..=last].iter().map(|choice| choice.ends).collect();
        script[last] = false;
        Some(script)
    }
}
