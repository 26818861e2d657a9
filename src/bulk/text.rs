//! Fixed texts of templates, and the output of a render, for data in Arrow columns.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::template::{Sink, Text, indent_lines};

/// A name or a fixed text of a template. It remembers where a column of its name was found last, so that the same name is
/// found at once in the next row.
pub struct ArrowText {
    text: Arc<str>,
    position: AtomicUsize,
}

impl ArrowText {
    /// The text, shared.
    pub(super) fn shared(&self) -> &Arc<str> {
        &self.text
    }

    /// The position among `names` of the member with this name.
    #[inline]
    pub(super) fn position_in<'n>(&self, name_at: impl Fn(usize) -> Option<&'n str>) -> Option<usize> {
        // A position that another thread changes is only a worse guess.
        let guess = self.position.load(Ordering::Relaxed);
        if name_at(guess).is_some_and(|name| *name == *self.text) {
            return Some(guess);
        }
        let mut at = 0;
        while let Some(name) = name_at(at) {
            if *name == *self.text {
                self.position.store(at, Ordering::Relaxed);
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

impl fmt::Debug for ArrowText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Text for ArrowText {
    fn new(text: &str) -> Self {
        Self { text: text.into(), position: AtomicUsize::new(0) }
    }

    fn as_str(&self) -> &str {
        &self.text
    }
}

/// The text of a render under construction.
#[derive(Debug, Default)]
pub struct TextSink(pub(super) String);

impl Sink for TextSink {
    type Text = ArrowText;
    type Output = String;

    #[inline]
    fn text(&mut self, text: &ArrowText) {
        self.0.push_str(&text.text);
    }

    #[inline]
    fn str(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn output(&mut self, output: &String) {
        self.0.push_str(output);
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.0.len()
    }

    fn ends_in_line_break(&self) -> bool {
        self.0.ends_with('\n')
    }

    fn indented(&mut self, inner: Self, indent: &str) {
        indent_lines(&inner.0, indent, |piece| self.0.push_str(piece));
    }

    fn finish(self) -> String {
        self.0
    }
}
