//! Istio: VirtualServices.

use super::{APEX, CANARY, FAULTY, measured, near, pass, requests, shares, site, value};
use crate::{Cluster, Load, System};

/// A VirtualService with these HTTP routes, in YAML.
fn virtual_service(name: &str, hosts: &str, http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {{name: {name}, namespace: test}}
spec: {{hosts: {hosts}, http: {http}}}
"
    )
}

fn split(primary: u32, canary: u32) -> String {
    let to = |host: &str, weight: u32| format!("{{destination: {{host: {host}}}, weight: {weight}}}");
    format!("route: [{}, {}]", to("podinfo-primary", primary), to("podinfo-canary", canary))
}

async fn routed(cluster: &Cluster, http: &str) -> (u64, u64) {
    cluster.apply_yaml(&virtual_service("podinfo", "[podinfo]", http)).await.unwrap();
    pass(1.1).await;
    shares(cluster).await
}

/// The share of the canary for requests with a header.
async fn with_header(cluster: &Cluster, name: &str, value: &str) -> f64 {
    let load = Load::new(APEX).header(name, value).per_second(500).requests(100);
    cluster.load(load).finished().await.share("6.0.1")
}

#[tokio::test(start_paused = true)]
async fn the_split_measured_is_the_split_asked() {
    let cluster = site(System::Istio, "6.0.1", "").await;
    assert_eq!(shares(&cluster).await, (0, 0), "without a route the apex has its own pods");
    for canary in [0, 5, 50, 67, 100] {
        let http = format!("[{{{}}}]", split(100 - canary, canary));
        assert_eq!(routed(&cluster, &http).await, (u64::from(canary), 0));
    }
    let alone = "[{route: [{destination: {host: podinfo-canary.test.svc.cluster.local}}]}]";
    assert_eq!(routed(&cluster, alone).await, (100, 0), "a destination that is alone needs no weight");
    assert!(
        cluster.delete("networking.istio.io/v1beta1", "VirtualService", "test", "podinfo").await.unwrap()
    );
    pass(1.1).await;
    assert_eq!(shares(&cluster).await, (0, 0), "a deleted route splits nothing");
}

#[tokio::test(start_paused = true)]
async fn the_first_route_whose_conditions_are_met_is_taken() {
    let cluster = site(System::Istio, "6.0.1", "").await;
    let condition = "match: [{headers: {x-canary: {exact: insider}}}]";
    let http = format!("[{{{condition}, {}}}, {{{}}}]", split(0, 100), split(100, 0));
    assert_eq!(routed(&cluster, &http).await, (0, 0));
    assert_eq!(with_header(&cluster, "x-canary", "insider").await, 1.0);
    assert_eq!(with_header(&cluster, "x-canary", "other").await, 0.0);
    cluster
        .apply_yaml(&virtual_service(
            "podinfo",
            "[podinfo]",
            &format!("[{{{condition}, {}}}]", split(0, 100)),
        ))
        .await
        .unwrap();
    pass(1.1).await;
    let lost = requests(&cluster, APEX, 1).await;
    assert_eq!(lost.by_status, [(404, 1)].into(), "no condition is met");
}

#[tokio::test(start_paused = true)]
async fn the_routes_of_a_delegate_take_its_place() {
    let cluster = site(System::Istio, "6.0.1", "").await;
    let delegate = format!("[{{{}}}]", split(50, 50));
    cluster.apply_yaml(&virtual_service("delegate", "[]", &delegate)).await.unwrap();
    let root = "[{match: [{uri: {prefix: /}}], delegate: {name: delegate, namespace: test}}]";
    assert_eq!(routed(&cluster, root).await, (50, 0));
}

#[tokio::test(start_paused = true)]
async fn copies_reach_the_canary_and_clients_do_not() {
    let cluster = site(System::Istio, "6.0.1", "").await;
    let mirror = "mirror: {host: podinfo-canary}, mirrorPercentage: {value: 50}";
    assert_eq!(routed(&cluster, &format!("[{{{}, {mirror}}}]", split(100, 0))).await, (0, 0));
    requests(&cluster, APEX, 100).await;
    pass(16.0).await;
    let series = r#"sum(istio_requests_total{reporter="destination",destination_workload="podinfo"})"#;
    assert_eq!(value(&cluster, series), Some(100.0), "half of twice a hundred requests");
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_destination_are_added_to_its_responses() {
    let cluster = site(System::Istio, "6.0.1", "").await;
    let cookie = "headers: {response: {add: {Set-Cookie: 'a=b'}}}";
    let http = format!("[{{route: [{{destination: {{host: podinfo-canary}}, weight: 100, {cookie}}}]}}]");
    assert_eq!(routed(&cluster, &http).await, (100, 0));
    let request = http::Request::get(APEX).body(bytes::Bytes::new()).unwrap();
    let response = cluster.network().send(request).await.unwrap();
    assert_eq!(response.headers()["set-cookie"], "a=b");
    let straight = requests(&cluster, CANARY, 1).await;
    assert_eq!(straight.by_status, [(200, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn the_series_say_how_the_canary_does() {
    let cluster = site(System::Istio, "6.0.1", FAULTY).await;
    cluster
        .apply_yaml(&virtual_service("podinfo", "[podinfo]", &format!("[{{{}}}]", split(50, 50))))
        .await
        .unwrap();
    pass(1.1).await;
    let success = r#"sum(rate(istio_requests_total{reporter="destination",destination_workload="podinfo",response_code!~"5.*"}[1m])) / sum(rate(istio_requests_total{reporter="destination",destination_workload="podinfo"}[1m])) * 100"#;
    let (rate, _) = measured(&cluster, success, success).await;
    assert!(near(rate, 80.0), "{rate:?}");
}
