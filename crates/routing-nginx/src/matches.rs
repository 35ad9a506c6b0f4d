//! The conditions of A/B testing as annotations: ingress-nginx matches one header and one cookie.

use std::collections::BTreeMap;

use vexil_api::{
    Defect,
    canary::{CanarySpec, HttpMatch, StringMatch},
};
use vexil_routing::{conditions, escaped};

/// Annotations of a canary, by their names without the prefix.
pub(crate) type Annotations = BTreeMap<&'static str, String>;

/// A place below the entry with this number, and what is wrong there.
type Problem = (usize, String, String);

const PRODUCT: &str = "ingress-nginx";

/// The annotations by which requests that meet one of `matches` reach the canary, and those only.
pub(crate) fn matched(matches: &[HttpMatch]) -> Result<Annotations, Vec<Problem>> {
    let mut problems = Vec::new();
    let (mut header, mut cookie) = (None::<(&str, Vec<&StringMatch>)>, None::<&str>);
    for (at, entry) in matches.iter().enumerate() {
        let mut problem = |field: &str, text: &str| problems.push((at, field.to_owned(), text.to_owned()));
        for field in conditions(entry).into_iter().filter(|field| *field != "headers") {
            problem(field, &format!("is a condition that {PRODUCT} does not have; remove it"));
        }
        let mut headers = entry.headers.iter();
        let (Some((name, text)), None) = (headers.next(), headers.next()) else {
            let count = entry.headers.len();
            problem(
                "headers",
                &format!("has {count} conditions, and {PRODUCT} matches one, a header or a cookie"),
            );
            continue;
        };
        match (&text.exact, &mut header) {
            // The text names the cookie; clients choose the canary by its value.
            (Some(name_of_cookie), _) if name == "cookie" => match cookie.replace(name_of_cookie) {
                Some(before) if before != name_of_cookie => problem(
                    "headers.cookie",
                    &format!("is another cookie than {before:?}, and {PRODUCT} matches one"),
                ),
                _ => {}
            },
            (_, Some((before, _))) if *before != name.as_str() => {
                problem(
                    &format!("headers.{name}"),
                    &format!("is another header than {before}, and {PRODUCT} matches one"),
                );
            }
            (_, Some((_, texts))) => texts.push(text),
            (_, none) => *none = Some((name, vec![text])),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut annotations = Annotations::new();
    if let Some((name, texts)) = header {
        annotations.insert("canary-by-header", name.to_owned());
        match texts.as_slice() {
            [StringMatch { exact: Some(value), .. }] => {
                annotations.insert("canary-by-header-value", value.clone());
            }
            // Clients choose by the values `always` and `never`.
            [text] if pattern(text).is_empty() => {}
            texts => {
                let patterns: Vec<_> = texts.iter().map(|text| pattern(text)).collect();
                annotations.insert("canary-by-header-pattern", patterns.join("|"));
            }
        }
    }
    annotations.extend(cookie.map(|name| ("canary-by-cookie", name.to_owned())));
    Ok(annotations)
}

/// A condition as a regular expression, of which any part of the header may match.
fn pattern(text: &StringMatch) -> String {
    match text {
        StringMatch { exact: Some(exact), .. } => format!("^{}$", escaped(exact)),
        StringMatch { prefix: Some(prefix), .. } => format!("^{}", escaped(prefix)),
        StringMatch { suffix: Some(suffix), .. } => format!("{}$", escaped(suffix)),
        StringMatch { regex, .. } => regex.clone().unwrap_or_default(),
    }
}

/// The conditions of a Canary that ingress-nginx cannot express.
pub(crate) fn defects(spec: &CanarySpec) -> Vec<Defect> {
    let matches = spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    let problems = matched(matches).err().unwrap_or_default();
    let field = spec.analysis_field();
    let defect = |(at, below, message)| Defect { path: format!("spec.{field}.match[{at}].{below}"), message };
    problems.into_iter().map(defect).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(matches: Value, expect: Result<Value, &[&str]>) {
        let spec = json!({"targetRef": {"name": "podinfo"}, "analysis": {"match": matches}});
        let canary = vexil_api::parse(&json!({"metadata": {}, "spec": spec})).unwrap();
        let problems: Vec<_> = defects(&canary.spec).iter().map(ToString::to_string).collect();
        let matches: Vec<HttpMatch> = serde_json::from_value(matches).unwrap();
        match expect {
            Ok(annotations) => assert_eq!(json!(matched(&matches).unwrap()), annotations, "{problems:?}"),
            Err(expect) => assert_eq!(problems, expect),
        }
    }

    fn header(name: &str, condition: Value) -> Value {
        json!({"headers": {name: condition}})
    }

    #[test]
    fn a_header_and_a_cookie_are_written_as_flagger_writes_them() {
        let insider = header("x-canary", json!({"exact": "insider"}));
        let cookie = header("cookie", json!({"exact": "canary"}));
        let by_header = json!({"canary-by-header": "x-canary", "canary-by-header-value": "insider"});
        check(json!([insider]), Ok(by_header));
        check(json!([cookie]), Ok(json!({"canary-by-cookie": "canary"})));
        check(
            json!([insider, cookie]),
            Ok(json!({
                "canary-by-header": "x-canary", "canary-by-header-value": "insider", "canary-by-cookie": "canary",
            })),
        );
        check(json!([]), Ok(json!({})));
    }

    #[test]
    fn every_condition_on_one_header_counts() {
        let pattern = |pattern: &str| {
            Ok(json!({"canary-by-header": "user-agent", "canary-by-header-pattern": pattern}))
        };
        let agent = |condition: Value| header("user-agent", condition);
        check(json!([agent(json!({"regex": ".*Firefox.*"}))]), pattern(".*Firefox.*"));
        check(json!([agent(json!({"prefix": "curl/8."}))]), pattern(r"^curl/8\."));
        check(json!([agent(json!({"suffix": "Gecko"}))]), pattern("Gecko$"));
        check(json!([agent(json!({"exact": "a"})), agent(json!({"exact": "b+"}))]), pattern(r"^a$|^b\+$"));
        check(json!([agent(json!({}))]), Ok(json!({"canary-by-header": "user-agent"})));
        let cookie = header("cookie", json!({"regex": "^(.*?;)?(type=insider)(;.*)?$"}));
        check(
            json!([cookie]),
            Ok(
                json!({"canary-by-header": "cookie", "canary-by-header-pattern": "^(.*?;)?(type=insider)(;.*)?$"}),
            ),
        );
    }

    #[test]
    fn what_cannot_be_expressed_is_a_defect() {
        check(
            json!([header("x-a", json!({"exact": "1"})), header("x-b", json!({"exact": "1"}))]),
            Err(&[
                "spec.analysis.match[1].headers.x-b: is another header than x-a, and ingress-nginx matches one",
            ]),
        );
        check(
            json!([header("cookie", json!({"exact": "a"})), header("cookie", json!({"exact": "b"}))]),
            Err(&[
                "spec.analysis.match[1].headers.cookie: is another cookie than \"a\", and ingress-nginx matches one",
            ]),
        );
        check(
            json!([{"headers": {"x-a": {"exact": "1"}, "x-b": {"exact": "1"}}}]),
            Err(&[
                "spec.analysis.match[0].headers: has 2 conditions, and ingress-nginx matches one, a header or a cookie",
            ]),
        );
        check(
            json!([{"uri": {"prefix": "/api"}}]),
            Err(&[
                "spec.analysis.match[0].uri: is a condition that ingress-nginx does not have; remove it",
                "spec.analysis.match[0].headers: has 0 conditions, and ingress-nginx matches one, a header or a cookie",
            ]),
        );
    }
}
