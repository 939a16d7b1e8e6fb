//! MessagePack timestamps in the format of `Date.prototype.toISOString`.

use time::UtcDateTime;

/// Limit of a JavaScript `Date` before and after 1970, in milliseconds.
const MAX_MS: f64 = 8.64e15;

/// `2026-01-31T12:00:00.000Z`; `None` for JavaScript's "Invalid Date", which is `null` in JSON.
pub fn to_iso(seconds: f64, nanos: u32) -> Option<String> {
    from_millis(seconds * 1e3 + f64::from(nanos) / 1e6)
}

/// The same for milliseconds since 1970; a fraction is truncated, as in `Date`.
pub fn from_millis(millis: f64) -> Option<String> {
    let time = utc(millis)?;
    let (hour, minute, second, ms) = time.as_hms_milli();
    let year = match time.year() {
        year @ 0..=9999 => format!("{year:04}"),
        year if year < 0 => format!("-{:06}", -year),
        year => format!("+{year:06}"),
    };
    let (month, day) = (u8::from(time.month()), time.day());
    Some(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"))
}

/// The time of a `Date` with this many milliseconds.
pub fn utc(millis: f64) -> Option<UtcDateTime> {
    let millis = millis.trunc();
    // The comparison is false for NaN too.
    if !(-MAX_MS..=MAX_MS).contains(&millis) {
        return None;
    }
    UtcDateTime::from_unix_timestamp_nanos(millis as i128 * 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use crate::msgpack::date::from_millis;

    #[test]
    fn dates_are_written_as_javascript_writes_them() {
        // The expected values are the results of `new Date(ms).toISOString()` in Node.js 20.
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
