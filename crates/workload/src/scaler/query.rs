//! The primary's query, made from the target's.
//!
//! A trigger asks a metric store about the pods of the target; the copy must ask about those of the primary. The names
//! are in the quoted values of the query; outside of them the same word is a label, a metric or a function, and
//! stays. A name counts only as a whole: `podinfo` is not part of `my-podinfo` or `podinfo-frontend`, but is at
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

/// What is behind the name of the target or of its canary, if that is what is between `before` and `after`: neither
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
mod tests;
