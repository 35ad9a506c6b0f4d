//! Names in queries are quoted.

use std::collections::BTreeMap;

use super::*;

fn context<'a>(
    service: &'a str,
    target: &'a str,
    variables: &'a BTreeMap<String, String>,
) -> TemplateContext<'a> {
    let values = BTreeMap::from([
        ("name", "podinfo"),
        ("namespace", "default"),
        ("target", target),
        ("service", service),
        ("ingress", "podinfo"),
        ("route", "podinfo"),
        ("interval", "1m"),
    ]);
    TemplateContext { values, variables }
}

fn asked(query: &str, service: &str, target: &str) -> String {
    let rendered =
        render(query, LabelNames::Unchanged, &context(service, target, &BTreeMap::new())).expect(query);
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
    let mut odd = context("x", "x", &variables);
    odd.values.insert("namespace", r#"a.b"c\"#);
    let text = render(DURATION, LabelNames::Unchanged, &odd).expect(DURATION);
    assert!(text.contains(r#"destination_workload_namespace="a.b\"c\\","#), "{text}");
}

#[test]
fn names_are_identifiers_where_the_labels_have_them_so() {
    let variables = BTreeMap::new();
    let query =
        r#"rate(a{route=~"kube_{{ namespace }}__{{ service }}_canary(_[0-9]+)?",le="+Inf"}[{{ interval }}])"#;
    let mut odd = context("my-shop.v2", "x", &variables);
    odd.values.insert("interval", "1.5m");
    let text = render(query, LabelNames::Identifiers, &odd).expect(query);
    assert_eq!(text, r#"rate(a{route=~"kube_default__my_shop_v2_canary(_[0-9]+)?",le="+Inf"}[1.5m])"#);
}
