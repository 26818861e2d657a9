//! Quotes within a text that lack their backslash, as pairs around quotations.

/// The quotes within a text that is read from left to right.
#[derive(Default)]
pub(super) struct QuotePairs {
    /// Whether there are any.
    pub(super) has_any: bool,
    /// Whether a quotation that began within the text has no end yet.
    pub(super) is_quoting: bool,
    /// Whether a quotation ends that did not begin within the text.
    is_unpaired: bool,
}

impl QuotePairs {
    /// Adds a quote, between what is before and after it.
    pub(super) fn add(&mut self, is_single: bool, before: Option<char>, after: &str) {
        let follows_word = before.is_some_and(char::is_alphanumeric);
        let is_inch = before.is_some_and(|c| c.is_ascii_digit());
        let is_apostrophe = is_single && after.starts_with(char::is_alphanumeric);
        self.has_any = true;
        self.is_unpaired |= !self.is_quoting && follows_word && !is_inch && !is_apostrophe;
        self.is_quoting = !self.is_quoting && !follows_word;
    }

    /// Whether there are quotes, and each quotation has a beginning and an end.
    pub(super) fn pair_up(&self) -> bool {
        self.has_any && !self.is_quoting && !self.is_unpaired
    }
}
