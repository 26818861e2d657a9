//! Finds the JSON in a text with prose and code fences.
//!
//! The text is read once, from left to right. What a value contains is skipped with the value, so that nothing within a
//! text of the answer is taken for an answer. Where it is unclear whether JSON has begun, the search is an error.

use super::answer::AnswerOptions;
use super::answer_error::AnswerError;
use super::comments::is_unclear_comment;
use super::cursor::AnswerParser;
use super::fences::{
    FENCE_ENDS_FIRST, begins_line, begins_with_bracket, ends_json, ends_line, opening_fence,
};
use super::introductions::is_reported_after;
use super::parsed::Parsed;
use super::prose::{holds_remnant, prose_group_end};
use super::quotes::TextPlace;
use super::repairs::RepairKind;
use super::surroundings::{IS_CODE, IS_QUOTED, Surroundings, is_decoration};
use super::tags::{TAG_ENDS_FIRST, end_of_tag};

/// A value that may be the answer.
pub(super) struct Candidate {
    pub(super) start: usize,
    end: usize,
    pub(super) parsed: Parsed,
    pub(super) repairs: Vec<(usize, RepairKind)>,
    pub(super) open: usize,
    region: usize,
}

/// A part of the text: the content of a code fence, or everything.
#[derive(Clone, Copy)]
struct Region {
    start: usize,
    end: usize,
    /// The offset of the fence.
    fence: Option<usize>,
}

/// The fence whose content is being read.
struct OpenFence<'s> {
    ticks: usize,
    /// The prose around the fence.
    around: Surroundings<'s>,
    /// Whether the content begins on the line of the fence. Then it may end there too.
    is_inline: bool,
    region: usize,
    has_candidate: bool,
}

/// A search for answers.
pub(super) struct Search<'s> {
    text: &'s str,
    options: AnswerOptions,
    start: usize,
    at: usize,
    regions: Vec<Region>,
    fence: Option<OpenFence<'s>>,
    /// The offset of the first fence of another language that has brackets.
    code: Option<usize>,
    /// The prose of this region.
    prose: Surroundings<'s>,
    /// Whether a candidate in a fence that is closed may be a quotation.
    is_quoted: bool,
    /// The offsets of all values, also of those that are no candidates.
    values: Vec<(usize, usize)>,
    pub(super) candidates: Vec<Candidate>,
    /// The failed attempt that read the most: how much it read, and its error.
    nearest: Option<(usize, AnswerError)>,
}

impl<'s> Search<'s> {
    fn new(text: &'s str, region: Region, options: AnswerOptions) -> Self {
        let text = &text[..region.end];
        Self {
            text,
            options,
            start: region.start,
            at: region.start,
            regions: vec![region],
            fence: None,
            code: None,
            prose: Surroundings::new(text, region.start, false),
            is_quoted: false,
            values: Vec::new(),
            candidates: Vec::new(),
            nearest: None,
        }
    }

    /// Searches a text from an offset on. The search ends after two different candidates.
    pub(super) fn run(text: &'s str, start: usize, options: AnswerOptions) -> Result<Self, AnswerError> {
        let mut search = Self::new(text, Region { start, end: text.len(), fence: None }, options);
        search.read()?;
        Ok(search)
    }

    fn read(&mut self) -> Result<(), AnswerError> {
        self.skip_leading_text()?;
        while let Some(offset) = self.text[self.at..].find(['{', '[', '`']) {
            self.at += offset;
            match self.text.as_bytes()[self.at] {
                b'`' => self.ticks()?,
                _ => self.value()?,
            }
            if self.candidates.len() > 1 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Skips a JSON text at the beginning of a region. If it has no end, everything may be part of it.
    fn skip_leading_text(&mut self) -> Result<(), AnswerError> {
        let rest = &self.text[self.at..];
        let start = self.at + rest.len() - rest.trim_start().len();
        // Code that begins with a text, and an answer within quotes, are searched like prose.
        if !self.text[start..].starts_with('"') || begins_with_bracket(&self.text[start + 1..]) {
            return Ok(());
        }
        let mut parser = AnswerParser::new(self.text, start, false);
        if parser.text(TextPlace::Item)?.is_none() {
            let message = "a JSON text has no end".to_owned();
            return Err(AnswerError { offset: start, message });
        }
        self.at = parser.at;
        self.prose.skip_to(self.at);
        Ok(())
    }

    /// Reads backticks outside of a value, which may open or close a fence.
    fn ticks(&mut self) -> Result<(), AnswerError> {
        const FENCE: usize = 3;
        let (open, rest) = (self.at, &self.text[self.at..]);
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        self.at += ticks;
        if ticks < FENCE {
            return Ok(());
        }
        if let Some(fence) = &self.fence {
            let region = &mut self.regions[fence.region];
            let closes = fence.is_inline
                || begins_line(self.text, open)
                || ends_json(self.text, region.start, open, ticks);
            if ticks >= fence.ticks && closes {
                region.end = open;
                self.close_fence();
            }
            return Ok(());
        }
        let Some(opening) = opening_fence(self.text, open, ticks) else { return Ok(()) };
        self.prose.read_to(open);
        self.prose.fence();
        self.at = opening.start;
        let region = Region { start: opening.start, end: self.text.len(), fence: Some(open) };
        if opening.is_other_language {
            let close = opening.code_end(self.text);
            let end = close.map_or(self.text.len(), |(start, _)| start);
            if self.text[self.at..end].contains(['{', '[']) {
                self.code.get_or_insert(open);
            }
            self.at = close.map_or(self.text.len(), |(_, end)| end);
            self.prose.skip_to(self.at);
            return Ok(());
        }
        // A fence within other code belongs to the code.
        let inside = Surroundings::new(self.text, opening.start, self.prose.is_code());
        self.fence = Some(OpenFence {
            ticks,
            around: std::mem::replace(&mut self.prose, inside),
            is_inline: opening.is_inline,
            region: self.regions.len(),
            has_candidate: false,
        });
        self.regions.push(region);
        self.skip_leading_text()
    }

    /// Leaves the fence that ends with its backticks before the current position.
    fn close_fence(&mut self) {
        if let Some(fence) = self.fence.take() {
            self.prose.read_to(self.regions[fence.region].end);
            // Backticks in a sentence are no fence.
            let is_within_line = fence.is_inline && !ends_line(self.text, self.at);
            let is_reported = is_within_line || is_reported_after(&self.text[self.at..]);
            self.is_quoted |= self.prose.may_quote() || (fence.has_candidate && is_reported);
            self.prose = fence.around;
            self.prose.skip_to(self.at);
        }
    }

    /// Reads a value, or skips a bracket of the prose.
    fn value(&mut self) -> Result<(), AnswerError> {
        let open = self.at;
        let mut parser = AnswerParser::new(self.text, open, false);
        parser.in_fence = self.fence.is_some();
        let parsed = parser.value(0);
        if parser.repairs.iter().any(|(_, repair)| *repair == RepairKind::CutOff)
            && let Some(end) = end_of_tag(&self.text[self.start..open], &self.text[open..])
        {
            return Err(AnswerError { offset: open + end, message: TAG_ENDS_FIRST.to_owned() });
        }
        let stop = match parsed {
            Ok(parsed) if parser.open == 0 || !is_empty(&parsed) => {
                let region = self.fence.as_ref().map_or(0, |fence| fence.region);
                let candidate = Candidate {
                    start: open,
                    end: parser.at,
                    parsed,
                    repairs: parser.repairs,
                    open: parser.open,
                    region,
                };
                self.at = candidate.end;
                self.found(candidate);
                return Ok(());
            }
            Ok(_) => {
                let message = "the JSON ends before any part of it is complete".to_owned();
                AnswerError { offset: self.text.len(), message }
            }
            Err(stop) if self.fence.is_some() && self.text[stop.offset..].starts_with("```") => {
                return Err(AnswerError { offset: stop.offset, message: FENCE_ENDS_FIRST.to_owned() });
            }
            // Brackets in a comment do not tell where prose ends.
            Err(stop) if is_unclear_comment(&stop) => return Err(stop),
            Err(stop) => stop,
        };
        self.at = if self.text[open..].starts_with('{') && self.text[open + 1..].trim_start().starts_with('{')
        {
            // Doubled braces, as templates have them.
            open + 1
        } else {
            match prose_group_end(self.text, open) {
                Some(end) if parser.at <= end => end,
                _ => return Err(stop),
            }
        };
        if self.nearest.as_ref().is_none_or(|(known, _)| *known < parser.at - open) {
            self.nearest = Some((parser.at - open, stop));
        }
        Ok(())
    }

    fn found(&mut self, mut candidate: Candidate) {
        self.values.push((candidate.start, candidate.end));
        self.prose.read_to(candidate.start);
        if let (true, Parsed::List(items)) = (self.options.dict, &mut candidate.parsed) {
            match items.as_mut_slice() {
                [item @ Parsed::Dict(_)] if candidate.open == 0 => {
                    candidate.parsed = std::mem::replace(item, Parsed::Null);
                    candidate.repairs.push((candidate.start, RepairKind::ListAround));
                }
                // A list of scalars is part of the prose: `[1]`.
                items if !items.iter().any(|item| matches!(item, Parsed::Dict(_))) => {
                    self.prose.skip_to(candidate.end);
                    return;
                }
                _ => {}
            }
        }
        self.prose.value();
        self.is_quoted |= is_reported_after(&self.text[candidate.end..]);
        self.prose.skip_to(candidate.end);
        if let Some(fence) = &mut self.fence {
            fence.around.value();
            fence.has_candidate = true;
        }
        self.add(candidate);
    }

    /// Refuses a candidate that may be a quotation, unless there is nothing else around it.
    pub(super) fn check_quotations(&mut self) -> Result<(), AnswerError> {
        let Some(candidate) = self.candidates.first() else { return Ok(()) };
        let (start, end) = (candidate.start, candidate.end);
        self.prose.read_to(self.text.len());
        let mut may_quote = self.is_quoted || self.prose.may_quote();
        let mut is_closed = self.prose.is_closed();
        if let Some(fence) = &mut self.fence {
            may_quote |= fence.around.may_quote();
            is_closed &= fence.around.is_closed();
        }
        let is_alone = is_closed
            && self.candidates.len() == 1
            && is_decoration(&self.text[self.start..start])
            && is_decoration(&self.text[end..]);
        if may_quote && !is_alone {
            return Err(AnswerError { offset: start, message: IS_QUOTED.to_owned() });
        }
        Ok(())
    }

    fn add(&mut self, candidate: Candidate) {
        if !self.candidates.iter().any(|known| known.parsed == candidate.parsed) {
            self.candidates.push(candidate);
        }
    }

    /// Returns the only candidate, with repairs for what is around it; `None` if there is none.
    pub(super) fn only(&mut self) -> Result<Option<Candidate>, AnswerError> {
        self.check_quotations()?;
        let Some(mut candidate) = self.candidates.pop() else { return Ok(None) };
        if self.outside(candidate.end).any(holds_remnant) {
            let message =
                "more of the JSON follows after its end; a quote within a text may lack its backslash";
            return Err(AnswerError { offset: candidate.end, message: message.to_owned() });
        }
        self.add_prose(&mut candidate);
        Ok(Some(candidate))
    }

    fn add_prose(&self, candidate: &mut Candidate) {
        let region = self.regions[candidate.region];
        if let Some(fence) = region.fence {
            candidate.repairs.push((fence, RepairKind::Fence));
        }
        if !self.text[region.start..candidate.start].trim().is_empty() {
            candidate.repairs.push((region.start, RepairKind::Prose));
        } else if !self.text[candidate.end..region.end].trim().is_empty() {
            candidate.repairs.push((candidate.end, RepairKind::Prose));
        }
    }

    /// The text outside of all values, from an offset on.
    pub(super) fn outside(&self, from: usize) -> impl Iterator<Item = &'s str> {
        let text = self.text;
        let mut start = from;
        let ends = self.values.iter().copied().chain([(text.len(), text.len())]);
        ends.filter_map(move |(open, end)| {
            let gap = (open >= start).then(|| &text[start..open]);
            start = start.max(end);
            gap
        })
    }

    /// The error for code of another language.
    pub(super) fn code(&self) -> Option<AnswerError> {
        self.code.map(|offset| AnswerError { offset, message: IS_CODE.to_owned() })
    }

    /// The error of the attempt that came nearest to an answer.
    pub(super) fn nearest(self) -> Option<AnswerError> {
        self.nearest.map(|(_, stop)| stop)
    }
}

fn is_empty(parsed: &Parsed) -> bool {
    match parsed {
        Parsed::List(items) => items.is_empty(),
        Parsed::Dict(members) => members.is_empty(),
        _ => false,
    }
}
