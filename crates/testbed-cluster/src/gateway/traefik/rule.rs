//! The matchers of IngressRoutes: `Host`, `Path`, `PathPrefix` and `Method`, joined by `&&`, `||` and parentheses,
//! negated by `!`.
//!
//! Not done: `HostRegexp`, `PathRegexp`, `Header`, `HeaderRegexp`, `Query`, `ClientIP`; a rule with one of them is
//! refused.

/// A parsed rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Host(Vec<String>),
    Path(Vec<String>),
    PathPrefix(Vec<String>),
    Method(Vec<String>),
    Not(Box<Rule>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

impl Rule {
    /// Parses a rule; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rule, rest) = any(text)?;
        let rest = rest.trim_start();
        if rest.is_empty() { Ok(rule) } else { Err(format!("unexpected {rest:?} in rule {text:?}")) }
    }

    /// Whether a request matches. `host` comes without a port.
    pub fn matches(&self, host: &str, path: &str, method: &str) -> bool {
        match self {
            Rule::Host(hosts) => hosts.iter().any(|one| one.eq_ignore_ascii_case(host)),
            Rule::Path(paths) => paths.iter().any(|one| one == path),
            Rule::PathPrefix(prefixes) => prefixes.iter().any(|prefix| path.starts_with(prefix.as_str())),
            Rule::Method(methods) => methods.iter().any(|one| one.eq_ignore_ascii_case(method)),
            Rule::Not(rule) => !rule.matches(host, path, method),
            Rule::All(rules) => rules.iter().all(|rule| rule.matches(host, path, method)),
            Rule::Any(rules) => rules.iter().any(|rule| rule.matches(host, path, method)),
        }
    }
}

type Parsed<'a, T> = Result<(T, &'a str), String>;

fn any(text: &str) -> Parsed<'_, Rule> {
    joined(text, "||", all, Rule::Any)
}

fn all(text: &str) -> Parsed<'_, Rule> {
    joined(text, "&&", one, Rule::All)
}

fn joined<'a>(
    text: &'a str,
    operator: &str,
    part: fn(&'a str) -> Parsed<'a, Rule>,
    join: fn(Vec<Rule>) -> Rule,
) -> Parsed<'a, Rule> {
    let (first, mut rest) = part(text)?;
    let mut rules = Vec::new();
    while let Some(after) = rest.trim_start().strip_prefix(operator) {
        let (rule, after) = part(after)?;
        rules.push(rule);
        rest = after;
    }
    if rules.is_empty() {
        return Ok((first, rest));
    }
    rules.insert(0, first);
    Ok((join(rules), rest))
}

fn one(text: &str) -> Parsed<'_, Rule> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('!') {
        let (rule, rest) = one(rest)?;
        return Ok((Rule::Not(Box::new(rule)), rest));
    }
    if let Some(rest) = text.strip_prefix('(') {
        let (rule, rest) = any(rest)?;
        let rest = rest.trim_start().strip_prefix(')').ok_or("expected a closing parenthesis")?;
        return Ok((rule, rest));
    }
    let (name, rest) = text.split_once('(').ok_or_else(|| format!("expected a matcher at {text:?}"))?;
    let (values, rest) = arguments(rest)?;
    let rule = match name.trim() {
        "Host" => Rule::Host(values),
        "Path" => Rule::Path(values),
        "PathPrefix" => Rule::PathPrefix(values),
        "Method" => Rule::Method(values),
        other => return Err(format!("unsupported matcher {other:?}")),
    };
    Ok((rule, rest))
}

/// Quoted values up to the closing parenthesis.
fn arguments(mut rest: &str) -> Parsed<'_, Vec<String>> {
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start();
        let mut chars = rest.chars();
        let quote = chars.next().filter(|quote| matches!(quote, '`' | '"' | '\''));
        let quote = quote.ok_or_else(|| format!("expected a quoted value at {rest:?}"))?;
        let (value, after) = chars.as_str().split_once(quote).ok_or("expected a closing quote")?;
        values.push(value.to_owned());
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix(')') {
            return Ok((values, after));
        }
        rest = after.strip_prefix(',').ok_or_else(|| format!("expected , or ) at {after:?}"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, (host, path): (&str, &str), expect: Result<bool, &str>) {
        let got = Rule::parse(rule).map(|rule| rule.matches(host, path, "GET"));
        assert_eq!(got, expect.map_err(str::to_owned), "{rule}");
    }

    #[test]
    fn a_rule_matches_as_it_reads() {
        check("Host(`a.b`)", ("a.b", "/"), Ok(true));
        check("Host(`a.b`)", ("A.B", "/"), Ok(true));
        check("Host(`a.b`, `c.d`)", ("c.d", "/"), Ok(true));
        check("Host(`a.b`) && PathPrefix(`/x`)", ("a.b", "/y"), Ok(false));
        check("Host(`a.b`) || PathPrefix(`/y`)", ("c.d", "/y"), Ok(true));
        check("Host(`a.b`) && !(Path(`/x`) || Path(`/y`))", ("a.b", "/y"), Ok(false));
        check("Method(\"GET\")", ("a.b", "/y"), Ok(true));
        check("Header(`a`, `b`)", ("a.b", "/y"), Err("unsupported matcher \"Header\""));
        check("Host(a.b)", ("a.b", "/y"), Err("expected a quoted value at \"a.b)\""));
    }
}
