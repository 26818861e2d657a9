//! The built-in helpers of the `prompt` dialect: they compare values, choose between them, and turn them into text for
//! a model.
//!
//! Each helper is a pure function of its arguments. The number of arguments is checked when the template is compiled.

use std::cell::Cell;
use std::cmp::Ordering;

use super::Literal;
use super::context::{Data, Output, Sink, Style, Truth, ValueKind, WriteOutcome};
use super::date;
use super::fence::{self, Fences};
use super::long_text::{InterruptCheck, PIECE, pieces, pieces_to_lower};
use crate::error::{Error, Kind, Result};

/// A built-in helper that returns a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltinHelper {
    Lookup,
    Log,
    Json,
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    And,
    Or,
    Not,
    Default,
    Join,
    Upper,
    Lower,
    Trim,
    Truncate,
    Indent,
    Length,
    Add,
    Sub,
    Date,
    FenceTag,
}

/// The arguments that a built-in helper takes.
pub(super) struct HelperSignature {
    pub(super) name: &'static str,
    pub(super) helper: BuiltinHelper,
    /// How many positional arguments it takes.
    pub(super) arity: std::ops::RangeInclusive<usize>,
    /// The names of the named arguments that it takes.
    pub(super) named: &'static [&'static str],
    /// Whether a missing argument is an error. If not, a missing argument counts as null.
    pub(super) needs_values: bool,
    /// An example call, for the hint of an error.
    pub(super) usage: &'static str,
}

const MANY: usize = 64;

impl BuiltinHelper {
    /// Whether its value is true or false.
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Lt | Self::Lte | Self::Gt | Self::Gte | Self::Not)
    }
}

/// Every built-in helper, in the order of the documentation.
pub(super) const SIGNATURES: [HelperSignature; 24] = [
    signature("lookup", BuiltinHelper::Lookup, 2..=2, &[], false, "{{lookup object key}}"),
    signature("log", BuiltinHelper::Log, 0..=MANY, &["level"], false, "{{log value level=\"info\"}}"),
    signature("json", BuiltinHelper::Json, 1..=1, &["indent"], true, "{{json value indent=2}}"),
    signature("eq", BuiltinHelper::Eq, 2..=2, &[], false, "{{#if (eq a b)}}"),
    signature("ne", BuiltinHelper::Ne, 2..=2, &[], false, "{{#if (ne a b)}}"),
    signature("lt", BuiltinHelper::Lt, 2..=2, &[], true, "{{#if (lt a b)}}"),
    signature("lte", BuiltinHelper::Lte, 2..=2, &[], true, "{{#if (lte a b)}}"),
    signature("gt", BuiltinHelper::Gt, 2..=2, &[], true, "{{#if (gt a b)}}"),
    signature("gte", BuiltinHelper::Gte, 2..=2, &[], true, "{{#if (gte a b)}}"),
    signature("and", BuiltinHelper::And, 1..=MANY, &[], false, "{{#if (and a b)}}"),
    signature("or", BuiltinHelper::Or, 1..=MANY, &[], false, "{{#if (or a b)}}"),
    signature("not", BuiltinHelper::Not, 1..=1, &[], false, "{{#if (not a)}}"),
    signature("default", BuiltinHelper::Default, 2..=2, &[], false, "{{default value \"text\"}}"),
    signature("join", BuiltinHelper::Join, 1..=2, &[], true, "{{join list \", \"}}"),
    signature("upper", BuiltinHelper::Upper, 1..=1, &[], true, "{{upper text}}"),
    signature("lower", BuiltinHelper::Lower, 1..=1, &[], true, "{{lower text}}"),
    signature("trim", BuiltinHelper::Trim, 1..=1, &[], true, "{{trim text}}"),
    signature("truncate", BuiltinHelper::Truncate, 2..=2, &["end"], true, "{{truncate text 100 end=\"…\"}}"),
    signature("indent", BuiltinHelper::Indent, 1..=2, &[], true, "{{indent text 4}}"),
    signature("length", BuiltinHelper::Length, 1..=1, &[], true, "{{length value}}"),
    signature("add", BuiltinHelper::Add, 2..=2, &[], true, "{{add @index 1}}"),
    signature("sub", BuiltinHelper::Sub, 2..=2, &[], true, "{{sub total 1}}"),
    signature("date", BuiltinHelper::Date, 1..=2, &[], true, "{{date day \"%Y-%m-%d\"}}"),
    signature("fence_tag", BuiltinHelper::FenceTag, 1..=1, &[], true, "{{fence_tag \"document\"}}"),
];

const fn signature(
    name: &'static str,
    helper: BuiltinHelper,
    arity: std::ops::RangeInclusive<usize>,
    named: &'static [&'static str],
    needs_values: bool,
    usage: &'static str,
) -> HelperSignature {
    HelperSignature { name, helper, arity, named, needs_values, usage }
}

/// The built-in helper with this name.
pub(super) fn find(name: &str) -> Option<&'static HelperSignature> {
    SIGNATURES.iter().find(|signature| signature.name == name)
}

impl BuiltinHelper {
    pub(super) fn signature(self) -> &'static HelperSignature {
        SIGNATURES.iter().find(|signature| signature.helper == self).unwrap_or(&SIGNATURES[0])
    }
}

/// The number of items that a helper joins between two checks of whether the user interrupted the render.
const ITEMS: u64 = 4096;

/// How a tag of a strict template prints text.
const PLAIN: Style = Style { html: false, lenient: false, javascript_numbers: false };

fn fail(message: impl Into<String>) -> Error {
    Error::new(Kind::TemplateRender, message)
}

/// The evaluated arguments of a call. A missing value is `None`.
pub(super) struct HelperArguments<'a, D: Data> {
    pub(super) data: &'a D,
    pub(super) positional: &'a [Option<D::Value>],
    pub(super) named: &'a [(&'a str, Option<D::Value>)],
    /// Whether the dialect is that of handlebars.js.
    pub(super) javascript: bool,
    pub(super) fences: &'a Fences,
    /// How many bytes of text the call may read and write. Without a limit, a helper that repeats texts could fill the
    /// memory.
    pub(super) limit: usize,
    /// How many bytes it has read and written so far.
    pub(super) bytes_counted: Cell<usize>,
    /// How many items it may visit.
    pub(super) item_limit: u64,
    /// How many items it has visited so far.
    pub(super) items_counted: Cell<u64>,
}

impl<D: Data> HelperArguments<'_, D> {
    fn get(&self, at: usize) -> Option<&D::Value> {
        self.positional.get(at).and_then(Option::as_ref)
    }

    fn named(&self, name: &str) -> Option<&D::Value> {
        self.named.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.as_ref())
    }

    /// Counts text that the helper reads or writes against the limit, and lets the user interrupt long work.
    fn count_bytes(&self, bytes: usize) -> Result<()> {
        let before = self.bytes_counted.get();
        let bytes_counted = before.saturating_add(bytes);
        self.bytes_counted.set(bytes_counted);
        if bytes_counted <= self.limit {
            return if before / PIECE == bytes_counted / PIECE {
                Ok(())
            } else {
                self.data.check_interrupt()
            };
        }
        Err(fail(format!("the text is longer than the limit of {} bytes", self.limit))
            .with_hint("shorten the text, or raise limits.output_bytes"))
    }

    /// The argument as text. A value that a tag cannot print is an error.
    fn text(&self, at: usize) -> Result<String> {
        match self.get(at) {
            Some(value) => self.text_of(value),
            None => Ok(String::new()),
        }
    }

    fn text_of(&self, value: &D::Value) -> Result<String> {
        let mut sink = self.data.sink();
        match self.data.write(value, PLAIN, &mut sink)? {
            WriteOutcome::Done => {
                self.count_bytes(sink.bytes())?;
                Ok(sink.finish().with_str(str::to_owned))
            }
            WriteOutcome::Null => Err(fail("cannot turn None into text")),
            WriteOutcome::NullItem => Err(fail("cannot turn a list in which an item is None into text")),
            WriteOutcome::NoText(kind) => Err(fail(format!("cannot turn {kind} into text"))),
        }
    }

    /// Counts an item of a list that the helper visits.
    fn count_item(&self) -> Result<()> {
        let items = self.items_counted.get() + 1;
        self.items_counted.set(items);
        if items > self.item_limit {
            return Err(fail(format!("the render exceeded the limit of {} steps", self.item_limit))
                .with_hint("render less data at once, or raise limits.steps"));
        }
        if items.is_multiple_of(ITEMS) { self.data.check_interrupt() } else { Ok(()) }
    }

    /// Changes a long text piece by piece, so that the user can interrupt it.
    fn in_pieces<'t>(
        &self,
        pieces: impl Iterator<Item = &'t str>,
        change: fn(&str) -> String,
    ) -> Result<String> {
        let mut changed = String::new();
        for piece in pieces {
            if !changed.is_empty() {
                self.data.check_interrupt()?;
            }
            changed.push_str(&change(piece));
        }
        Ok(changed)
    }

    /// The offset of the character with this index. `None` if the text has no more than `index` characters.
    fn offset(&self, text: &str, index: usize) -> Result<Option<usize>> {
        let (mut index, mut start) = (index, 0);
        for piece in pieces(text) {
            let characters = piece.chars().count();
            if index < characters {
                return Ok(piece.char_indices().nth(index).map(|(at, _)| start + at));
            }
            self.data.check_interrupt()?;
            index -= characters;
            start += piece.len();
        }
        Ok(None)
    }

    /// The text without white space at its end, or at its start.
    fn trim<'t>(&self, text: &'t str) -> Result<&'t str> {
        let (mut start, mut end) = (0, 0);
        let mut at = 0;
        for piece in pieces(text) {
            let kept = piece.trim_end();
            if !kept.is_empty() {
                if end == 0 {
                    start = at + piece.len() - piece.trim_start().len();
                }
                end = at + kept.len();
            }
            at += piece.len();
            if at < text.len() {
                self.data.check_interrupt()?;
            }
        }
        Ok(&text[start..end])
    }

    /// The argument as a whole number of at least 0. `what` names the argument in the error.
    fn count(&self, value: &D::Value, what: &str) -> Result<usize> {
        let text = if self.data.kind_of(value)? == ValueKind::Integer {
            self.text_of(value)?
        } else {
            String::new()
        };
        text.parse().map_err(|_| fail(format!("{what} must be a whole number of at least 0")))
    }

    fn is_true(&self, at: usize) -> Result<bool> {
        self.get(at).map_or(Ok(false), |value| Ok(self.data.truth(value, true)? == Truth::True))
    }

    fn boolean(&self, value: bool) -> D::Value {
        self.data.literal(&Literal::Bool(value))
    }

    /// Counts the texts among the arguments, which a comparison or a lookup reads.
    fn count_texts(&self) -> Result<()> {
        for value in self.positional.iter().flatten() {
            if self.data.kind_of(value)? == ValueKind::String {
                self.count_bytes(self.data.length(value)?.unwrap_or(0))?;
            }
        }
        Ok(())
    }

    /// Whether the two arguments are equal. A missing argument equals null.
    fn equal(&self) -> Result<bool> {
        self.count_texts()?;
        match (self.get(0), self.get(1)) {
            (Some(a), Some(b)) => self.data.equal(a, b),
            (None, None) => Ok(true),
            (Some(value), None) | (None, Some(value)) => Ok(self.data.kind_of(value)? == ValueKind::Null),
        }
    }

    fn ordered(&self, fits: fn(Ordering) -> bool) -> Result<Option<D::Value>> {
        self.count_texts()?;
        let (Some(a), Some(b)) = (self.get(0), self.get(1)) else { return Ok(Some(self.boolean(false))) };
        match self.data.order(a, b)? {
            Some(order) => Ok(Some(self.boolean(fits(order)))),
            // NaN is neither less nor greater than any number.
            None => match (self.data.kind_of(a)?, self.data.kind_of(b)?) {
                (ValueKind::Float, _) | (_, ValueKind::Float) => Ok(Some(self.boolean(false))),
                (a, b) => Err(fail(format!("cannot compare {a} with {b}")).with_hint(
                    "compare two numbers, two texts or two dates; convert one of the values before the render",
                )),
            },
        }
    }
}

/// Calls a helper.
pub(super) fn call<D: Data>(
    helper: BuiltinHelper,
    arguments: &HelperArguments<'_, D>,
) -> Result<Option<D::Value>> {
    let data = arguments.data;
    match helper {
        BuiltinHelper::Lookup => match (arguments.get(0), arguments.get(1)) {
            // JavaScript returns a falsy object itself instead of looking up a member.
            (Some(object), _)
                if arguments.javascript
                    && data.truth(object, false)? != Truth::True
                    && data.kind_of(object)? != ValueKind::Sequence =>
            {
                Ok(Some(object.clone()))
            }
            (Some(object), Some(key)) => {
                arguments.count_texts()?;
                data.lookup(object, key)
            }
            _ => Ok(None),
        },
        BuiltinHelper::Log => log(arguments),
        BuiltinHelper::Json => json(arguments),
        BuiltinHelper::Eq => Ok(Some(arguments.boolean(arguments.equal()?))),
        BuiltinHelper::Ne => Ok(Some(arguments.boolean(!arguments.equal()?))),
        BuiltinHelper::Lt => arguments.ordered(Ordering::is_lt),
        BuiltinHelper::Lte => arguments.ordered(Ordering::is_le),
        BuiltinHelper::Gt => arguments.ordered(Ordering::is_gt),
        BuiltinHelper::Gte => arguments.ordered(Ordering::is_ge),
        BuiltinHelper::And | BuiltinHelper::Or => {
            // As in Python, the result is the value that decides, not a boolean.
            let last = arguments.positional.len() - 1;
            for at in 0..last {
                if arguments.is_true(at)? == (helper == BuiltinHelper::Or) {
                    return Ok(arguments.get(at).cloned());
                }
            }
            Ok(arguments.get(last).cloned())
        }
        BuiltinHelper::Not => Ok(Some(arguments.boolean(!arguments.is_true(0)?))),
        BuiltinHelper::Default => match arguments.get(0) {
            Some(value) if data.kind_of(value)? != ValueKind::Null => Ok(Some(value.clone())),
            _ => Ok(arguments.get(1).cloned()),
        },
        BuiltinHelper::Join => join(arguments),
        BuiltinHelper::Add => sum(arguments, false),
        BuiltinHelper::Sub => sum(arguments, true),
        BuiltinHelper::Date => date(arguments),
        BuiltinHelper::FenceTag => fence_tag(arguments),
        BuiltinHelper::Upper => {
            let text = arguments.text(0)?;
            Ok(Some(data.text(&arguments.in_pieces(pieces(&text), str::to_uppercase)?)))
        }
        BuiltinHelper::Lower => {
            let text = arguments.text(0)?;
            Ok(Some(data.text(&arguments.in_pieces(pieces_to_lower(&text), str::to_lowercase)?)))
        }
        BuiltinHelper::Trim => Ok(Some(data.text(arguments.trim(&arguments.text(0)?)?))),
        BuiltinHelper::Truncate => truncate(arguments),
        BuiltinHelper::Indent => indent(arguments),
        BuiltinHelper::Length => {
            let Some(value) = arguments.get(0) else { return Ok(None) };
            match data.length(value)? {
                Some(length) => {
                    Ok(Some(data.literal(&Literal::Integer(i64::try_from(length).unwrap_or(i64::MAX)))))
                }
                None => Err(fail(format!("cannot take the length of {}", data.kind_of(value)?))),
            }
        }
    }
}

fn sum<D: Data>(arguments: &HelperArguments<'_, D>, subtract: bool) -> Result<Option<D::Value>> {
    let (Some(a), Some(b)) = (arguments.get(0), arguments.get(1)) else { return Ok(None) };
    if let Some(sum) = arguments.data.sum(a, b, subtract)? {
        return Ok(Some(sum));
    }
    let (a, b) = (arguments.data.kind_of(a)?, arguments.data.kind_of(b)?);
    let message =
        if subtract { format!("cannot subtract {b} from {a}") } else { format!("cannot add {a} and {b}") };
    Err(fail(message).with_hint(match (a, b) {
        (ValueKind::Float, _) | (_, ValueKind::Float) if a.is_number() && b.is_number() => {
            "pass both as decimals, or both as floats"
        }
        (ValueKind::String, _) | (_, ValueKind::String) => {
            "pass numbers; to join texts, write the tags next to each other: `{{a}}{{b}}`"
        }
        _ => "pass numbers",
    }))
}

fn date<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let format = if arguments.positional.len() > 1 { arguments.text(1)? } else { "%Y-%m-%d".to_owned() };
    let text = date::format_date(&arguments.text(0)?, &format)?;
    arguments.count_bytes(text.len())?;
    Ok(Some(arguments.data.text(&text)))
}

fn fence_tag<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let name = arguments.text(0)?;
    fence::check_name(&name)?;
    Ok(Some(arguments.data.text(&arguments.fences.tag(&name))))
}

/// Passes the arguments to the log of the data. A value that has no text is logged as its type.
fn log<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let data = arguments.data;
    let text = |value: Option<&D::Value>| match value {
        Some(value) => match arguments.text_of(value) {
            Err(error) if error.kind() == Kind::TemplateRender => Ok(data.kind_of(value)?.to_string()),
            text => text,
        },
        None => Ok("nothing".to_owned()),
    };
    let level = arguments.named("level").map_or_else(|| Ok("info".to_owned()), |level| text(Some(level)))?;
    let words: Vec<String> =
        arguments.positional.iter().map(|value| text(value.as_ref())).collect::<Result<_>>()?;
    data.log(&level, &words.join(" "))?;
    // The result is an empty text, because a missing value would be an error.
    Ok(Some(data.text("")))
}

fn json<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let Some(value) = arguments.get(0) else { return Ok(None) };
    let width = arguments.named("indent").map(|width| arguments.count(width, "indent")).transpose()?;
    if width.is_some_and(|width| width > 16) {
        return Err(fail("indent must be at most 16"));
    }
    let text = arguments.data.to_json_text(value, width, arguments.limit)?;
    arguments.count_bytes(text.len())?;
    Ok(Some(arguments.data.text(&text)))
}

fn join<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let Some(list) = arguments.get(0) else { return Ok(None) };
    let data = arguments.data;
    let kind = data.kind_of(list)?;
    if !matches!(kind, ValueKind::Sequence | ValueKind::Iterable) {
        return Err(fail(format!("cannot join {kind}: expected a list")));
    }
    let between = if arguments.positional.len() > 1 { arguments.text(1)? } else { ", ".to_owned() };
    let mut text = String::new();
    let mut count = 0_usize;
    data.walk(list, &mut |item| {
        if count > 0 {
            arguments.count_bytes(between.len())?;
            text.push_str(&between);
        }
        count += 1;
        arguments.count_item()?;
        text.push_str(&arguments.text_of(&item.value)?);
        Ok(())
    })?;
    Ok(Some(data.text(&text)))
}

fn truncate<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let data = arguments.data;
    let text = arguments.text(0)?;
    let Some(length) = arguments.get(1) else { return Ok(None) };
    let length = arguments.count(length, "the length")?;
    if arguments.offset(&text, length)?.is_none() {
        return Ok(Some(data.text(&text)));
    }
    let end = match arguments.named("end") {
        Some(end) => arguments.text_of(end)?,
        None => "…".to_owned(),
    };
    let room = length.saturating_sub(end.chars().count());
    let mut cut = arguments.offset(&text, room)?.map_or_else(String::new, |at| text[..at].to_owned());
    cut.extend(end.chars().take(length));
    Ok(Some(data.text(&cut)))
}

fn indent<D: Data>(arguments: &HelperArguments<'_, D>) -> Result<Option<D::Value>> {
    let data = arguments.data;
    let text = arguments.text(0)?;
    let lead = match arguments.get(1) {
        None => " ".repeat(4),
        Some(lead) if arguments.data.kind_of(lead)? == ValueKind::String => arguments.text_of(lead)?,
        Some(width) => {
            let width = arguments.count(width, "the width")?;
            if width > 1000 {
                return Err(fail("the width must be at most 1000"));
            }
            " ".repeat(width)
        }
    };
    let mut out = String::with_capacity(text.len() + lead.len());
    let check_interrupt = || data.check_interrupt();
    let mut interrupt = InterruptCheck::new(&check_interrupt);
    for line in text.split_inclusive('\n') {
        if !arguments.trim(line)?.is_empty() {
            arguments.count_bytes(lead.len())?;
            out.push_str(&lead);
        }
        interrupt.after(line.len())?;
        out.push_str(line);
    }
    Ok(Some(data.text(&out)))
}

/// The names of all built-in helpers, for "did you mean" hints.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SIGNATURES.iter().map(|signature| signature.name)
}
