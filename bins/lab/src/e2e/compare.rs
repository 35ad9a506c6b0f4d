//! What was reported beside what should have been, line by line.

use anyhow::bail;

/// Whether a line is as wanted; `…` stands for any words.
pub fn fits(want: &str, have: &str) -> bool {
    let Some((begin, end)) = want.split_once('…') else { return want == have };
    let Some(rest) = have.strip_prefix(begin) else { return false };
    (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| fits(end, rest))
}

/// The lines of a text that have words on them.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// Names the first line that differs.
pub fn differ(what: &str, want: &[String], have: &[String]) -> anyhow::Result<()> {
    let longest = want.len().max(have.len());
    for at in 0..longest {
        let (wanted, had) = (want.get(at), have.get(at));
        if !wanted.zip(had).is_some_and(|(wanted, had)| fits(wanted, had)) {
            let or_end =
                |line: Option<&String>| line.map_or("the end".to_owned(), |line| format!("`{line}`"));
            bail!("{what} at line {}: expected {}, got {}", at + 1, or_end(wanted), or_end(had));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn three_dots_stand_for_any_words() {
        for (want, have, is) in [
            ("a b", "a b", true),
            ("a b", "a b c", false),
            ("a …", "a b c", true),
            ("a … c", "a b c", true),
            ("a … c … e", "a b c d e", true),
            ("a … c … e", "a b d e", false),
            ("a …", "b", false),
        ] {
            assert_eq!(fits(want, have), is, "{want} {have}");
        }
    }
}
