//! SMI on Istio: TrafficSplit in each of its versions.

use std::time::Duration;

use super::{APEX, CANARY, check_queries, measured, pass, requests, shares, site, value};
use crate::{Cluster, Load, Settings, System, Tally};

const V1ALPHA1: System = System::SmiIstio(&["v1alpha1"]);

/// A TrafficSplit as we write it.
fn split(version: &str, host: &str, gateways: &str, primary: u32, canary: u32) -> String {
    let weight = |weight: u32| match version {
        "v1alpha1" => format!("'{weight}'"),
        _ => weight.to_string(),
    };
    let annotation = "VirtualService.v1alpha3.networking.istio.io/spec.gateways";
    let annotations = match gateways {
        "" => String::new(),
        gateways => format!(", annotations: {{{annotation}: '{gateways}'}}"),
    };
    format!(
        "apiVersion: split.smi-spec.io/{version}
kind: TrafficSplit
metadata: {{name: podinfo, namespace: test{annotations}}}
spec:
  service: {host}
  backends:
  - {{service: podinfo-canary, weight: {}}}
  - {{service: podinfo-primary, weight: {}}}
",
        weight(canary),
        weight(primary),
    )
}

async fn routed(cluster: &Cluster, split: &str) -> (u64, u64) {
    cluster.apply_yaml(split).await.unwrap();
    pass(1.1).await;
    shares(cluster).await
}

#[tokio::test(start_paused = true)]
async fn the_split_measured_is_the_split_asked_in_each_version() {
    for version in ["v1alpha1", "v1alpha2", "v1alpha3"] {
        let served: &'static [&'static str] = match version {
            "v1alpha1" => &["v1alpha1"],
            "v1alpha2" => &["v1alpha2"],
            _ => &[],
        };
        let cluster = site(System::SmiIstio(served), "6.0.1", "").await;
        assert_eq!(shares(&cluster).await, (0, 0), "without a route the apex has its own pods");
        for canary in [0, 5, 50, 67, 100] {
            let split = split(version, "podinfo", "", 100 - canary, canary);
            assert_eq!(routed(&cluster, &split).await, (u64::from(canary), 0), "{version}");
        }
        let api = format!("split.smi-spec.io/{version}");
        assert!(cluster.delete(&api, "TrafficSplit", "test", "podinfo").await.unwrap());
        pass(1.1).await;
        assert_eq!(shares(&cluster).await, (0, 0), "a deleted route splits nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn sidecars_follow_a_change_after_one_second() {
    let cluster = site(V1ALPHA1, "6.0.1", "").await;
    assert_eq!(routed(&cluster, &split("v1alpha1", "podinfo", "", 100, 0)).await, (0, 0));
    cluster.apply_yaml(&split("v1alpha1", "podinfo", "", 0, 100)).await.unwrap();
    pass(0.9).await;
    assert_eq!(requests(&cluster, APEX, 1).await.share("6.0.0"), 1.0);
    pass(0.2).await;
    assert_eq!(requests(&cluster, APEX, 1).await.share("6.0.1"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_a_service_without_endpoints_gets_503() {
    let cluster = site(V1ALPHA1, "broken", "").await;
    assert_eq!(routed(&cluster, &split("v1alpha1", "podinfo", "", 100, 0)).await, (0, 0));
    assert_eq!(routed(&cluster, &split("v1alpha1", "podinfo", "", 80, 20)).await, (0, 20));
    assert_eq!(requests(&cluster, CANARY, 1).await.by_status, [(503, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn a_split_without_weight_is_none() {
    let cluster = site(V1ALPHA1, "6.0.1", "").await;
    assert_eq!(routed(&cluster, &split("v1alpha1", "podinfo", "", 0, 0)).await, (0, 0));
}

const PUBLIC_GATEWAY: &str = "
apiVersion: networking.istio.io/v1alpha3
kind: Gateway
metadata: {name: public-gateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
";
const GATEWAYS: &str = r#"["public-gateway.istio-system.svc.cluster.local"]"#;

async fn from_outside(cluster: &Cluster) -> Tally {
    let named = Load::new("http://istio-ingressgateway.istio-system/").host("app.example.com");
    let resolved = cluster.load(Load::new("http://app.example.com/").requests(10)).finished().await;
    let seen = cluster.load(named.per_second(500).requests(100)).finished().await;
    assert_eq!(seen.by_status.keys().next(), resolved.by_status.keys().next(), "{resolved:?}");
    seen
}

#[tokio::test(start_paused = true)]
async fn with_gateways_listed_they_alone_follow() {
    let cluster = site(V1ALPHA1, "6.0.1", "").await;
    let route = split("v1alpha1", "app.example.com", GATEWAYS, 50, 50);
    assert_eq!(routed(&cluster, &route).await, (0, 0), "sidecars do not");
    assert_eq!(from_outside(&cluster).await.by_status, [(404, 100)].into(), "the Gateway is missing");
    cluster.apply_yaml(PUBLIC_GATEWAY).await.unwrap();
    pass(1.1).await;
    let seen = from_outside(&cluster).await;
    assert_eq!((seen.errors(), seen.share("6.0.1")), (0, 0.5), "{seen:?}");
    let everywhere = split("v1alpha1", "podinfo", r#"["istio-system/public-gateway", "mesh"]"#, 50, 50);
    assert_eq!(routed(&cluster, &everywhere).await, (50, 0));
}

#[tokio::test(start_paused = true)]
async fn definitions_come_and_go_while_it_runs() {
    let settings = Settings { system: V1ALPHA1, install_crds: false, ..Settings::default() };
    let bare = Cluster::with(settings).await.unwrap();
    assert!(bare.apply_yaml(&split("v1alpha1", "podinfo", "", 50, 50)).await.is_err());
    let cluster = site(V1ALPHA1, "6.0.1", "").await;
    assert!(cluster.apply_yaml(&split("v1alpha2", "podinfo", "", 50, 50)).await.is_err(), "not served");
    for _ in 0..2 {
        assert_eq!(routed(&cluster, &split("v1alpha1", "podinfo", "", 50, 50)).await, (50, 0));
        cluster.remove_crds().await.unwrap();
        pass(3.0).await;
        assert_eq!(shares(&cluster).await, (0, 0));
        cluster.install_crds().await.unwrap();
        pass(3.0).await;
    }
}

/// The built-in queries for `istio` and `smi:*`, rendered for `podinfo` with an interval of 1m.
const SUCCESS: &str = r#"sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo", response_code!~"5.*" }[1m] ) ) / sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo" }[1m] ) ) * 100"#;
const DURATION: &str = r#"histogram_quantile( 0.99, sum( rate( istio_request_duration_milliseconds_bucket{ reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo" }[1m] ) ) by (le) )"#;

async fn canary_of(image: &str, env: &str) -> (Option<f64>, Option<f64>) {
    let cluster = site(V1ALPHA1, image, env).await;
    cluster.apply_yaml(&split("v1alpha1", "podinfo", "", 50, 50)).await.unwrap();
    pass(1.1).await;
    measured(&cluster, SUCCESS, DURATION).await
}

#[tokio::test(start_paused = true)]
async fn both_sides_report_and_a_request_that_reaches_no_pod_only_one() {
    let cluster = site(V1ALPHA1, "broken", "").await;
    cluster.apply_yaml(&split("v1alpha1", "podinfo", "", 75, 25)).await.unwrap();
    pass(1.1).await;
    requests(&cluster, APEX, 400).await;
    pass(5.0).await;
    let check = |labels: &str, expect: f64| {
        let query = format!("sum(istio_requests_total{{{labels}}})");
        assert_eq!(value(&cluster, &query), Some(expect), "{labels}");
    };
    check(
        r#"reporter="destination", destination_workload="podinfo-primary", destination_app="podinfo-primary""#,
        300.0,
    );
    check(r#"reporter="source", destination_workload="podinfo-primary", response_flags="-""#, 300.0);
    check(r#"reporter="destination""#, 300.0);
    let lost = r#"destination_service="podinfo-canary.test.svc.cluster.local", response_flags="UH""#;
    check(
        &format!(r#"{lost}, reporter="source", destination_workload="unknown", response_code="503""#),
        100.0,
    );
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_reported_by_the_sidecar_that_outlives_it() {
    let cluster = site(V1ALPHA1, "6.0.1", "{name: CRASH_WHEN_SERVING, value: \"true\"}").await;
    cluster.apply_yaml(&split("v1alpha1", "podinfo", "", 75, 25)).await.unwrap();
    pass(1.1).await;
    let load = Load::new(APEX).per_second(100).lasting(Duration::from_millis(500));
    let seen = cluster.load(load).finished().await;
    pass(5.0).await;
    let query = r#"sum(istio_requests_total{reporter="destination", destination_workload="podinfo", response_code="503", response_flags="UF"})"#;
    let reported = value(&cluster, query);
    assert!(reported.is_some_and(|count| count > 5.0), "{reported:?} of {seen:?}");
    assert_eq!(reported, seen.by_status.get(&503).map(|count| *count as f64), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_proxies_measured_answers_the_built_in_queries() {
    check_queries(canary_of).await;
}
