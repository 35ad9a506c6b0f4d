//! The primary's query, made from the target's (`workloads.md` 12.1 and S32).
//!
//! A trigger asks a metric store about the pods of the target; the copy must ask about those of the primary. The names
//! stand in the quoted values of the query; outside of them the same word is a label, a metric or a function, and
//! stays. A name counts only as a whole: `podinfo` is not part of `my-podinfo` or `podinfo-frontend`, but stands at
//! the beginning of a pattern for its pods, `podinfo-[a-z0-9]+`.

use crate::subject::primary;

/// How a language marks the values of its queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// In quotes of any kind: PromQL, SQL, NRQL, Flux, KQL.
    Quoted,
    /// Not at all; a word before a colon is a key.
    Bare,
}

/// The query about `target`, asked about its primary.
pub(super) fn for_primary(query: &str, target: &str, values: Values) -> String {
    match values {
        Values::Bare => renamed(query, target, true),
        Values::Quoted => quoted(query)
            .into_iter()
            .map(|(part, is_quoted)| if is_quoted { renamed(part, target, false) } else { part.to_owned() })
            .collect(),
    }
}

/// The parts of a query, and whether each is inside of quotes. A backslash takes the next character along, but not
/// between backquotes, where it is an ordinary character (PromQL, "String literals").
fn quoted(query: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    let (mut from, mut open, mut is_escaped) = (0, None, false);
    let mut cut = |from: usize, to: usize, is_quoted: bool| {
        if let Some(part) = query.get(from..to) {
            parts.push((part, is_quoted));
        }
    };
    for (at, c) in query.char_indices() {
        match open {
            _ if is_escaped => is_escaped = false,
            Some(quote) if c == '\\' && quote != '`' => is_escaped = true,
            Some(quote) if c == quote => {
                cut(from, at, true);
                (from, open) = (at, None);
            }
            None if matches!(c, '"' | '\'' | '`') => {
                cut(from, at, false);
                (from, open) = (at, Some(c));
            }
            _ => {}
        }
    }
    cut(from, query.len(), open.is_some());
    parts
}

/// `text` with the primary's name for every name of the target and of its canary.
fn renamed(text: &str, target: &str, keys_have_colons: bool) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = split(rest, target) {
        renamed.push_str(before);
        let follows = after.strip_prefix("-canary").filter(|after| ends_a_name(after));
        let is_key = keys_have_colons && after.starts_with(':');
        if is_whole(&renamed, after) && !is_key {
            renamed.push_str(&primary(target));
            rest = follows.unwrap_or(after);
        } else {
            renamed.push_str(target);
            rest = after;
        }
    }
    renamed + rest
}

/// What is before and after the first occurrence of `name`.
fn split<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    if name.is_empty() { None } else { text.split_once(name) }
}

/// Whether what is between `before` and `after` is a name of its own, and neither the primary's nor another's.
fn is_whole(before: &str, after: &str) -> bool {
    let begins = before.chars().next_back().is_none_or(|c| !is_part(c) && c != '-');
    begins && (ends_a_name(after) || after.strip_prefix("-canary").is_some_and(ends_a_name))
}

/// Whether a name ends before `after`. A hyphen goes on with it, unless a pattern follows the hyphen.
fn ends_a_name(after: &str) -> bool {
    match after.strip_prefix('-') {
        Some(after) => !after.starts_with(|c| is_part(c) || c == '-'),
        None => !after.starts_with(is_part),
    }
}

/// Whether a character belongs to a name or a word.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, query: &str, expect: &str) {
        assert_eq!(for_primary(query, target, Values::Quoted), expect, "{target} in {query}");
    }

    fn check_bare(target: &str, query: &str, expect: &str) {
        assert_eq!(for_primary(query, target, Values::Bare), expect, "{target} in {query}");
    }

    #[test]
    fn every_name_of_the_target_becomes_the_primarys_and_none_is_doubled() {
        check("podinfo", r#"sum(rate(r{app="podinfo"}[2m]))"#, r#"sum(rate(r{app="podinfo-primary"}[2m]))"#);
        check("podinfo", r#"r{app="podinfo-canary"}"#, r#"r{app="podinfo-primary"}"#);
        check(
            "podinfo",
            r#"a{app="podinfo"}/b{app="podinfo-canary"}"#,
            r#"a{app="podinfo-primary"}/b{app="podinfo-primary"}"#,
        );
        check("podinfo", r#"r{app="podinfo-primary"}"#, r#"r{app="podinfo-primary"}"#);
        check("podinfo", r#"r{h="podinfo.test:9898"}"#, r#"r{h="podinfo-primary.test:9898"}"#);
        check("podinfo", r#"r{h="podinfo-canary.test"}"#, r#"r{h="podinfo-primary.test"}"#);
        check("podinfo", r#"r{a=~"(podinfo|x)"}"#, r#"r{a=~"(podinfo-primary|x)"}"#);
        check("podinfo", r#"r{a="test/podinfo"}"#, r#"r{a="test/podinfo-primary"}"#);
    }

    #[test]
    fn a_pattern_for_the_targets_pods_becomes_one_for_the_primarys() {
        let check = |pattern: &str, expect: &str| {
            check("podinfo", &format!("r{{pod=~\"{pattern}\"}}"), &format!("r{{pod=~\"{expect}\"}}"));
        };
        check("podinfo-[a-z0-9]+-[a-z0-9]+", "podinfo-primary-[a-z0-9]+-[a-z0-9]+");
        check("podinfo-canary-[a-z0-9]+", "podinfo-primary-[a-z0-9]+");
        check("podinfo-.*", "podinfo-primary-.*");
        check("podinfo-\\\\d+", "podinfo-primary-\\\\d+");
        check("podinfo.*", "podinfo-primary.*");
        check("podinfo-", "podinfo-primary-");
        check("^podinfo$", "^podinfo-primary$");
    }

    #[test]
    fn names_of_others_and_words_outside_of_quotes_stay() {
        check("app", r#"sum(app_up{app="x"}) by (app)"#, r#"sum(app_up{app="x"}) by (app)"#);
        check("app", r#"r{app="app"}"#, r#"r{app="app-primary"}"#);
        check("podinfo", "sum(podinfo)", "sum(podinfo)");
        for other in
            ["my-podinfo", "mypodinfo", "podinfos", "podinfo-frontend", "podinfo_x", "podinfo-canary2"]
        {
            let query = format!("r{{app=\"{other}\"}}");
            check("podinfo", &query, &query);
        }
        check("podinfo", "", "");
        check("", r#"r{a="b"}"#, r#"r{a="b"}"#);
    }

    #[test]
    fn quotes_are_those_of_the_usual_languages() {
        check("podinfo", "select 1 where app = 'podinfo'", "select 1 where app = 'podinfo-primary'");
        check("podinfo", "r{a=`podinfo`}", "r{a=`podinfo-primary`}");
        check("podinfo", r#"r{a="x\"podinfo"} + podinfo"#, r#"r{a="x\"podinfo-primary"} + podinfo"#);
        check("podinfo", r#"r{a=`x\`} + podinfo"#, r#"r{a=`x\`} + podinfo"#);
        check("podinfo", r#"r{a="it's podinfo"} podinfo"#, r#"r{a="it's podinfo-primary"} podinfo"#);
        check("podinfo", r#"r{a="podinfo"#, r#"r{a="podinfo-primary"#);
    }

    #[test]
    fn a_language_without_quotes_has_keys_before_colons() {
        check_bare("podinfo", "sum:hits{service:podinfo,x:y}", "sum:hits{service:podinfo-primary,x:y}");
        check_bare("app", "sum:hits{app:app}", "sum:hits{app:app-primary}");
        check_bare("podinfo", "hosts.podinfo-canary.count", "hosts.podinfo-primary.count");
        check_bare("podinfo", "hosts.podinfo.count", "hosts.podinfo-primary.count");
    }
}
