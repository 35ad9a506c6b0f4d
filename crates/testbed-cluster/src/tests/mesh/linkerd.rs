//! Linkerd with routes of the Gateway API whose parent is the apex.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{APEX, CANARY, pass, requests, shares, site};
use crate::{Cluster, System, view};

/// A route to the apex's Services with these weights, for requests that meet one of `matches`.
fn rule(matches: &Value, primary: u32, canary: u32) -> Value {
    let backend = |name: &str, weight: u32| json!({"name": name, "port": 9898, "weight": weight});
    let backends = [backend("podinfo-primary", primary), backend("podinfo-canary", canary)];
    json!({"matches": matches, "backendRefs": backends})
}

async fn apply(cluster: &Cluster, kind: &str, port: u16, rules: &[Value]) {
    let parent = json!({"group": "core", "kind": "Service", "name": "podinfo", "port": port});
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
        "metadata": {"name": format!("{}-{port}", kind.to_lowercase()), "namespace": "test"},
        "spec": {"parentRefs": [parent], "rules": rules},
    });
    cluster.apply_yaml(&route.to_string()).await.unwrap();
    pass(1.5).await;
}

async fn split(cluster: &Cluster, primary: u32, canary: u32) {
    apply(cluster, "HTTPRoute", 9898, &[rule(&json!([{"path": {"value": "/"}}]), primary, canary)]).await;
}

#[tokio::test(start_paused = true)]
async fn requests_to_the_apex_are_split_by_its_route() {
    let cluster = site(System::Linkerd(&["HTTPRoute"]), "6.0.1", "").await;
    assert_eq!(shares(&cluster).await, (0, 0));
    for canary in [0, 5, 33, 100] {
        split(&cluster, 100 - canary, canary).await;
        assert_eq!(shares(&cluster).await, (u64::from(canary), 0), "{canary}");
    }
    // One that asks for the canary gets it.
    split(&cluster, 100, 0).await;
    assert_eq!(requests(&cluster, CANARY, 20).await.by_version.into_keys().collect::<Vec<_>>(), ["6.0.1"]);
    let live = cluster.get("gateway.networking.k8s.io/v1", "HTTPRoute", "test", "httproute-9898").await;
    let live = live.unwrap().unwrap();
    let conditions = view::list(&live, "/status/parents/0/conditions");
    let said = |one: &Value| format!("{}={}", view::text(one, "/type"), view::text(one, "/status"));
    assert_eq!(conditions.iter().map(said).collect::<Vec<_>>(), ["Accepted=True", "ResolvedRefs=True"]);
    assert_eq!(view::text(&live, "/status/parents/0/controllerName"), "linkerd.io/policy-controller");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_no_rule_takes_gets_404_and_another_port_has_no_route() {
    let cluster = site(System::Linkerd(&["HTTPRoute"]), "6.0.1", "").await;
    let info = json!([{"path": {"type": "Exact", "value": "/api/info"}}]);
    apply(&cluster, "HTTPRoute", 9898, &[rule(&info, 0, 100)]).await;
    let check = async |path: &str, expect: (u16, &str)| {
        let tally = requests(&cluster, &format!("{APEX}{path}"), 10).await;
        let version = tally.by_version.keys().next().cloned().unwrap_or_default();
        assert_eq!((tally.by_status.into_keys().next().unwrap(), version.as_str()), expect, "{path}");
    };
    check("api/info", (200, "6.0.1")).await;
    check("", (404, "")).await;
    split(&cluster, 100, 0).await;
    apply(&cluster, "HTTPRoute", 80, &[rule(&json!([{"path": {"value": "/"}}]), 0, 100)]).await;
    check("", (200, "6.0.0")).await;
}

#[tokio::test(start_paused = true)]
async fn a_traffic_split_wins_over_a_route() {
    let cluster = site(System::Linkerd(&["v1alpha1", "HTTPRoute"]), "6.0.1", "").await;
    split(&cluster, 0, 100).await;
    assert_eq!(shares(&cluster).await, (100, 0));
    let split = r#"apiVersion: split.smi-spec.io/v1alpha1
kind: TrafficSplit
metadata: {name: podinfo, namespace: test}
spec: {service: podinfo, backends: [{service: podinfo-primary, weight: "100"}]}
"#;
    cluster.apply_yaml(split).await.unwrap();
    pass(1.5).await;
    assert_eq!(shares(&cluster).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_grpc_route_takes_calls_by_service_and_method() {
    let cluster = site(System::Linkerd(&["GRPCRoute"]), "6.0.1", "").await;
    let method = |service: &str, method: &str| json!([{"method": {"service": service, "method": method}}]);
    let health = json!([{"method": {"service": "grpc.health.v1.Health"}}]);
    let regex = json!([{"method": {"type": "RegularExpression", "service": "shop\\.(Cart|Till)"}}]);
    let rules = [
        rule(&health, 100, 0),
        rule(&method("grpc.health.v1.Health", "Check"), 0, 100),
        rule(&regex, 0, 100),
    ];
    apply(&cluster, "GRPCRoute", 9898, &rules).await;
    let check = async |path: &str, content: &str, expect: (u16, &str, &str)| {
        let request = Request::post(format!("{APEX}{path}")).header("content-type", content);
        let response = cluster.network().send(request.body(Bytes::new()).unwrap()).await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let got = (response.status().as_u16(), header(crate::VERSION_HEADER), header("grpc-status"));
        assert_eq!((got.0, got.1.as_str(), got.2.as_str()), expect, "{path}");
    };
    check("grpc.health.v1.Health/Check", "application/grpc", (200, "6.0.1", "0")).await;
    check("grpc.health.v1.Health/Check", "application/grpc+proto", (200, "6.0.1", "0")).await;
    check("grpc.health.v1.Health/Watch", "application/grpc", (200, "6.0.0", "12")).await;
    check("shop.Till/Pay", "application/grpc", (200, "6.0.1", "12")).await;
    check("shopXCart/Add", "application/grpc", (404, "", "")).await;
    check("grpc.health.v1.Health/Check", "application/json", (404, "", "")).await;
}
