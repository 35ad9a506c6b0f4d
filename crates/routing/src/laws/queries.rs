//! The built-in metric queries of a provider.

use vexil_api::QuerySet;

use super::case::Case;

pub(super) fn contain_known_words(case: &Case<'_>) -> Result<(), String> {
    let Some(set) = case.router.queries() else { return Ok(()) };
    for query in [set.success_rate, set.duration] {
        for part in query.split("{{").skip(1) {
            let word = part.split("}}").next().unwrap_or_default().trim();
            if !QuerySet::WORDS.contains(&word) {
                return Err(format!("{{{{ {word} }}}} is not a word of queries: {query}"));
            }
        }
    }
    Ok(())
}

/// A query for the Canary `podinfo` in namespace `default` with this apex and an interval of a minute, on one line.
pub fn example(query: &str, apex: &str) -> String {
    let words = QuerySet::WORDS.map(|word| match word {
        "namespace" => (word, "default"),
        "service" => (word, apex),
        "interval" => (word, "1m"),
        _ => (word, "podinfo"),
    });
    let text = words
        .iter()
        .fold(query.to_owned(), |text, (word, value)| text.replace(&format!("{{{{ {word} }}}}"), value));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
