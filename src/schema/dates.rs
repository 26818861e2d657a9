//! Dates in a form of the application's own, such as `%d.%m.%Y`: what the `format` of a validator says.

use jiff::civil::{DateTime, date};
use jiff::fmt::strtime::{self, BrokenDownTime};

use super::model::ValidatorKind;
use crate::error::{Error, Kind, Result};

/// A form that dates, or dates with a time, are written in.
#[derive(Debug, Clone)]
pub(super) struct DateFormat {
    format: String,
    timed: bool,
}

impl DateFormat {
    /// A form in the words of `strftime`; `kind` is [`ValidatorKind::Date`] or [`ValidatorKind::DateTime`].
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for a word that is unknown, and for a form that leaves a part of the date open.
    pub(super) fn new(format: &str, kind: ValidatorKind) -> Result<Self> {
        let made = Self { format: format.to_owned(), timed: kind == ValidatorKind::DateTime };
        let refused = |why: &str| {
            Error::new(Kind::SchemaParse, format!("the format {format:?} cannot be used: {why}"))
                .with_hint("write it as `strftime` has it, such as \"%d.%m.%Y\"")
        };
        let sample = made.sample().ok_or_else(|| refused("it has a word that is unknown"))?;
        if made.fits(&sample) { Ok(made) } else { Err(refused("it must say year, month and day")) }
    }

    /// Whether a text is a date in this form.
    pub(super) fn fits(&self, text: &str) -> bool {
        let date = BrokenDownTime::parse(&self.format, text).and_then(|read| {
            if self.timed { read.to_datetime().map(DateTime::date) } else { read.to_date() }
        });
        // `%Y` would also take a year of two digits, and be wrong by two thousand years.
        date.is_ok_and(|date| date.year() >= 1000)
    }

    /// A date in this form.
    pub(super) fn sample(&self) -> Option<String> {
        const DAY: DateTime = date(2026, 1, 31).at(12, 0, 0, 0);
        let moment = DAY.in_tz("UTC").ok()?;
        strtime::format(&self.format, &moment).ok()
    }

    /// What a value must be, in words.
    pub(super) fn shown(&self) -> String {
        let what = if self.timed { "a date with a time" } else { "a date" };
        format!("{what} such as {}", self.sample().unwrap_or_default())
    }
}
