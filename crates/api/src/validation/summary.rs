//! Many defects as one message of bounded length.

use super::Defect;

/// How long a summary may be, in bytes: an Event has room for 1 KiB with its first words.
const LONGEST: usize = 900;
/// Maximum length of one defect in the summary, in bytes.
const ONE: usize = 300;

/// The defects as one line: as many as there is room for, and how many more there are.
pub fn summary(defects: &[Defect]) -> String {
    let mut text = String::new();
    for (index, defect) in defects.iter().enumerate() {
        let one = shortened(&defect.to_string());
        if !text.is_empty() && text.len() + one.len() > LONGEST {
            return format!("{text}; and {} more", thousands(defects.len() - index));
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&one);
    }
    text
}

/// A text in one line, cut between two characters. Users write what is quoted in it.
fn shortened(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.len() <= ONE {
        return clean;
    }
    let (start, _) = clean.split_at(clean.floor_char_boundary(ONE));
    format!("{start}…")
}

/// `9990` as `9,990`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(defects: &[(&str, &str)], expect: &str) {
        let of = |(path, message): &(&str, &str)| Defect {
            path: (*path).to_owned(),
            message: (*message).to_owned(),
        };
        let text = summary(&defects.iter().map(of).collect::<Vec<_>>());
        assert_eq!(text, expect);
        assert!(text.len() < 1_000);
    }

    #[test]
    fn a_few_defects_are_listed_and_many_are_counted() {
        check(&[], "");
        check(&[("a", "is wrong")], "a: is wrong");
        check(&[("a", "is wrong"), ("b", "too")], "a: is wrong; b: too");
        let many = vec![("spec.x", "is required"); 10_000];
        let shown = vec!["spec.x: is required"; 43].join("; ");
        check(&many, &format!("{shown}; and 9,957 more"));
        check(&many[..44], &format!("{shown}; and 1 more"));
    }

    #[test]
    fn what_users_write_neither_floods_nor_forges_the_line() {
        let long = "é".repeat(5_000);
        check(&[("a", &long)], &format!("a: {}…", "é".repeat(148)));
        check(&[("a", "`x\u{1b}[2J\ny` is bad")], "a: `x [2J y` is bad");
        let three = [("a", long.as_str()), ("b", &long), ("c", &long), ("d", &long)];
        let cut = "é".repeat(148);
        check(&three, &format!("a: {cut}…; b: {cut}…; and 2 more"));
        for (number, expect) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), expect);
        }
    }
}
