//! Time zones of timestamps.

use jiff::tz::TimeZone;

/// The time zone of a column.
#[derive(Debug)]
pub(super) enum Zone {
    /// None: the times are those of a local clock.
    Local,
    /// A fixed offset in seconds.
    Fixed(i32),
    /// A zone of the time zone database.
    Named(TimeZone),
}

impl Zone {
    /// The zone of a column: a name of the time zone database, or an offset such as `+02:00`.
    ///
    /// # Errors
    /// Why the zone cannot be used.
    pub(super) fn of(name: Option<&str>) -> Result<Self, String> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Self::Local) };
        if let Some(offset) = offset(name) {
            return Ok(Self::Fixed(offset));
        }
        if matches!(name, "UTC" | "Z" | "Etc/UTC") {
            return Ok(Self::Fixed(0));
        }
        TimeZone::get(name)
            .map(Self::Named)
            .map_err(|_| format!("has the time zone '{name}', which the time zone database does not have"))
    }

    /// The offset at a moment, in seconds. `None` for a local clock.
    pub(super) fn offset_at(&self, seconds: i64) -> Option<i32> {
        match self {
            Self::Local => None,
            Self::Fixed(offset) => Some(*offset),
            Self::Named(zone) => {
                let moment = jiff::Timestamp::from_second(seconds).ok()?;
                Some(zone.to_offset(moment).seconds())
            }
        }
    }
}

/// The seconds of an offset: `+HH:MM`, `+HHMM` or `+HH`.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 =
        digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    Some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::Zone;

    #[test]
    fn zones_are_offsets_or_names() {
        let at = |name, seconds| Zone::of(name).map(|zone| zone.offset_at(seconds));
        assert_eq!(at(None, 0), Ok(None));
        assert_eq!(at(Some("-03:30"), 0), Ok(Some(-12_600)));
        assert_eq!(at(Some("+0530"), 0), Ok(Some(19_800)));
        assert_eq!(at(Some("UTC"), 0), Ok(Some(0)));
        // Summer and winter.
        assert_eq!(at(Some("Europe/Berlin"), 1_720_000_000), Ok(Some(7200)));
        assert_eq!(at(Some("Europe/Berlin"), 1_700_000_000), Ok(Some(3600)));
        assert!(at(Some("Mars/Olympus"), 0).is_err());
    }
}
