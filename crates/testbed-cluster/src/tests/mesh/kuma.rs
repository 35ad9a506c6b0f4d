//! Kuma: TrafficRoute and MeshHTTPRoute.

use serde_json::json;

use super::{APEX, CANARY, check_queries, measured, pass, requests, shares, site, value};
use crate::{Cluster, Settings, System};

const TRAFFIC_ROUTE: System = System::Kuma(&["TrafficRoute"]);
const MESH_HTTP_ROUTE: System = System::Kuma(&["MeshHTTPRoute"]);

/// A TrafficRoute as we write it.
fn traffic_route(name: &str, mesh: &str, primary: u32, canary: u32) -> String {
    format!(
        "apiVersion: kuma.io/v1alpha1
kind: TrafficRoute
mesh: {mesh}
metadata: {{name: {name}}}
spec:
  sources: [{{match: {{kuma.io/service: '*'}}}}]
  destinations: [{{match: {{kuma.io/service: podinfo_test_svc_9898}}}}]
  conf:
    split:
    - {{weight: {primary}, destination: {{kuma.io/service: podinfo-primary_test_svc_9898}}}}
    - {{weight: {canary}, destination: {{kuma.io/service: podinfo-canary_test_svc_9898}}}}
"
    )
}

/// A MeshHTTPRoute as we write it, with another port of the canary where one is wanted.
fn mesh_http_route(mesh: &str, primary: u32, canary: u32, port: u16) -> String {
    let labels = |name: &str| format!("{{kuma.io/display-name: {name}, k8s.kuma.io/namespace: test}}");
    let backend = |name: &str, port: u16, weight: u32| {
        format!("{{kind: MeshService, labels: {}, port: {port}, weight: {weight}}}", labels(name))
    };
    format!(
        "apiVersion: kuma.io/v1alpha1
kind: MeshHTTPRoute
metadata: {{name: podinfo.test, namespace: kuma-system, labels: {{kuma.io/mesh: {mesh}}}}}
spec:
  targetRef: {{kind: Mesh}}
  to:
  - targetRef: {{kind: MeshService, labels: {}, sectionName: http}}
    rules:
    - matches: [{{path: {{type: PathPrefix, value: /}}}}]
      default: {{backendRefs: [{}, {}]}}
",
        labels("podinfo"),
        backend("podinfo-primary", 9898, primary),
        backend("podinfo-canary", port, canary),
    )
}

fn route(system: System, mesh: &str, primary: u32, canary: u32) -> String {
    match system {
        TRAFFIC_ROUTE => traffic_route("podinfo", mesh, primary, canary),
        _ => mesh_http_route(mesh, primary, canary, 9898),
    }
}

async fn delete_route(cluster: &Cluster) -> bool {
    match cluster.system() {
        TRAFFIC_ROUTE => cluster.delete("kuma.io/v1alpha1", "TrafficRoute", "", "podinfo").await.unwrap(),
        _ => {
            let (kind, name) = ("MeshHTTPRoute", "podinfo.test");
            cluster.delete("kuma.io/v1alpha1", kind, "kuma-system", name).await.unwrap()
        }
    }
}

/// Applies a route, lets the sidecars follow, and answers the shares of the canary and of 503 in percent.
async fn routed(cluster: &Cluster, route: &str) -> (u64, u64) {
    cluster.apply_yaml(route).await.unwrap();
    pass(1.1).await;
    shares(cluster).await
}

#[tokio::test(start_paused = true)]
async fn the_split_measured_is_the_split_asked() {
    for system in [TRAFFIC_ROUTE, MESH_HTTP_ROUTE] {
        let cluster = site(system, "6.0.1", "").await;
        assert_eq!(shares(&cluster).await, (0, 0), "without a route the apex has its own pods");
        for canary in [0, 5, 50, 67, 100] {
            let route = route(system, "default", 100 - canary, canary);
            assert_eq!(routed(&cluster, &route).await, (u64::from(canary), 0), "{system:?}");
        }
        assert!(delete_route(&cluster).await);
        pass(1.1).await;
        assert_eq!(shares(&cluster).await, (0, 0), "a deleted route splits nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_the_service_does_not_have_is_refused() {
    let cluster = site(TRAFFIC_ROUTE, "6.0.1", "").await;
    let seen = requests(&cluster, "http://podinfo.test/", 1).await;
    assert_eq!(seen.failed, [("service podinfo.test has no port 80".to_owned(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn weights_are_relative() {
    let cluster = site(TRAFFIC_ROUTE, "6.0.1", "").await;
    assert_eq!(routed(&cluster, &traffic_route("podinfo", "default", 3, 1)).await, (25, 0));
}

#[tokio::test(start_paused = true)]
async fn sidecars_follow_a_change_after_one_second() {
    for system in [TRAFFIC_ROUTE, MESH_HTTP_ROUTE] {
        let cluster = site(system, "6.0.1", "").await;
        assert_eq!(routed(&cluster, &route(system, "default", 100, 0)).await, (0, 0));
        cluster.apply_yaml(&route(system, "default", 0, 100)).await.unwrap();
        pass(0.9).await;
        assert_eq!(requests(&cluster, APEX, 1).await.share("6.0.0"), 1.0);
        pass(0.2).await;
        assert_eq!(requests(&cluster, APEX, 1).await.share("6.0.1"), 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_of_a_service_without_endpoints_gets_503() {
    for system in [TRAFFIC_ROUTE, MESH_HTTP_ROUTE] {
        let cluster = site(system, "broken", "").await;
        assert_eq!(routed(&cluster, &route(system, "default", 100, 0)).await, (0, 0));
        assert_eq!(routed(&cluster, &route(system, "default", 80, 20)).await, (0, 20));
        let straight = requests(&cluster, CANARY, 1).await;
        assert_eq!(straight.by_status, [(503, 1)].into());
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_of_another_mesh_does_nothing() {
    for system in [TRAFFIC_ROUTE, MESH_HTTP_ROUTE] {
        let cluster = site(system, "6.0.1", "").await;
        assert_eq!(routed(&cluster, &route(system, "elsewhere", 50, 50)).await, (0, 0));
        cluster.apply_yaml(&route(system, "default", 50, 50)).await.unwrap();
        assert!(cluster.delete("kuma.io/v1alpha1", "Mesh", "", "default").await.unwrap());
        pass(1.1).await;
        assert_eq!(shares(&cluster).await, (0, 0), "without a mesh there are no routes");
    }
}

#[tokio::test(start_paused = true)]
async fn the_more_specific_traffic_route_wins_and_of_equals_the_younger() {
    let cluster = site(TRAFFIC_ROUTE, "6.0.1", "").await;
    assert_eq!(routed(&cluster, &traffic_route("a", "default", 0, 100)).await, (100, 0));
    assert_eq!(routed(&cluster, &traffic_route("b", "default", 100, 0)).await, (0, 0));
    let caller =
        json!({"spec": {"sources": [{"match": {"kuma.io/service": "flagger-loadtester_test_svc_80"}}]}});
    let kind = ("kuma.io/v1alpha1", "TrafficRoute");
    cluster.merge(kind, ("", "a"), &caller).await.unwrap();
    pass(1.1).await;
    assert_eq!(shares(&cluster).await, (100, 0));
    let others = json!({"spec": {"sources": [{"match": {"kuma.io/service": "web_test_svc_80"}}]}});
    cluster.merge(kind, ("", "a"), &others).await.unwrap();
    pass(1.1).await;
    assert_eq!(shares(&cluster).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn backends_that_are_not_there_get_nothing_and_alone_500() {
    let cluster = site(MESH_HTTP_ROUTE, "6.0.1", "").await;
    assert_eq!(routed(&cluster, &mesh_http_route("default", 50, 50, 80)).await, (0, 0));
    cluster.apply_yaml(&mesh_http_route("default", 0, 100, 80)).await.unwrap();
    pass(1.1).await;
    assert_eq!(requests(&cluster, APEX, 1).await.by_status, [(500, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn rules_take_the_requests_that_they_match() {
    let cluster = site(MESH_HTTP_ROUTE, "6.0.1", "").await;
    let route = mesh_http_route("default", 0, 100, 9898).replace("value: /}", "value: /api}");
    cluster.apply_yaml(&route).await.unwrap();
    pass(1.1).await;
    let check = async |path: &str, expect: u16, version: &str| {
        let tally = requests(&cluster, &format!("{APEX}{path}"), 1).await;
        assert_eq!(tally.by_status, [(expect, 1)].into(), "{path}");
        assert_eq!(tally.by_version.keys().map(String::as_str).collect::<String>(), version, "{path}");
    };
    check("api/info", 200, "6.0.1").await;
    check("api", 404, "6.0.1").await;
    check("apish", 404, "").await;
    check("", 404, "").await;
}

#[tokio::test(start_paused = true)]
async fn definitions_come_and_go_while_it_runs() {
    for system in [TRAFFIC_ROUTE, MESH_HTTP_ROUTE, System::Kuma(&[])] {
        let settings = Settings { system, install_crds: false, ..Settings::default() };
        let bare = Cluster::with(settings).await.unwrap();
        assert!(bare.apply_yaml(&route(system, "default", 50, 50)).await.is_err());
        bare.install_crds().await.unwrap();
        bare.apply_yaml(&route(system, "default", 50, 50)).await.unwrap();

        let cluster = site(system, "6.0.1", "").await;
        for _ in 0..2 {
            assert_eq!(routed(&cluster, &route(system, "default", 50, 50)).await, (50, 0), "{system:?}");
            cluster.remove_crds().await.unwrap();
            pass(3.0).await;
            assert_eq!(shares(&cluster).await, (0, 0), "{system:?}");
            cluster.install_crds().await.unwrap();
            pass(3.0).await;
        }
    }
}

/// The built-in queries for the provider `kuma`, rendered for `podinfo` with an interval of 1m.
const SUCCESS: &str = r#"sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+", envoy_response_code!~"5.*" }[1m] ) ) / sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+", }[1m] ) ) * 100"#;
const DURATION: &str = r#"histogram_quantile( 0.99, sum( rate( envoy_cluster_upstream_rq_time_bucket{ service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+", }[1m] ) ) by (le) )"#;

async fn canary_of(image: &str, env: &str) -> (Option<f64>, Option<f64>) {
    let cluster = site(TRAFFIC_ROUTE, image, env).await;
    cluster.apply_yaml(&traffic_route("podinfo", "default", 50, 50)).await.unwrap();
    pass(1.1).await;
    measured(&cluster, SUCCESS, DURATION).await
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_not_known_to_speak_http_counts_nothing() {
    let cluster = site(TRAFFIC_ROUTE, "6.0.1", "").await;
    let mute = json!({"metadata": {"annotations": {"9898.service.kuma.io/protocol": null}}});
    cluster.merge(("v1", "Service"), ("test", "podinfo-canary"), &mute).await.unwrap();
    cluster.apply_yaml(&traffic_route("podinfo", "default", 50, 50)).await.unwrap();
    pass(1.1).await;
    assert_eq!(measured(&cluster, SUCCESS, DURATION).await, (None, None));
    let declared = json!({"spec": {"ports": [{"name": "http", "port": 9898, "targetPort": "http", "appProtocol": "http"}]}});
    cluster.merge(("v1", "Service"), ("test", "podinfo-canary"), &declared).await.unwrap();
    pass(1.1).await;
    assert_eq!(measured(&cluster, SUCCESS, DURATION).await.0, Some(100.0));
}

#[tokio::test(start_paused = true)]
async fn each_proxy_counts_for_itself() {
    let cluster = site(TRAFFIC_ROUTE, "6.0.1", "").await;
    cluster.apply_yaml(&traffic_route("podinfo", "default", 75, 25)).await.unwrap();
    pass(1.1).await;
    requests(&cluster, APEX, 400).await;
    requests(&cluster, CANARY, 20).await;
    pass(5.0).await;
    let check = |labels: &str, expect: f64| {
        let query = format!("sum(envoy_cluster_upstream_rq{{{labels}}})");
        assert_eq!(value(&cluster, &query), Some(expect), "{labels}");
    };
    check(
        r#"service="podinfo-canary_test_svc_9898", envoy_cluster_name="localhost_9898", mesh="default""#,
        120.0,
    );
    check(r#"service="podinfo-primary_test_svc_9898", envoy_cluster_name="localhost_9898""#, 300.0);
    check(
        r#"service="flagger-loadtester_test_svc_80", envoy_cluster_name="podinfo-canary_test_svc_9898""#,
        120.0,
    );
    check(r#"kuma_io_services=",podinfo-primary_test_svc_9898,podinfo_test_svc_9898,""#, 300.0);
    check(r#"service="flagger-loadtester_test_svc_80""#, 420.0);
}

#[tokio::test(start_paused = true)]
async fn what_the_proxies_measured_answers_the_built_in_queries() {
    check_queries(canary_of).await;
}
