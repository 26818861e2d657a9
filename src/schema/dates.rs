//! Date formats of the application, such as `%d.%m.%Y`, which a validator names in its `format`.

use jiff::civil::{DateTime, date};
use jiff::fmt::strtime::{self, BrokenDownTime};

use super::model::ValidatorKind;
use crate::error::{Error, Kind, Result};

/// A format for dates, or for dates with a time.
#[derive(Debug, Clone)]
pub(super) struct DateFormat {
    format: String,
    with_time: bool,
}

impl DateFormat {
    /// Checks a `strftime` format. `kind` is [`ValidatorKind::Date`] or [`ValidatorKind::DateTime`].
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for an unknown directive, and for a format without year, month or day.
    pub(super) fn new(format: &str, kind: ValidatorKind) -> Result<Self> {
        let date_format = Self { format: format.to_owned(), with_time: kind == ValidatorKind::DateTime };
        let refused = |why: &str| {
            Error::new(Kind::SchemaParse, format!("the format {format:?} cannot be used: {why}"))
                .with_hint("use the directives of `strftime`, such as \"%d.%m.%Y\"")
        };
        let sample = date_format.sample().ok_or_else(|| refused("it has an unknown directive"))?;
        if date_format.fits(&sample) {
            Ok(date_format)
        } else {
            Err(refused("it must contain year, month and day"))
        }
    }

    /// Whether a text is a date in this format.
    pub(super) fn fits(&self, text: &str) -> bool {
        let date = BrokenDownTime::parse(&self.format, text).and_then(|read| {
            if self.with_time { read.to_datetime().map(DateTime::date) } else { read.to_date() }
        });
        // `%Y` also accepts a year of two digits, which would be two thousand years off.
        date.is_ok_and(|date| date.year() >= 1000)
    }

    /// An example date in this format.
    pub(super) fn sample(&self) -> Option<String> {
        const DAY: DateTime = date(2026, 1, 31).at(12, 0, 0, 0);
        let moment = DAY.in_tz("UTC").ok()?;
        strtime::format(&self.format, &moment).ok()
    }

    /// Describes the expected value for an error message.
    pub(super) fn describe(&self) -> String {
        let what = if self.with_time { "a date with a time" } else { "a date" };
        format!("{what} such as {}", self.sample().unwrap_or_default())
    }
}
