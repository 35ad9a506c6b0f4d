//! Numbers as Prometheus writes them.

/// The shortest text that reads back as the same float: `0.1`, `1e+21`, `1e-07`, `NaN`, `+Inf`.
///
/// Positional between 1e-6 and 1e21, otherwise with an exponent of at least two digits: what the HTTP API writes.
pub fn float(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size == 0.0 || (1e-6..1e21).contains(&size) {
        return positional(value);
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// The same without ever using an exponent: how `count_values` makes a label of a value.
pub fn positional(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// Milliseconds as seconds, with exactly three decimals unless it is a whole second: `1545905245.458`, `100`.
pub fn seconds(ts_ms: i64) -> String {
    let sign = if ts_ms < 0 { "-" } else { "" };
    let (whole, rest) = (ts_ms.unsigned_abs() / 1000, ts_ms.unsigned_abs() % 1000);
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:03}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_prometheus_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (100.0, "100"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-07"),
            (-2.5e-9, "-2.5e-09"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, expect) in cases {
            assert_eq!(float(value), expect);
        }
    }

    #[test]
    fn timestamps_have_three_decimals_or_none() {
        for (ts_ms, expect) in
            [(0, "0"), (1500, "1.500"), (1_545_905_245_458, "1545905245.458"), (7, "0.007"), (-1, "-0.001")]
        {
            assert_eq!(seconds(ts_ms), expect);
        }
    }
}
