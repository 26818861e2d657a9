//! The helpers for prompts: comparing, choosing, and turning values into the text that a model reads.
//!
//! They are part of the `prompt` dialect. Each is a pure function of its arguments; how many it takes is checked when
//! the template is compiled.

use std::cell::Cell;
use std::cmp::Ordering;

use super::Literal;
use super::context::{Data, Output, Sink, Sort, Style, Truth, Written};
use crate::error::{Error, Kind, Result};

/// A helper that gives a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
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
}

/// What a call of a helper may look like.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) helper: Helper,
    /// How many arguments it takes.
    pub(super) arity: std::ops::RangeInclusive<usize>,
    /// The arguments that it takes by name.
    pub(super) named: &'static [&'static str],
    /// Whether a missing argument is an error; to the others it is null.
    pub(super) needs_values: bool,
    /// For an error about the form.
    pub(super) usage: &'static str,
}

const MANY: usize = 64;

/// Every helper, in the order of the documentation.
pub(super) const FORMS: [Form; 20] = [
    form("lookup", Helper::Lookup, 2..=2, &[], false, "{{lookup object key}}"),
    form("log", Helper::Log, 0..=MANY, &["level"], false, "{{log value level=\"info\"}}"),
    form("json", Helper::Json, 1..=1, &["indent"], true, "{{json value indent=2}}"),
    form("eq", Helper::Eq, 2..=2, &[], false, "{{#if (eq a b)}}"),
    form("ne", Helper::Ne, 2..=2, &[], false, "{{#if (ne a b)}}"),
    form("lt", Helper::Lt, 2..=2, &[], true, "{{#if (lt a b)}}"),
    form("lte", Helper::Lte, 2..=2, &[], true, "{{#if (lte a b)}}"),
    form("gt", Helper::Gt, 2..=2, &[], true, "{{#if (gt a b)}}"),
    form("gte", Helper::Gte, 2..=2, &[], true, "{{#if (gte a b)}}"),
    form("and", Helper::And, 1..=MANY, &[], false, "{{#if (and a b)}}"),
    form("or", Helper::Or, 1..=MANY, &[], false, "{{#if (or a b)}}"),
    form("not", Helper::Not, 1..=1, &[], false, "{{#if (not a)}}"),
    form("default", Helper::Default, 2..=2, &[], false, "{{default value \"text\"}}"),
    form("join", Helper::Join, 1..=2, &[], true, "{{join list \", \"}}"),
    form("upper", Helper::Upper, 1..=1, &[], true, "{{upper text}}"),
    form("lower", Helper::Lower, 1..=1, &[], true, "{{lower text}}"),
    form("trim", Helper::Trim, 1..=1, &[], true, "{{trim text}}"),
    form("truncate", Helper::Truncate, 2..=2, &["end"], true, "{{truncate text 100 end=\"…\"}}"),
    form("indent", Helper::Indent, 1..=2, &[], true, "{{indent text 4}}"),
    form("length", Helper::Length, 1..=1, &[], true, "{{length value}}"),
];

const fn form(
    name: &'static str,
    helper: Helper,
    arity: std::ops::RangeInclusive<usize>,
    named: &'static [&'static str],
    needs_values: bool,
    usage: &'static str,
) -> Form {
    Form { name, helper, arity, named, needs_values, usage }
}

/// The form of the helper with this name.
pub(super) fn find(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name)
}

impl Helper {
    pub(super) fn form(self) -> &'static Form {
        FORMS.iter().find(|form| form.helper == self).unwrap_or(&FORMS[0])
    }
}

/// Text as the tags of a strict template would print it.
const PLAIN: Style = Style { html: false, lenient: false, javascript_numbers: false };

fn fail(message: impl Into<String>) -> Error {
    Error::new(Kind::TemplateRender, message)
}

/// Arguments as the call gives them; a missing one is `None`.
pub(super) struct Arguments<'a, D: Data> {
    pub(super) data: &'a D,
    pub(super) positional: &'a [Option<D::Value>],
    pub(super) named: &'a [(&'a str, Option<D::Value>)],
    /// Whether the dialect is that of handlebars.js.
    pub(super) javascript: bool,
    /// How many bytes of text the call may handle: a text made of texts can grow without end.
    pub(super) limit: usize,
    /// How many it has handled.
    pub(super) handled: Cell<usize>,
}

impl<D: Data> Arguments<'_, D> {
    fn get(&self, at: usize) -> Option<&D::Value> {
        self.positional.get(at).and_then(Option::as_ref)
    }

    fn named(&self, name: &str) -> Option<&D::Value> {
        self.named.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.as_ref())
    }

    /// Counts text that is read or made.
    fn handle(&self, bytes: usize) -> Result<()> {
        let handled = self.handled.get().saturating_add(bytes);
        self.handled.set(handled);
        if handled <= self.limit {
            return Ok(());
        }
        Err(fail(format!("its text passed the limit of {} bytes", self.limit))
            .with_hint("raise limits.output_bytes if a text of this size is meant"))
    }

    /// The argument as text. Only what a tag would print has one.
    fn text(&self, at: usize) -> Result<String> {
        match self.get(at) {
            Some(value) => self.text_of(value),
            None => Ok(String::new()),
        }
    }

    fn text_of(&self, value: &D::Value) -> Result<String> {
        let mut sink = self.data.sink();
        match self.data.write(value, PLAIN, &mut sink)? {
            Written::Done => {
                self.handle(sink.bytes())?;
                Ok(sink.finish().with_str(str::to_owned))
            }
            Written::Null => Err(fail("None has no text")),
            Written::NoText(sort) => Err(fail(format!("{sort} has no text"))),
        }
    }

    /// The argument as a count; `what` names it for the error.
    fn count(&self, value: &D::Value, what: &str) -> Result<usize> {
        let text = if self.data.sort(value) == Sort::Integer { self.text_of(value)? } else { String::new() };
        text.parse().map_err(|_| fail(format!("{what} must be a whole number of at least 0")))
    }

    fn is_true(&self, at: usize) -> Result<bool> {
        self.get(at).map_or(Ok(false), |value| Ok(self.data.truth(value, true)? == Truth::True))
    }

    fn boolean(&self, value: bool) -> D::Value {
        self.data.literal(&Literal::Bool(value))
    }

    /// Whether two arguments are equal; a missing one equals null.
    fn equal(&self) -> Result<bool> {
        match (self.get(0), self.get(1)) {
            (Some(a), Some(b)) => self.data.equal(a, b),
            (None, None) => Ok(true),
            (Some(value), None) | (None, Some(value)) => Ok(self.data.sort(value) == Sort::Null),
        }
    }

    fn ordered(&self, fits: fn(Ordering) -> bool) -> Result<Option<D::Value>> {
        let (Some(a), Some(b)) = (self.get(0), self.get(1)) else { return Ok(Some(self.boolean(false))) };
        match self.data.order(a, b)? {
            Some(order) => Ok(Some(self.boolean(fits(order)))),
            // NaN is neither less nor more than anything.
            None if self.data.sort(a) == Sort::Float || self.data.sort(b) == Sort::Float => {
                Ok(Some(self.boolean(false)))
            }
            None => {
                let (a, b) = (self.data.sort(a), self.data.sort(b));
                Err(fail(format!("{a} and {b} have no order")))
            }
        }
    }
}

/// Calls a helper.
pub(super) fn call<D: Data>(helper: Helper, arguments: &Arguments<'_, D>) -> Result<Option<D::Value>> {
    let data = arguments.data;
    match helper {
        Helper::Lookup => match (arguments.get(0), arguments.get(1)) {
            // In JavaScript what is false has no members, and is what is given.
            (Some(object), _)
                if arguments.javascript
                    && data.truth(object, false)? != Truth::True
                    && data.sort(object) != Sort::Sequence =>
            {
                Ok(Some(object.clone()))
            }
            (Some(object), Some(key)) => data.lookup(object, key),
            _ => Ok(None),
        },
        Helper::Log => log(arguments),
        Helper::Json => json(arguments),
        Helper::Eq => Ok(Some(arguments.boolean(arguments.equal()?))),
        Helper::Ne => Ok(Some(arguments.boolean(!arguments.equal()?))),
        Helper::Lt => arguments.ordered(Ordering::is_lt),
        Helper::Lte => arguments.ordered(Ordering::is_le),
        Helper::Gt => arguments.ordered(Ordering::is_gt),
        Helper::Gte => arguments.ordered(Ordering::is_ge),
        Helper::And | Helper::Or => {
            // The value that decides, as in Python.
            let last = arguments.positional.len() - 1;
            for at in 0..last {
                if arguments.is_true(at)? == (helper == Helper::Or) {
                    return Ok(arguments.get(at).cloned());
                }
            }
            Ok(arguments.get(last).cloned())
        }
        Helper::Not => Ok(Some(arguments.boolean(!arguments.is_true(0)?))),
        Helper::Default => match arguments.get(0) {
            Some(value) if data.sort(value) != Sort::Null => Ok(Some(value.clone())),
            _ => Ok(arguments.get(1).cloned()),
        },
        Helper::Join => join(arguments),
        Helper::Upper => Ok(Some(data.text(&arguments.text(0)?.to_uppercase()))),
        Helper::Lower => Ok(Some(data.text(&arguments.text(0)?.to_lowercase()))),
        Helper::Trim => Ok(Some(data.text(arguments.text(0)?.trim()))),
        Helper::Truncate => truncate(arguments),
        Helper::Indent => indent(arguments),
        Helper::Length => {
            let Some(value) = arguments.get(0) else { return Ok(None) };
            match data.length(value)? {
                Some(length) => {
                    Ok(Some(data.literal(&Literal::Integer(i64::try_from(length).unwrap_or(i64::MAX)))))
                }
                None => Err(fail(format!("{} has no length", data.sort(value)))),
            }
        }
    }
}

/// Hands the arguments to the log of the data's world; a value without text is named by its sort.
fn log<D: Data>(arguments: &Arguments<'_, D>) -> Result<Option<D::Value>> {
    let text = |value: Option<&D::Value>| match value {
        Some(value) => arguments.text_of(value).unwrap_or_else(|_| arguments.data.sort(value).to_string()),
        None => "nothing".to_owned(),
    };
    let level = arguments.named("level").map_or_else(|| "info".to_owned(), |level| text(Some(level)));
    let words: Vec<String> = arguments.positional.iter().map(|value| text(value.as_ref())).collect();
    arguments.data.log(&level, &words.join(" "))?;
    // It prints nothing, and is no missing value.
    Ok(Some(arguments.data.text("")))
}

fn json<D: Data>(arguments: &Arguments<'_, D>) -> Result<Option<D::Value>> {
    let Some(value) = arguments.get(0) else { return Ok(None) };
    let value = arguments.data.to_json(value)?;
    let text = match arguments.named("indent") {
        None => serde_json::to_string(&value),
        Some(width) => {
            let width = arguments.count(width, "indent")?.min(16);
            let spaces = " ".repeat(width);
            let mut out = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
            let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
            serde::Serialize::serialize(&value, &mut serializer)
                .map(|()| String::from_utf8_lossy(&out).into_owned())
        }
    };
    let text = text.map_err(|error| fail("the value is not JSON").with_cause(error))?;
    arguments.handle(text.len())?;
    Ok(Some(arguments.data.text(&text)))
}

fn join<D: Data>(arguments: &Arguments<'_, D>) -> Result<Option<D::Value>> {
    let Some(list) = arguments.get(0) else { return Ok(None) };
    let data = arguments.data;
    if !matches!(data.sort(list), Sort::Sequence | Sort::Iterable) {
        return Err(fail(format!("{} has no items to join", data.sort(list))));
    }
    let between = if arguments.positional.len() > 1 { arguments.text(1)? } else { ", ".to_owned() };
    let mut text = String::new();
    let mut first = true;
    data.walk(list, &mut |item| {
        if !std::mem::take(&mut first) {
            arguments.handle(between.len())?;
            text.push_str(&between);
        }
        text.push_str(&arguments.text_of(&item.value)?);
        Ok(())
    })?;
    Ok(Some(data.text(&text)))
}

fn truncate<D: Data>(arguments: &Arguments<'_, D>) -> Result<Option<D::Value>> {
    let data = arguments.data;
    let text = arguments.text(0)?;
    let Some(length) = arguments.get(1) else { return Ok(None) };
    let length = arguments.count(length, "the length")?;
    if text.chars().count() <= length {
        return Ok(Some(data.text(&text)));
    }
    let end = match arguments.named("end") {
        Some(end) => arguments.text_of(end)?,
        None => "…".to_owned(),
    };
    let room = length.saturating_sub(end.chars().count());
    let cut: String = text.chars().take(room).chain(end.chars()).take(length).collect();
    Ok(Some(data.text(&cut)))
}

fn indent<D: Data>(arguments: &Arguments<'_, D>) -> Result<Option<D::Value>> {
    let data = arguments.data;
    let text = arguments.text(0)?;
    let lead = match arguments.get(1) {
        None => " ".repeat(4),
        Some(lead) if arguments.data.sort(lead) == Sort::String => arguments.text_of(lead)?,
        Some(width) => " ".repeat(arguments.count(width, "the width")?.min(1000)),
    };
    let mut out = String::with_capacity(text.len() + lead.len());
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            arguments.handle(lead.len())?;
            out.push_str(&lead);
        }
        out.push_str(line);
    }
    Ok(Some(data.text(&out)))
}

/// The names of all helpers, for suggesting one.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.name)
}
