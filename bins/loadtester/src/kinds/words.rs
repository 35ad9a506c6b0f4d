//! Splits a line into words as a shell does, and does nothing else of what a shell does.

/// The words of a line. Quotes keep spaces and are left out; a backslash keeps the next character, and between single
/// quotes itself. No variables, no patterns, no substitution.
///
/// # Errors
/// When a quote is not closed.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    // `None` between words, so that `''` is a word and a space is none.
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => quoted(&mut chars, c, word.get_or_insert_default())?,
            '"' => quoted(&mut chars, c, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes everything up to the closing quote.
fn quoted(chars: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), String> {
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => match chars.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => break,
            },
            c => word.push(c),
        }
    }
    Err(format!("cmd has a {quote} that is not closed"))
}

#[cfg(test)]
mod tests {
    use super::split;

    fn check(line: &str, expect: Result<&[&str], &str>) {
        let expect = expect.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(split(line), expect.map_err(str::to_owned), "{line}");
    }

    #[test]
    fn a_line_is_split_at_spaces_outside_of_quotes() {
        check("test podinfo -n test", Ok(&["test", "podinfo", "-n", "test"]));
        check("  test \t podinfo\n", Ok(&["test", "podinfo"]));
        check("--output='json'", Ok(&["--output=json"]));
        check(r#"--set "a=b c" ''"#, Ok(&["--set", "a=b c", ""]));
        check(r"a\ b \\ '\n'", Ok(&["a b", r"\", r"\n"]));
        check(r#""a\"b\$c\d""#, Ok(&[r#"a"b$c\d"#]));
        check("$HOME * `id` $(id) ; & |", Ok(&["$HOME", "*", "`id`", "$(id)", ";", "&", "|"]));
        check("", Ok(&[]));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_pointed_out() {
        check("it's", Err("cmd has a ' that is not closed"));
        check(r#"a "b"#, Err("cmd has a \" that is not closed"));
        check(r#""a\"#, Err("cmd has a \" that is not closed"));
    }
}
