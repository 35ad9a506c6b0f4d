//! Names in queries are quoted.

use std::collections::BTreeMap;

use super::*;

fn words<'a>(service: &'a str, target: &'a str, variables: &'a BTreeMap<String, String>) -> Words<'a> {
    let plain = BTreeMap::from([
        ("name", "podinfo"),
        ("namespace", "default"),
        ("target", target),
        ("service", service),
        ("ingress", "podinfo"),
        ("route", "podinfo"),
        ("interval", "1m"),
    ]);
    Words { plain, variables }
}

fn asked(query: &str, service: &str, target: &str) -> String {
    let rendered = render(query, &words(service, target, &BTreeMap::new()));
    rendered.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A query like those of Istio, with names in a string and in a regular expression.
const DURATION: &str = r#"
rate(istio_request_duration_milliseconds_bucket{
  destination_workload_namespace="{{ namespace }}",
  destination_workload=~"{{ target }}"
}[{{ interval }}])"#;

#[test]
fn a_name_can_neither_match_others_nor_leave_its_quotes() {
    let text = asked(DURATION, "x", r#"v1.2|.*"} or vector(1"#);
    assert!(text.contains(r#"destination_workload=~"v1\\.2\\|\\.\\*\"\\} or vector\\(1" }"#), "{text}");
    let variables = BTreeMap::new();
    let mut odd = words("x", "x", &variables);
    odd.plain.insert("namespace", r#"a.b"c\"#);
    let text = render(DURATION, &odd);
    assert!(text.contains(r#"destination_workload_namespace="a.b\"c\\","#), "{text}");
}
