//! Durations as users write them: Go's syntax, `30s`, `1m30s`, `500ms`.

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing was written.
    #[error("duration is empty")]
    Empty,
    /// A number is missing or malformed.
    #[error("duration `{0}` needs a number before each unit")]
    NoNumber(String),
    /// A number has no unit.
    #[error("duration `{0}` lacks a unit (ms, s, m or h)")]
    NoUnit(String),
    /// The unit does not exist.
    #[error("duration `{text}` has the unknown unit `{unit}` (ms, s, m or h)")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// The unit.
        unit: String,
    },
    /// Time does not run backwards here.
    #[error("duration `{0}` is negative")]
    Negative(String),
    /// Does not fit into 64 bits of nanoseconds, as in Go: about 292 years.
    #[error("duration `{0}` is too long")]
    TooLong(String),
}

/// The longest duration Go knows, in nanoseconds.
const MAX_NS: u128 = i64::MAX as u128;

/// Nanoseconds of a unit of Go's `time.ParseDuration`.
fn unit_ns(unit: &str) -> Option<u128> {
    match unit {
        "ns" => Some(1),
        "us" | "µs" | "μs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        "m" => Some(60_000_000_000),
        "h" => Some(3_600_000_000_000),
        _ => None,
    }
}

/// Reads a duration in the syntax of Go's `time.ParseDuration`, in milliseconds, cut to whole ones.
///
/// # Errors
/// When the text is no duration, is negative or too long.
pub fn parse_duration_ms(text: &str) -> Result<u64, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationError::NoNumber(text.to_owned()));
    }
    let mut total_ns: u128 = 0;
    while !rest.is_empty() {
        let (ns, after) = term(text, rest)?;
        total_ns = total_ns.saturating_add(ns);
        rest = after;
    }
    if total_ns > MAX_NS {
        return Err(DurationError::TooLong(text.to_owned()));
    }
    if negative && total_ns > 0 {
        return Err(DurationError::Negative(text.to_owned()));
    }
    Ok(u64::try_from(total_ns / 1_000_000).unwrap_or(u64::MAX))
}

/// One number with its unit, in nanoseconds, and what follows it.
fn term<'a>(text: &str, rest: &'a str) -> Result<(u128, &'a str), DurationError> {
    let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, rest) = rest.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(DurationError::NoNumber(text.to_owned()));
    }
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    if unit.is_empty() {
        return Err(DurationError::NoUnit(text.to_owned()));
    }
    let scale = unit_ns(unit)
        .ok_or_else(|| DurationError::UnknownUnit { text: text.to_owned(), unit: unit.to_owned() })?;
    let too_long = || DurationError::TooLong(text.to_owned());
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| too_long())? };
    let ns = whole.checked_mul(scale).ok_or_else(too_long)?;
    Ok((ns.saturating_add(fraction_ns(fraction, scale)), rest))
}

/// What the digits behind the point are worth; digits past the eighteenth are below a nanosecond and dropped.
fn fraction_ns(digits: &str, scale: u128) -> u128 {
    let (mut value, mut divisor): (u128, u128) = (0, 1);
    for digit in digits.chars().take(18).filter_map(|c| c.to_digit(10)) {
        value = value * 10 + u128::from(digit);
        divisor *= 10;
    }
    value * scale / divisor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<u64, &str>) {
        let got = parse_duration_ms(text).map_err(|e| e.to_string());
        assert_eq!(got, expect.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn durations_read_as_in_go() {
        check("30s", Ok(30_000));
        check("1m30s", Ok(90_000));
        check("500ms", Ok(500));
        check("1.5h", Ok(5_400_000));
        check(".5s", Ok(500));
        check("1h2m3s4ms", Ok(3_723_004));
        check("999us", Ok(0));
        check("0", Ok(0));
        check("+5s", Ok(5_000));
        check("-0s", Ok(0));
        check("1.999999999999999999999s", Ok(1_999));
    }

    #[test]
    fn a_text_that_is_no_duration_says_what_is_missing() {
        check("", Err("duration is empty"));
        check("s", Err("duration `s` needs a number before each unit"));
        check("-", Err("duration `-` needs a number before each unit"));
        check("1.2.3s", Err("duration `1.2.3s` needs a number before each unit"));
        check("10", Err("duration `10` lacks a unit (ms, s, m or h)"));
        check("1m30", Err("duration `1m30` lacks a unit (ms, s, m or h)"));
        check("1d", Err("duration `1d` has the unknown unit `d` (ms, s, m or h)"));
        check("10 s", Err("duration `10 s` has the unknown unit ` s` (ms, s, m or h)"));
        check("-1s", Err("duration `-1s` is negative"));
        check("9999999999h", Err("duration `9999999999h` is too long"));
        check(
            "99999999999999999999999999999999999999999999s",
            Err("duration `99999999999999999999999999999999999999999999s` is too long"),
        );
    }
}
