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

/// The directives that are the same everywhere, with those of `jiff` for them.
const DIRECTIVES: [(char, &str); 31] = [
    ('a', "a"),
    ('A', "A"),
    ('b', "b"),
    ('B', "B"),
    ('d', "d"),
    ('D', "m/%d/%y"),
    ('e', "e"),
    ('f', "6f"),
    ('F', "Y-%m-%d"),
    ('G', "G"),
    ('h', "b"),
    ('H', "H"),
    ('I', "I"),
    ('j', "j"),
    ('k', "k"),
    ('l', "l"),
    ('m', "m"),
    ('M', "M"),
    ('p', "p"),
    ('P', "P"),
    ('R', "R"),
    ('S', "S"),
    ('T', "T"),
    ('u', "u"),
    ('U', "U"),
    ('V', "V"),
    ('w', "w"),
    ('W', "W"),
    ('y', "y"),
    ('Y', "Y"),
    ('%', "%"),
];

/// The directives whose text depends on the machine, or on the name of a time zone, which a value does not carry. Each has
/// its message and what to write instead.
const REFUSED: [(char, &str, &str); 6] = [
    ('c', "`%c` depends on the machine's language", "write the parts, such as \"%d %B %Y %H:%M:%S\""),
    ('x', "`%x` depends on the machine's language", "write the parts, such as \"%d %B %Y\" or \"%Y-%m-%d\""),
    ('X', "`%X` depends on the machine's language", "write the parts, such as \"%H:%M:%S\""),
    ('r', "`%r` depends on the machine's language", "write the parts, such as \"%I:%M:%S %p\""),
    (
        'Z',
        "`%Z` is not supported: a time has an offset here, and no name of a time zone",
        "write %z, or the name as text",
    ),
    (
        's',
        "`%s` is not supported: a template has no number for a time",
        "pass the timestamp as a number of its own",
    ),
];

/// The numbers that are written without zeros before them after `%-`.
const PADDED: [char; 11] = ['d', 'H', 'I', 'j', 'm', 'M', 'S', 'U', 'V', 'W', 'y'];

/// The number of bytes that a format may have.
const FORMAT_BYTES: usize = 1000;

/// Formats a date or a date with a time. A date alone has the time 00:00.
///
/// # Errors
/// [`Kind::TemplateRender`] if the text is no date, or the format has a directive that is not known or asks for a time
/// zone that the date does not have.
pub(super) fn format_date(text: &str, format: &str) -> Result<String> {
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
    let format = &portable(format, offset.is_some())?;
    let formatted = match offset {
        None => strtime::format(format, moment),
        Some(offset) => {
            let zoned = moment.to_zoned(TimeZone::fixed(offset)).map_err(|_| no_date())?;
            strtime::format(format, &zoned)
        }
    };
    formatted.map_err(|_| unknown())
}

/// Translates a format of Python's `strftime`, and checks that each directive is the same on every machine.
fn portable(format: &str, has_zone: bool) -> Result<String> {
    if format.len() > FORMAT_BYTES {
        return Err(fail(format!("the format is longer than {FORMAT_BYTES} bytes"))
            .with_hint("put the text around the date outside the tag"));
    }
    let mut portable = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        portable.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        // `%-d` is a day without a zero before it.
        if rest.strip_prefix('-').is_some_and(|after| after.starts_with(PADDED)) {
            portable.push('-');
            rest = &rest[1..];
        }
        let (length, directive) = directive(rest, has_zone)?;
        portable.push_str(directive);
        rest = &rest[length..];
    }
    portable.push_str(rest);
    Ok(portable)
}

/// The directive at the start of the text: its length, and what `jiff` calls it.
fn directive(text: &str, has_zone: bool) -> Result<(usize, &'static str)> {
    if let Some(zone) = ["z", ":z"].into_iter().find(|zone| text.starts_with(zone)) {
        return if has_zone {
            Ok((zone.len(), zone))
        } else {
            Err(fail("`%z` needs a date that has a time zone")
                .with_hint("pass a datetime with a time zone, or leave out %z"))
        };
    }
    let letter = text.chars().next().ok_or_else(unknown)?;
    if let Some((_, message, hint)) = REFUSED.iter().find(|(refused, ..)| *refused == letter) {
        return Err(fail(*message).with_hint(*hint));
    }
    let known = DIRECTIVES.iter().find(|(known, _)| *known == letter);
    known.map(|(_, directive)| (1, *directive)).ok_or_else(unknown)
}

fn unknown() -> Error {
    fail("the format has a directive that is not supported").with_hint(
        "use the directives of strftime that are the same everywhere, such as \"%Y-%m-%d %H:%M\"; write %% for a percent sign",
    )
}

fn fail(message: impl Into<String>) -> Error {
    Error::new(Kind::TemplateRender, message)
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
            ("2026-01-31T09:05:07.5", "%S.%f", "07.500000"),
            ("2026-01-31", "%D %F %R %T %f", "01/31/26 2026-01-31 00:00 00:00:00 000000"),
            ("1900-01-05", "%y %e|%k|%l %P", "00  5| 0|12 am"),
            ("2026-01-31 09:05:07+02:00", "%:z", "+02:00"),
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
            ("2026-01-31", "%Q"),
            ("2026-01-31", "100%"),
            ("2026-01-31", "%-"),
            ("2026-01-31", "%10d"),
            ("2026-01-31", "%Ey"),
            ("2026-01-31", "%é"),
            ("2026-01-31", "%z"),
            ("2026-01-31T09:05:07Z", "%-z"),
            ("2026-01-31", &"x".repeat(1001)),
        ] {
            assert!(format_date(text, format).is_err(), "{text} {format}");
        }
    }

    #[test]
    fn what_depends_on_the_machine_is_refused_by_name() {
        for directive in ["%c", "%x", "%X", "%r", "%Z", "%s"] {
            let error = format_date("2026-01-31T09:05:07Z", &format!("on {directive}")).unwrap_err();
            assert!(error.message().starts_with(&format!("`{directive}`")), "{error}");
        }
    }
}
