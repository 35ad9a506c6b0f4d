//! Numbers in Event texts, formatted as Go formats them in Flagger's texts, which alert rules match on.

/// A number in its shortest decimal form: `99`, `99.5`; with an exponent from `1e+06` up and below `1e-04`.
pub(crate) fn shortest(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if number != 0.0 && !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}

/// A duration in milliseconds: `0s`, `500ms`, `1.515s`, `1m0s`, `1h0m0s`.
pub(crate) fn duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    if ms == 0 {
        return "0s".to_owned();
    }
    if ms < 1_000 {
        return format!("{sign}{ms}ms");
    }
    let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let fraction = format!(".{:03}", rest % 1_000);
    let seconds = format!("{}{}", rest / 1_000, fraction.trim_end_matches('0').trim_end_matches('.'));
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// A number without its fraction. One that does not fit becomes the nearest that does.
pub(crate) fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (number, expect) in [
            (99.0, "99"),
            (99.5, "99.5"),
            (0.0, "0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (0.000_015, "1.5e-05"),
            (123_456.7, "123456.7"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1e100, "1e+100"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(shortest(number), expect);
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (ms, expect) in [
            (0, "0s"),
            (1, "1ms"),
            (500, "500ms"),
            (999, "999ms"),
            (1_000, "1s"),
            (1_234, "1.234s"),
            (1_515, "1.515s"),
            (2_500, "2.5s"),
            (60_000, "1m0s"),
            (61_000, "1m1s"),
            (90_050, "1m30.05s"),
            (3_600_000, "1h0m0s"),
            (3_661_001, "1h1m1.001s"),
            (-1_500, "-1.5s"),
            (-1, "-1ms"),
        ] {
            assert_eq!(duration(ms), expect);
        }
        assert!(duration(i64::MIN).starts_with("-2562047788015h12m55."));
    }
}
