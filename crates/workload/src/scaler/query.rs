//! The primary's query, made from the target's (`workloads.md` 12.1 and S32).
//!
//! A trigger asks a metric store about the pods of the target; the copy must ask about those of the primary. The names
//! stand in the quoted values of the query; outside of them the same word is a label, a metric or a function, and
//! stays. A name counts only as a whole: `podinfo` is not part of `my-podinfo` or `podinfo-frontend`, but stands at
//! the beginning of a pattern for its pods, `podinfo-[a-z0-9]+`.
//!
//! Gateways name a Service together with its namespace and port. These forms count too, and only where the namespace is
//! the Canary's: `<ns>-<name>-<port>@kubernetescrd` (Traefik), `<name>_<ns>_svc_<port>` (Kuma), `<ns>_<name>_<port>`
//! (Contour, APISIX).

use crate::subject::primary;

/// How a language marks the values of its queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// In quotes of any kind: PromQL, SQL, NRQL, Flux, KQL.
    Quoted,
    /// Not at all; a word before a colon is a key.
    Bare,
}

/// The target, as queries name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// Its name.
    pub(super) target: &'a str,
    /// What the names of the Canary's Services begin with; often the same.
    pub(super) apex: &'a str,
    /// Its namespace.
    pub(super) namespace: &'a str,
}

/// The query about a target, asked about its primary.
pub(super) fn for_primary(query: &str, named: Named<'_>, values: Values) -> String {
    match values {
        Values::Bare => renamed(query, named, true),
        Values::Quoted => quoted(query)
            .into_iter()
            .map(|(part, is_quoted)| if is_quoted { renamed(part, named, false) } else { part.to_owned() })
            .collect(),
    }
}

/// Whether a query has the name of the target or of the canary Service in it, in whatever form, other than as the
/// beginning of the primary's.
pub(super) fn mentions(query: &str, named: Named<'_>) -> bool {
    let has =
        |name: &str, is_meant: fn(&str) -> bool| !name.is_empty() && query.split(name).skip(1).any(is_meant);
    has(named.target, |after| !after.starts_with("-primary"))
        || has(named.apex, |after| after.starts_with("-canary"))
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

/// `text` with the primary's name for every name of the target and of its canary. What the Services are named after, if
/// it is not the target, counts only with `-canary` behind it: by itself it names all traffic.
fn renamed(text: &str, named: Named<'_>, keys_have_colons: bool) -> String {
    let Named { target, apex, namespace } = named;
    let of_target = of_name(text, target, |before, after| {
        let is_key = keys_have_colons && after.starts_with(':');
        whole(before, after, namespace).filter(|_| !is_key)
    });
    if apex == target {
        return of_target;
    }
    of_name(&of_target, apex, |before, after| canary(before, after, namespace))
}

/// `text` with the primary's name for every occurrence of `name` of which `is` says what is behind it.
fn of_name<'t>(text: &'t str, name: &str, is: impl Fn(&str, &'t str) -> Option<&'t str>) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = split(rest, name) {
        renamed.push_str(before);
        match is(&renamed, after) {
            Some(behind) => {
                renamed.push_str(&primary(name));
                rest = behind;
            }
            None => {
                renamed.push_str(name);
                rest = after;
            }
        }
    }
    renamed + rest
}

/// What is before and after the first occurrence of `name`.
fn split<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    if name.is_empty() { None } else { text.split_once(name) }
}

/// How what is before a name sets it off.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Not at all joined to it.
    Nothing,
    /// `<ns>-`: with a port behind it the name of a Service, else perhaps the end of a longer name.
    Dashed,
    /// `<ns>_`: no name of an object has an underscore, so it ends there.
    Underscored,
}

/// What is behind the name of the target or of its canary, if that is what stands between `before` and `after`: neither
/// the primary's name nor a part of another's.
fn whole<'t>(before: &str, after: &'t str, namespace: &str) -> Option<&'t str> {
    let begins = begins(before, namespace)?;
    let of_target = || Some(after).filter(|behind| ends(behind, begins, false, namespace));
    canary(before, after, namespace).or_else(of_target)
}

/// The same for the canary's name alone.
fn canary<'t>(before: &str, after: &'t str, namespace: &str) -> Option<&'t str> {
    let begins = begins(before, namespace)?;
    after.strip_prefix("-canary").filter(|behind| ends(behind, begins, true, namespace))
}

fn begins(before: &str, namespace: &str) -> Option<Before> {
    let is_free = |before: &str| before.chars().next_back().is_none_or(|c| !is_part(c) && c != '-');
    let qualified = |separator: char| {
        let outer = before.strip_suffix(separator)?.strip_suffix(namespace)?;
        (!namespace.is_empty() && is_free(outer)).then_some(())
    };
    if is_free(before) {
        Some(Before::Nothing)
    } else if qualified('-').is_some() {
        Some(Before::Dashed)
    } else {
        qualified('_').map(|()| Before::Underscored)
    }
}

fn ends(behind: &str, begins: Before, is_canary: bool, namespace: &str) -> bool {
    match begins {
        Before::Nothing => {
            let mesh = behind.strip_prefix('_').and_then(|behind| behind.strip_prefix(namespace));
            ends_a_name(behind) || !namespace.is_empty() && mesh.is_some_and(|it| it.starts_with("_svc"))
        }
        Before::Underscored => ends_a_name(behind) || is_port(behind, '_'),
        Before::Dashed => {
            let one = behind.split('|').next().unwrap_or_default();
            is_port(behind, '-') && (is_canary || one.contains('@'))
        }
    }
}

/// Whether `behind` begins with a separator and a port: a number, a name without hyphens, or a pattern.
fn is_port(behind: &str, separator: char) -> bool {
    let Some(port) = behind.strip_prefix(separator) else { return false };
    let after = port.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    !after.starts_with('-')
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
        let named = Named { target, apex: target, namespace: "test" };
        assert_eq!(for_primary(query, named, Values::Quoted), expect, "{target} in {query}");
    }

    fn check_bare(target: &str, query: &str, expect: &str) {
        let named = Named { target, apex: target, namespace: "test" };
        assert_eq!(for_primary(query, named, Values::Bare), expect, "{target} in {query}");
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
    fn services_as_gateways_name_them_become_the_primarys() {
        let check = |value: &str, expect: &str| {
            check("podinfo", &format!("r{{s=~\"{value}\"}}"), &format!("r{{s=~\"{expect}\"}}"));
        };
        check("test-podinfo-canary-.*", "test-podinfo-primary-.*");
        check("test-podinfo-canary-80@kubernetescrd", "test-podinfo-primary-80@kubernetescrd");
        check("test-podinfo-canary-http@kubernetescrd", "test-podinfo-primary-http@kubernetescrd");
        check(
            "test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd",
            "test-podinfo-primary-[0-9a-zA-Z-]+@kubernetescrd",
        );
        check("test-podinfo-80@kubernetescrd", "test-podinfo-primary-80@kubernetescrd");
        check("(test-podinfo-canary-80|x)@y", "(test-podinfo-primary-80|x)@y");
        check("podinfo-canary_test_svc_80", "podinfo-primary_test_svc_80");
        check("podinfo_test_svc_[0-9]+", "podinfo-primary_test_svc_[0-9]+");
        check("test_podinfo_80", "test_podinfo-primary_80");
        check("test_podinfo-canary_[0-9a-zA-Z-]+", "test_podinfo-primary_[0-9a-zA-Z-]+");
        check("test_podinfo_.*", "test_podinfo-primary_.*");
        check("test_podinfo", "test_podinfo-primary");
    }

    #[test]
    fn services_that_are_not_named_after_the_target_are_known_by_their_canary() {
        let named = Named { target: "podinfo", apex: "shop", namespace: "test" };
        for (query, expect) in [
            ("r{s=\"test-shop-canary-80@kubernetescrd\"}", "r{s=\"test-shop-primary-80@kubernetescrd\"}"),
            ("r{s=\"shop-canary_test_svc_80\"}", "r{s=\"shop-primary_test_svc_80\"}"),
            ("r{s=\"shop-canary\", w=\"podinfo\"}", "r{s=\"shop-primary\", w=\"podinfo-primary\"}"),
            ("r{s=\"shop\"}", "r{s=\"shop\"}"),
            ("r{s=\"my-shop-canary\"}", "r{s=\"my-shop-canary\"}"),
        ] {
            assert_eq!(for_primary(query, named, Values::Quoted), expect);
        }
    }

    #[test]
    fn services_of_others_and_of_other_namespaces_stay() {
        for other in [
            "test-podinfo",
            "test-podinfo-canary",
            "test-podinfo-[a-z0-9]+",
            "test-podinfo-0",
            "prod-podinfo-canary-80@kubernetescrd",
            "a-test-podinfo-canary-80",
            "test-podinfo-web-80@kubernetescrd",
            "test-podinfo-canary-web-80@kubernetescrd",
            "podinfo_prod_svc_80",
            "my-podinfo_test_svc_80",
            "prod_podinfo_80",
            "test_my-podinfo_80",
            "test_podinfo-web_80",
            "test_podinfo-podinfo-canary_.+x",
            "test-podinfo-primary-80@kubernetescrd",
            "podinfo-primary_test_svc_80",
            "test_podinfo-primary_80",
        ] {
            let query = format!("r{{s=~\"{other}\"}}");
            check("podinfo", &query, &query);
        }
    }

    #[test]
    fn a_name_that_occurs_in_any_form_is_mentioned() {
        let named = Named { target: "podinfo", apex: "shop", namespace: "test" };
        for query in
            ["podinfo", "r{route=~\"test_x-podinfo-canary_.+\"}", "podinfo_hits", "podinfo-primary/podinfo"]
        {
            assert!(mentions(query, named), "{query}");
        }
        assert!(mentions("shop-canary", named));
        for query in ["", "r{app=\"podinfo-primary\"}", "up", "r{app=\"shop\"}", "shop-primary"] {
            assert!(!mentions(query, named), "{query}");
        }
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
