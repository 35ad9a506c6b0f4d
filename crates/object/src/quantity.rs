//! Quantities, the numbers of the Kubernetes API that are written as text.

/// The number that a quantity of Kubernetes is: a decimal with an exponent, or with a suffix of a power of 1000 or
/// 1024, as `0.5`, `500m`, `1Gi`, `1e3`. `None` for any other text.
pub fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 15] = [
        ("Ki", 1_024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let found = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (digits, factor) = found.unwrap_or((text, 1.0));
    let is_decimal =
        digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let number: f64 = digits.parse().ok().filter(|_| is_decimal)?;
    // Dividing by a whole power of ten is exact where multiplying with its inverse is not.
    Some(if factor < 1.0 { number / (1.0 / factor).round() } else { number * factor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, expect) in [
            ("0", Some(0.0)),
            ("0.5", Some(0.5)),
            ("500m", Some(0.5)),
            ("-1.5", Some(-1.5)),
            ("-1500m", Some(-1.5)),
            ("100m", Some(0.1)),
            ("1111100u", Some(1.1111)),
            ("250n", Some(2.5e-7)),
            ("1e3", Some(1_000.0)),
            ("1E3", Some(1_000.0)),
            ("12e6", Some(12e6)),
            ("1E", Some(1e18)),
            ("2k", Some(2_000.0)),
            ("2Mi", Some(2_097_152.0)),
            ("1Gi", Some(1_073_741_824.0)),
            ("", None),
            ("m", None),
            ("inf", None),
            ("NaN", None),
            ("1GiB", None),
            ("1 k", None),
        ] {
            assert_eq!(quantity(text), expect, "{text}");
        }
    }
}
