//! Requests through APISIX: the user's route, the generated one that competes with it, and what is measured.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{deployment, pass, rolled_out, service};
use crate::{Cluster, Load, Settings, System, Tally};

/// Version of the primary's pods, then of the canary's.
const PRIMARY: &str = "6.0.0";
const CANARY: &str = "6.0.1";

/// A cluster with the pods and Services of primary and canary, and the guide's ApisixRoute to the apex.
async fn ready_site(canary: &str, env: &str) -> Cluster {
    let settings = Settings { system: System::Apisix, ..Settings::default() };
    let cluster = Cluster::with(settings).await.unwrap();
    let parts = [
        deployment("podinfo-primary", 2, &format!("podinfo:{PRIMARY}"), "", ""),
        deployment("podinfo", 2, &format!("podinfo:{canary}"), "", env),
        service("podinfo", "podinfo-primary"),
        service("podinfo-primary", "podinfo-primary"),
        service("podinfo-canary", "podinfo"),
    ];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    route(&cluster, "podinfo", "", &[("podinfo", None)]).await;
    rolled_out(&cluster, "podinfo-primary").await;
    pass(1.5).await;
    cluster
}

/// An ApisixRoute for `app.example.com` with the guide's plugin; `more` are further fields of its rule.
async fn route(cluster: &Cluster, name: &str, more: &str, backends: &[(&str, Option<u32>)]) {
    let backends: Vec<String> = backends
        .iter()
        .map(|(name, weight)| {
            let weight = weight.map_or(String::new(), |weight| format!(", weight: {weight}"));
            format!("{{serviceName: {name}, servicePort: 80{weight}}}")
        })
        .collect();
    let route = format!(
        "apiVersion: apisix.apache.org/v2
kind: ApisixRoute
metadata: {{name: {name}, namespace: test}}
spec:
  http:
  - name: method
    match: {{hosts: [app.example.com], methods: [GET], paths: [\"/*\"]}}
    backends: [{}]
    plugins: [{{name: prometheus, enable: true, config: {{disable: false, prefer_name: true}}}}]
    {more}
",
        backends.join(", ")
    );
    cluster.apply_yaml(&route).await.unwrap();
}

/// The generated route with these weights, at work.
async fn split(cluster: &Cluster, primary: u32, canary: u32) {
    let backends = [("podinfo-primary", Some(primary)), ("podinfo-canary", Some(canary))];
    route(cluster, "podinfo-podinfo-canary", "priority: 10000", &backends).await;
    pass(1.5).await;
}

fn site() -> Load {
    Load::new("http://apisix-gateway.apisix/").host("app.example.com").per_second(500)
}

async fn requests(cluster: &Cluster, count: u64) -> Tally {
    cluster.load(site().requests(count)).finished().await
}

/// Sends `METHOD host/path` once.
async fn check(cluster: &Cluster, asked: &str, expect: u16) {
    let (method, place) = asked.split_once(' ').unwrap();
    let (host, path) = place.split_once('/').unwrap();
    let request = Request::builder().method(method).header("host", host);
    let request = request.uri(format!("http://apisix-gateway.apisix/{path}")).body(Bytes::new()).unwrap();
    let response = cluster.network().send(request).await.unwrap();
    assert_eq!(response.status().as_u16(), expect, "{asked}");
}

#[tokio::test(start_paused = true)]
async fn the_split_measured_is_the_split_asked() {
    let cluster = ready_site(CANARY, "").await;
    for canary in [0, 5, 10, 33, 50, 100] {
        split(&cluster, 100 - canary, canary).await;
        let tally = requests(&cluster, 1000).await;
        assert_eq!(tally.errors(), 0, "{tally:?}");
        let share = tally.share(CANARY) * 100.0;
        assert!((share - f64::from(canary)).abs() < 1.0, "asked {canary} %, measured {share} %");
    }
}

#[tokio::test(start_paused = true)]
async fn weights_are_relative_and_none_is_100() {
    let cluster = ready_site(CANARY, "").await;
    for (primary, canary, expect) in
        [(Some(1), Some(3), 75.0), (None, Some(100), 50.0), (Some(0), None, 100.0)]
    {
        let backends = [("podinfo-primary", primary), ("podinfo-canary", canary)];
        route(&cluster, "podinfo-podinfo-canary", "priority: 1", &backends).await;
        pass(1.5).await;
        assert_eq!(requests(&cluster, 100).await.share(CANARY) * 100.0, expect);
    }
    // A backend that is alone takes everything.
    route(&cluster, "podinfo-podinfo-canary", "priority: 1", &[("podinfo-canary", Some(0))]).await;
    pass(1.5).await;
    assert_eq!(requests(&cluster, 10).await.share(CANARY), 1.0);
}

#[tokio::test(start_paused = true)]
async fn the_users_route_serves_before_and_after_the_generated_one() {
    let cluster = ready_site(CANARY, "").await;
    assert_eq!(requests(&cluster, 10).await.share(PRIMARY), 1.0);
    split(&cluster, 0, 100).await;
    assert_eq!(requests(&cluster, 10).await.share(CANARY), 1.0);
    let kind = ("apisix.apache.org/v2", "ApisixRoute");
    assert!(cluster.delete(kind.0, kind.1, "test", "podinfo-podinfo-canary").await.unwrap());
    pass(0.9).await;
    assert_eq!(requests(&cluster, 1).await.share(CANARY), 1.0);
    pass(0.2).await;
    assert_eq!(requests(&cluster, 10).await.share(PRIMARY), 1.0);
    assert!(cluster.delete(kind.0, kind.1, "test", "podinfo").await.unwrap());
    pass(1.5).await;
    check(&cluster, "GET app.example.com/", 404).await;
}

#[tokio::test(start_paused = true)]
async fn the_higher_priority_wins_in_any_order() {
    let cluster = ready_site(CANARY, "").await;
    split(&cluster, 0, 100).await;
    for (priority, expect) in [(9999, CANARY), (10001, PRIMARY)] {
        route(&cluster, "podinfo", &format!("priority: {priority}"), &[("podinfo", None)]).await;
        pass(1.5).await;
        assert_eq!(requests(&cluster, 10).await.share(expect), 1.0, "{priority}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_route_takes_other_requests() {
    let cluster = ready_site(CANARY, "").await;
    check(&cluster, "GET app.example.com/", 200).await;
    check(&cluster, "GET APP.example.com:80/", 200).await;
    check(&cluster, "POST app.example.com/", 404).await;
    check(&cluster, "GET other.example.com/", 404).await;
    let rule = json!({
        "name": "method", "backends": [{"serviceName": "podinfo", "servicePort": "http"}],
        "match": {"hosts": ["*.example.com"], "paths": ["/status/204", "/api/*"]},
    });
    let spec = json!({"spec": {"http": [rule]}});
    cluster.merge(("apisix.apache.org/v2", "ApisixRoute"), ("test", "podinfo"), &spec).await.unwrap();
    pass(1.5).await;
    check(&cluster, "GET other.example.com/", 404).await;
    check(&cluster, "GET other.example.com/api/info", 200).await;
    check(&cluster, "POST app.example.com/status/204", 204).await;
    check(&cluster, "POST app.example.com/status/205", 404).await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_without_ready_pods_answers_503_and_only_its_share() {
    let cluster = ready_site("broken", "").await;
    split(&cluster, 100, 0).await;
    assert_eq!(requests(&cluster, 100).await.by_status, BTreeMap::from([(200, 100)]));
    split(&cluster, 75, 25).await;
    assert_eq!(requests(&cluster, 100).await.by_status, BTreeMap::from([(200, 75), (503, 25)]));
    assert!(cluster.gateway_metrics().contains(
        "apisix_http_status{code=\"503\",matched_host=\"app.example.com\",matched_uri=\"/*\",\
         route=\"test_podinfo-podinfo-canary_method\"} 25"
    ));
}

#[tokio::test(start_paused = true)]
async fn a_route_to_a_service_that_does_not_exist_is_not_taken_over() {
    let cluster = ready_site(CANARY, "").await;
    split(&cluster, 50, 50).await;
    let lost = [("podinfo-primary", Some(0)), ("podinfo-lost", Some(100))];
    route(&cluster, "podinfo-podinfo-canary", "priority: 10000", &lost).await;
    pass(1.5).await;
    assert_eq!(requests(&cluster, 100).await.share(CANARY), 0.5);
    cluster.apply_yaml(&service("podinfo-lost", "podinfo")).await.unwrap();
    pass(2.5).await;
    assert_eq!(requests(&cluster, 100).await.share(CANARY), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_seen_as_502_until_the_gateway_knows_and_then_as_503() {
    let cluster = ready_site(CANARY, "{name: CRASH_WHEN_SERVING, value: \"true\"}").await;
    split(&cluster, 75, 25).await;
    let load = cluster.load(site().per_second(100).lasting(Duration::from_secs(5)));
    pass(0.8).await;
    let first = load.tally();
    assert!(first.by_status.get(&502).is_some_and(|count| *count > 5), "{first:?}");
    let rest = load.finished().await.since(&first);
    assert!(rest.by_status.get(&503).is_some_and(|count| *count > 50), "{rest:?}");
    assert!(rest.by_status.get(&200).is_some_and(|count| *count > 200), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_route_is_measured_by_its_name_when_the_plugin_says_so() {
    let cluster = ready_site(CANARY, "").await;
    requests(&cluster, 3).await;
    let counts = |route: &str| {
        let metrics = cluster.gateway_metrics();
        let line = metrics.lines().find(|line| {
            line.starts_with("apisix_http_status{") && line.contains(&format!("route=\"{route}\""))
        });
        line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    assert!(counts("test_podinfo_method").is_some());
    let plugin = |text: &str| {
        let plugins: Value = serde_json::from_str(text).unwrap();
        json!({"spec": {"http": [{
            "name": "method", "backends": [{"serviceName": "podinfo", "servicePort": 80}],
            "match": {"paths": ["/*"]}, "plugins": plugins,
        }]}})
    };
    let kind = ("apisix.apache.org/v2", "ApisixRoute");
    let before = cluster.gateway_metrics();
    for text in [
        "[]",
        r#"[{"name": "prometheus", "enable": false, "config": {"prefer_name": true}}]"#,
        r#"[{"name": "prometheus", "enable": true, "config": {"prefer_name": true, "disable": true}}]"#,
    ] {
        cluster.merge(kind, ("test", "podinfo"), &plugin(text)).await.unwrap();
        pass(1.5).await;
        requests(&cluster, 3).await;
        assert_eq!(cluster.gateway_metrics(), before, "{text}");
    }
    let unnamed = plugin(r#"[{"name": "prometheus", "enable": true}]"#);
    cluster.merge(kind, ("test", "podinfo"), &unnamed).await.unwrap();
    pass(1.5).await;
    requests(&cluster, 4).await;
    // The CRC-32 of test_podinfo_method.
    assert!(counts("be4cbe49").is_some(), "{}", cluster.gateway_metrics());
}
