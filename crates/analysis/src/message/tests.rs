//! The page that lists the messages, and the one that says what to do about them.

use expect_test::expect_file;

use super::*;

#[test]
fn the_reference_lists_every_event() {
    let mut page = String::from(
        "# Events\n\n<!-- Made by `cargo xtask docs --write` from crates/analysis/src/message.rs. -->\n\n\
         Events of a Canary have the reason `Synced` and the source `flagger`; `{…}` stands for a name, a value or the \
         text of an error. `event` webhooks and the log have the same texts. [Alerts](../alerting.md) are sent where the \
         last column has one. What to do about a Warning: [troubleshooting](../troubleshooting.md).\n\n\
         | type | Event | when | alert |\n|---|---|---|---|\n",
    );
    for (type_, text, meaning, alert) in REFERENCE {
        let alert =
            alert.map(|(severity, text)| format!("{}: `{text}`", format!("{severity:?}").to_lowercase()));
        let (type_, alert) = (type_.as_str(), alert.unwrap_or_default());
        page.push_str(&format!("| {type_} | `{text}` | {} | {alert} |\n", meaning.trim()));
    }
    expect_file!["../../../../docs/reference/events.md"].assert_eq(&page);
}

/// A text with `…` in place of what varies.
fn pattern(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "…" + part.split_once('}').map_or("", |(_, rest)| rest))
}

/// A warning without an entry leaves its readers alone. Texts without fixed words are those of other crates.
#[test]
fn troubleshooting_has_every_warning() {
    let page = include_str!("../../../../docs/troubleshooting.md");
    let warnings = REFERENCE.iter().filter(|(type_, ..)| *type_ == EventType::Warning);
    let patterns = warnings.map(|(_, text, ..)| pattern(text));
    let missing: Vec<String> = patterns
        .filter(|text| text.contains(char::is_alphabetic) && !page.contains(&format!("`{text}`")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
