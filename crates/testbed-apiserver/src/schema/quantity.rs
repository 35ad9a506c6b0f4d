//! Quantities such as `100m` or `1.5Gi`, in the one way in which the API writes each.

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The canonical text of a quantity: no fraction, and the largest unit that needs none. `None` for what is none.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (digits, scale) = parse(number)?;
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return binary(digits, scale, *bits);
    }
    let exponent = match suffix.strip_prefix(['e', 'E']).filter(|rest| !rest.is_empty()) {
        Some(exponent) => exponent.parse().ok()?,
        None => DECIMAL.iter().find(|(name, _)| *name == suffix)?.1,
    };
    decimal(digits, exponent - scale)
}

/// The value in units of the suffix 1, as `(digits, power of ten)`; for comparing.
pub(crate) fn value(text: &str) -> Option<f64> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some(number * 2_f64.powi(i32::try_from(*bits).ok()?));
    }
    DECIMAL.iter().find(|(name, _)| *name == suffix).map(|(_, power)| number * 10_f64.powi(*power))
}

/// `1.50` as `(150, 2)`.
fn parse(number: &str) -> Option<(i128, i32)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, i32::try_from(fraction.len()).ok()?))
}

fn decimal(mut digits: i128, mut exponent: i32) -> Option<String> {
    if digits == 0 {
        return Some("0".to_owned());
    }
    while digits % 10 == 0 {
        digits /= 10;
        exponent += 1;
    }
    let (name, power) = DECIMAL.iter().rev().find(|(_, power)| *power <= exponent)?;
    let missing = u32::try_from(exponent - power).ok()?;
    Some(format!("{}{name}", digits.checked_mul(10_i128.checked_pow(missing)?)?))
}

fn binary(digits: i128, scale: i32, bits: u32) -> Option<String> {
    let value = digits.checked_mul(1_i128.checked_shl(bits)?)?;
    let ten = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
    if value % ten != 0 {
        return decimal(value, -scale);
    }
    let whole = value / ten;
    let unit = BINARY.iter().rev().find(|(_, bits)| whole != 0 && whole % (1_i128 << bits) == 0);
    Some(match unit {
        Some((name, bits)) => format!("{}{name}", whole >> bits),
        None => whole.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_one_spelling() {
        let check =
            |given: &str, expect: &str| assert_eq!(canonical(given).as_deref(), Some(expect), "{given}");
        check("0.5", "500m");
        check("1000m", "1");
        check("100m", "100m");
        check("1.5Gi", "1536Mi");
        check("1024Mi", "1Gi");
        check("128Mi", "128Mi");
        check("2000", "2k");
        check("1e3", "1k");
        check("0", "0");
        assert_eq!(canonical("many"), None);
    }
}
