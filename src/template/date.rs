//! The helper `date`: formats a date or a time by the directives of `strftime`.
//!
//! Values reach it as the text that a template prints for them, which is ISO 8601 for Python's own types. A text in that
//! format works too. Names of months and days are English whatever the machine's language is, so a prompt is the same
//! everywhere.

use jiff::civil::Time;
use jiff::fmt::strtime;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::{Offset, TimeZone};

use crate::error::{Error, Kind, Result};

/// Formats a date or a date with a time. A date alone has the time 00:00.
///
/// # Errors
/// [`Kind::TemplateRender`] if the text is no date, or the format has a directive that is not known or asks for a time
/// zone that the date does not have.
pub(super) fn format_date(text: &str, format: &str) -> Result<String> {
    let fail = |message: &str| Error::new(Kind::TemplateRender, message);
    let no_date = || {
        fail("the value is not a date")
            .with_hint("pass a date, a datetime or text such as 2026-01-31T09:30:00Z")
    };
    let pieces = Pieces::parse(text.trim()).map_err(|_| no_date())?;
    let moment = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    let offset = match pieces.offset() {
        None => None,
        Some(PiecesOffset::Numeric(offset)) => Some(offset.offset()),
        Some(_) => Some(Offset::UTC),
    };
    let formatted = match offset {
        None => strtime::format(format, moment),
        Some(offset) => {
            let zoned = moment.to_zoned(TimeZone::fixed(offset)).map_err(|_| no_date())?;
            strtime::format(format, &zoned)
        }
    };
    formatted.map_err(|_| {
        fail("the format has a directive that this date does not support").with_hint(
            "use the directives of strftime, such as \"%Y-%m-%d %H:%M\"; %z and %Z need a time zone",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::format_date;

    #[test]
    fn dates_and_times_are_formatted() {
        let cases = [
            ("2026-01-31", "%Y-%m-%d", "2026-01-31"),
            ("2026-01-31", "%d %B %Y, %A %H:%M", "31 January 2026, Saturday 00:00"),
            ("2026-01-31 09:05:07", "%H:%M:%S", "09:05:07"),
            ("2026-01-31T09:05:07.123456", "%S.%f", "07.123456"),
            ("2026-01-31 09:05:07+02:00", "%H:%M %z", "09:05 +0200"),
            ("2026-01-31T09:05:07Z", "%H %z", "09 +0000"),
            ("2026-01-31", "%-d.%-m.%y 100%%", "31.1.26 100%"),
        ];
        for (text, format, expected) in cases {
            assert_eq!(format_date(text, format).unwrap(), expected, "{text} {format}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for (text, format) in [
            ("tomorrow", "%Y"),
            ("", "%Y"),
            ("2026-02-30", "%Y"),
            ("2026-01-31", "%Q!%"),
            ("2026-01-31", "%z"),
        ] {
            assert!(format_date(text, format).is_err(), "{text} {format}");
        }
    }
}
