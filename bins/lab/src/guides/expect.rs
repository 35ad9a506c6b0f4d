//! Whether an output shows what a page says that it shows.

/// Stands for any words, also none.
const ANY: char = '…';

/// The first of the expected lines that is not among those of the output. Each is looked for behind the one before it
/// where `in_order`, otherwise anywhere, but none of the output's lines counts twice. Runs of blanks are one.
pub fn missing<'a>(expect: &'a [String], output: &str, in_order: bool) -> Option<&'a str> {
    let mut lines: Vec<Option<String>> = output.lines().map(|line| Some(plain(line))).collect();
    let mut from = 0;
    for wanted in expect {
        let pattern = plain(wanted);
        let fits = |line: &Option<String>| line.as_deref().is_some_and(|line| fits(&pattern, line));
        let Some(at) = lines.iter().skip(from).position(fits) else { return Some(wanted) };
        if let Some(line) = lines.get_mut(from + at) {
            *line = None;
        }
        from = if in_order { from + at + 1 } else { 0 };
    }
    None
}

/// Without blanks at its ends, and with one where there are several.
fn plain(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a line is what a pattern says.
pub fn fits(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(ANY) else { return pattern == line };
    let (middle, last) = rest.rsplit_once(ANY).unwrap_or(("", rest));
    let Some(mut left) = line.strip_prefix(first).and_then(|line| line.strip_suffix(last)) else {
        return false;
    };
    middle.split(ANY).all(|part| match left.split_once(part) {
        Some((_, behind)) => {
            left = behind;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_dots_are_any_words() {
        let check = |pattern: &str, line: &str, expect: bool| {
            assert_eq!(fits(pattern, line), expect, "{pattern} {line}")
        };
        check("a b", "a b", true);
        check("a b", "a b c", false);
        check("a …", "a b c", true);
        check("… c", "a b c", true);
        check("…b…", "a b c", true);
        check("a … c … e", "a b c d e", true);
        check("a … e … c", "a b c d e", false);
        check("ab…bc", "abc", false);
    }

    #[test]
    fn lines_are_looked_for_among_others() {
        let check = |expect: &[&str], in_order: bool, missing_line: Option<&str>| {
            let expect: Vec<String> = expect.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(missing(&expect, "NAME   AGE\na  1s\nb  2s\n", in_order), missing_line, "{expect:?}");
        };
        check(&["NAME AGE", "b …"], true, None);
        check(&["b …", "a …"], false, None);
        check(&["b …", "a …"], true, Some("a …"));
        check(&["a …", "a …"], false, Some("a …"));
        check(&["c …"], false, Some("c …"));
    }
}
