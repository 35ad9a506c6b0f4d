//! Every query, with its words replaced and its spaces collapsed, beside the text of `metrics.md` 2.2.

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

#[track_caller]
fn check(name: &str, success_rate: &str, duration: &str) {
    let set = crate::MetricCatalog::default().queries(name).expect(name);
    assert_eq!(asked(set.success_rate, "podinfo", "podinfo"), success_rate);
    assert_eq!(asked(set.duration, "podinfo", "podinfo"), duration);
}

#[test]
fn traefik_asks_what_the_contract_says() {
    check(
        "traefik",
        r#"sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"default-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", code!~"5..", le="+Inf" }[1m] ) ) / sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"default-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", le="+Inf" }[1m] ) ) * 100"#,
        r#"histogram_quantile( 0.99, sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"default-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd" }[1m] ) ) by (le) ) * 1000"#,
    );
}

#[test]
fn kuma_asks_what_the_contract_says() {
    check(
        "kuma",
        r#"sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_default_svc_[0-9a-zA-Z-]+", envoy_response_code!~"5.*" }[1m] ) ) / sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_default_svc_[0-9a-zA-Z-]+", }[1m] ) ) * 100"#,
        r#"histogram_quantile( 0.99, sum( rate( envoy_cluster_upstream_rq_time_bucket{ service=~"podinfo-canary_default_svc_[0-9a-zA-Z-]+", }[1m] ) ) by (le) )"#,
    );
}

#[test]
fn istio_asks_what_the_contract_says() {
    check(
        "istio",
        r#"sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo", response_code!~"5.*" }[1m] ) ) / sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo" }[1m] ) ) * 100"#,
        r#"histogram_quantile( 0.99, sum( rate( istio_request_duration_milliseconds_bucket{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo" }[1m] ) ) by (le) )"#,
    );
}

#[test]
fn apisix_asks_what_the_contract_says() {
    check(
        "apisix",
        r#"sum( rate( apisix_http_status{ route=~"default_podinfo-podinfo-canary_.+", code!~"5.." }[1m] ) ) / sum( rate( apisix_http_status{ route=~"default_podinfo-podinfo-canary_.+" }[1m] ) ) * 100"#,
        r#"histogram_quantile( 0.99, sum( rate( apisix_http_latency_bucket{ type=~"request", route=~"default_podinfo-podinfo-canary_.+" }[1m] ) ) by (le) )"#,
    );
}

#[test]
fn http_asks_what_the_contract_says() {
    check(
        "http",
        r#"sum( rate( http_request_duration_seconds_count{ kubernetes_namespace="default", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)", status!~"5.*" }[1m] ) ) / sum( rate( http_request_duration_seconds_count{ kubernetes_namespace="default", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)" }[1m] ) ) * 100"#,
        r#"histogram_quantile( 0.99, sum( rate( http_request_duration_seconds_bucket{ kubernetes_namespace="default", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)" }[1m] ) ) by (le) )"#,
    );
}

#[test]
fn every_set_has_its_own_name_and_no_unknown_word() {
    let names: std::collections::BTreeSet<_> = SETS.iter().map(|set| set.name).collect();
    assert_eq!(names.len(), SETS.len());
    for text in SETS.iter().flat_map(|set| [set.success_rate, set.duration]) {
        for (nth, part) in text.split("{{").enumerate().filter(|(nth, _)| *nth > 0) {
            let word = part.split("}}").next().unwrap_or_default().trim();
            assert!(crate::subject::WORDS.contains(&word), "{word} at {nth} in {text}");
        }
    }
    assert!(crate::MetricCatalog::default().queries("smi:v1alpha1").is_none());
}

#[test]
fn series_are_those_of_the_apex_where_objects_are_named_after_it() {
    for (name, expect) in [
        ("traefik", r#"service=~"default-shop-canary-[0-9a-zA-Z-]+@kubernetescrd""#),
        ("kuma", r#"service=~"shop-canary_default_svc_[0-9a-zA-Z-]+""#),
        ("apisix", r#"route=~"default_podinfo-shop-canary_.+""#),
        ("istio", r#"destination_workload=~"podinfo""#),
        ("http", r#"kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)""#),
    ] {
        let set = crate::MetricCatalog::default().queries(name).expect(name);
        for query in [set.success_rate, set.duration] {
            let text = asked(query, "shop", "podinfo");
            assert!(text.contains(expect), "{text}");
        }
    }
}

#[test]
fn a_name_can_neither_match_others_nor_leave_its_quotes() {
    let istio = crate::MetricCatalog::default().queries("istio").expect("istio");
    let text = asked(istio.duration, "x", r#"v1.2|.*"} or vector(1"#);
    assert!(text.contains(r#"destination_workload=~"v1\\.2\\|\\.\\*\"\\} or vector\\(1" }"#), "{text}");
    let variables = BTreeMap::new();
    let mut odd = words("x", "x", &variables);
    odd.plain.insert("namespace", r#"a.b"c\"#);
    let text = render(istio.duration, &odd);
    assert!(text.contains(r#"destination_workload_namespace="a.b\"c\\","#), "{text}");
}
