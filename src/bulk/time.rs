//! Dates and times of Arrow columns, and their text, as Python's `datetime` writes it.

use std::fmt;

use speedate::{Date, DateTime, Time};

const DAY: i64 = 86_400;

/// A date with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970: in UTC if there is an offset, or else on a local clock.
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    /// The offset of the time zone at this moment, in seconds.
    pub(super) offset: Option<i32>,
}

/// A time of day, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(pub(super) i64);

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    pub(super) seconds: i64,
    /// Always positive.
    pub(super) nanoseconds: u32,
}

/// A number of units since 1970 as seconds and nanoseconds, where a second has so many units.
pub(super) fn split(value: i64, units: i64) -> (i64, u32) {
    let rest = value.rem_euclid(units) * (1_000_000_000 / units);
    (value.div_euclid(units), u32::try_from(rest).unwrap_or_default())
}

/// The year, month and day of a number of days since 1970, in the calendar of Python's `date`.
pub(super) fn civil(days: i64) -> (i64, u8, u8) {
    // Counted from the first of March of year 0, so that a leap day is the last day of a year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// The date of a number of days since 1970. `None` if it is not in the years 1 to 9999.
#[must_use]
pub fn date_of(days: i32) -> Option<Date> {
    let (year, month, day) = civil(days.into());
    let year = u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
    Some(Date { year, month, day })
}

/// The number of days since 1970 of a date.
pub(super) fn days(date: Date) -> i32 {
    let days = date.timestamp() / DAY;
    i32::try_from(days).unwrap_or_default()
}

/// Writes a date as Python's `str()`.
pub(super) fn write_date(out: &mut impl fmt::Write, days: i32) -> fmt::Result {
    let (year, month, day) = civil(days.into());
    write!(out, "{year:04}-{month:02}-{day:02}")
}

fn write_clock(out: &mut impl fmt::Write, seconds: i64, nanoseconds: u32) -> fmt::Result {
    write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    write_fraction(out, nanoseconds)
}

fn write_fraction(out: &mut impl fmt::Write, nanoseconds: u32) -> fmt::Result {
    match nanoseconds {
        0 => Ok(()),
        // Python has no nanoseconds; pandas writes all nine digits.
        n if n % 1000 != 0 => write!(out, ".{n:09}"),
        n => write!(out, ".{:06}", n / 1000),
    }
}

impl Moment {
    /// The day and the seconds of the day on the clock of its time zone.
    fn local(self) -> (i64, i64) {
        let seconds = self.seconds.saturating_add(self.offset.unwrap_or(0).into());
        (seconds.div_euclid(DAY), seconds.rem_euclid(DAY))
    }

    /// As the schemas read it: on the clock of its time zone, without the zone.
    pub(super) fn clock(self) -> DateTime {
        let (days, seconds) = self.local();
        let (year, month, day) = civil(days);
        let part = |value: i64| u8::try_from(value).unwrap_or_default();
        let time = Time {
            hour: part(seconds / 3600),
            minute: part(seconds / 60 % 60),
            second: part(seconds % 60),
            microsecond: self.nanoseconds / 1000,
            tz_offset: None,
        };
        DateTime { date: Date { year: u16::try_from(year).unwrap_or_default(), month, day }, time }
    }

    /// On the clock of its time zone, with the zone.
    #[must_use]
    pub fn zoned(self) -> DateTime {
        let clock = self.clock();
        DateTime { time: Time { tz_offset: self.offset, ..clock.time }, ..clock }
    }

    /// The moment that a schema made.
    pub(super) fn of(moment: &DateTime) -> Self {
        let time = &moment.time;
        let clock = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
        let seconds = moment.date.timestamp() + clock - i64::from(time.tz_offset.unwrap_or(0));
        Self { seconds, nanoseconds: time.microsecond * 1000, offset: time.tz_offset }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = self.local();
        let (year, month, day) = civil(days);
        write!(f, "{year:04}-{month:02}-{day:02} ")?;
        write_clock(f, seconds, self.nanoseconds)?;
        let Some(offset) = self.offset else { return Ok(()) };
        let (sign, offset) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
        write!(f, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60)?;
        if offset % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", offset % 60) }
    }
}

impl TimeOfDay {
    /// The seconds and microseconds since midnight.
    #[must_use]
    pub fn parts(self) -> (i64, u32) {
        let (seconds, nanoseconds) = split(self.0, 1_000_000_000);
        (seconds, nanoseconds / 1000)
    }
}

impl Duration {
    /// The seconds and microseconds.
    #[must_use]
    pub fn parts(self) -> (i64, u32) {
        (self.seconds, self.nanoseconds / 1000)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanoseconds) = split(self.0, 1_000_000_000);
        write_clock(f, seconds, nanoseconds)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.seconds.div_euclid(DAY), self.seconds.rem_euclid(DAY));
        match days {
            0 => {}
            1 | -1 => write!(f, "{days} day, ")?,
            days => write!(f, "{days} days, ")?,
        }
        write!(f, "{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)?;
        write_fraction(f, self.nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_python_writes_them() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (-719_162, "0001-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            let mut out = String::new();
            assert!(write_date(&mut out, days).is_ok());
            assert_eq!(out, text);
        }
    }

    #[test]
    fn moments_read_as_python_writes_them() {
        let moment = |seconds, nanoseconds, offset| Moment { seconds, nanoseconds, offset }.to_string();
        assert_eq!(moment(0, 0, None), "1970-01-01 00:00:00");
        assert_eq!(moment(-1, 500_000_000, Some(0)), "1969-12-31 23:59:59.500000+00:00");
        assert_eq!(moment(0, 1, Some(-12_600)), "1969-12-31 20:30:00.000000001-03:30");
    }

    #[test]
    fn lengths_of_time_read_as_python_writes_them() {
        let length = |seconds, nanoseconds| Duration { seconds, nanoseconds }.to_string();
        assert_eq!(length(3661, 0), "1:01:01");
        assert_eq!(length(-1, 0), "-1 day, 23:59:59");
        assert_eq!(length(2 * DAY + 1, 5000), "2 days, 0:00:01.000005");
    }
}
