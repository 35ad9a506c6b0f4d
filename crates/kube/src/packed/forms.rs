//! Texts of a form that bytes say shorter, and the way back.

/// A number as its text would be written again.
pub(super) fn digits(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    canonical.then_some(number)
}

/// The bytes of pairs of small hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    bytes.collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

/// `6f1c…-…`: 8, 4, 4, 4 and 12 digits.
pub(super) fn uuid(text: &str) -> Option<Vec<u8>> {
    let right = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    let plain = right.then(|| text.replace('-', "")).filter(|plain| plain.len() == 32)?;
    unhex(&plain)
}

/// The 14 digits of `2026-01-31T12:00:00Z` as a number.
pub(super) fn time(text: &str) -> Option<u64> {
    let digits = || text.bytes().filter(u8::is_ascii_digit);
    let number = (text.len() == 20 && digits().count() == 14)
        .then(|| digits().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))?;
    (time_text(number) == text).then_some(number)
}

/// The text of a time.
pub(super) fn time_text(number: u64) -> String {
    let digits = format!("{number:014}");
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    let [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
    let [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")
}

/// The bytes of a digest as revisions have it: `v1-` and small hexadecimal digits.
pub(super) fn revision(text: &str) -> Option<Vec<u8>> {
    unhex(text.strip_prefix(REVISION)?).filter(|bytes| bytes.len() >= 4)
}

/// What a revision begins with.
pub(super) const REVISION: &str = "v1-";

/// Bytes as small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
