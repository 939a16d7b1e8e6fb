//! MessagePack timestamps as `Date.prototype.toISOString` writes them.

/// Furthest that a JavaScript `Date` reaches from 1970, in milliseconds.
const MAX_MS: f64 = 8.64e15;

const DAY_MS: i64 = 86_400_000;

/// `2026-01-31T12:00:00.000Z`; `None` is JavaScript's "Invalid Date", which is `null` in JSON.
pub fn to_iso(seconds: f64, nanos: u32) -> Option<String> {
    from_millis(seconds * 1e3 + f64::from(nanos) / 1e6)
}

/// The same for milliseconds since 1970; a fraction is cut off, as `Date` does.
pub fn from_millis(millis: f64) -> Option<String> {
    let millis = millis.trunc();
    // A NaN fails this comparison too.
    if !(-MAX_MS..=MAX_MS).contains(&millis) {
        return None;
    }
    let millis = millis as i64;
    let (year, month, day) = civil(millis.div_euclid(DAY_MS));
    let ms = millis.rem_euclid(DAY_MS);
    let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        year if year < 0 => format!("-{:06}", -year),
        year => format!("+{year:06}"),
    };
    Some(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"))
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar. Counts in eras of 400
/// years that begin on 1 March, so that the leap day is the last of its year.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::from_millis;

    #[test]
    fn dates_are_written_as_javascript_writes_them() {
        // Right-hand sides are what `new Date(ms).toISOString()` gives in Node 20.
        let cases = [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (-1.0, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (1_800_000_000_123.9, "2027-01-15T08:00:00.123Z"),
            (253_402_300_800_000.0, "+010000-01-01T00:00:00.000Z"),
            (-62_198_755_200_000.0, "-000001-01-01T00:00:00.000Z"),
            (8.64e15, "+275760-09-13T00:00:00.000Z"),
            (-8.64e15, "-271821-04-20T00:00:00.000Z"),
        ];
        for (millis, iso) in cases {
            assert_eq!(from_millis(millis).as_deref(), Some(iso));
        }
        assert_eq!(from_millis(8.64e15 + 1.0), None);
        assert_eq!(from_millis(f64::NAN), None);
    }
}
