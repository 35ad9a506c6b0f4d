//! Requests through the gateway: how they are split, when they fail, and what is measured.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{pass, rolled_out, site, split};
use crate::{Cluster, Load, Tally};
use vexil_testbed_promql::QueryValue;

const SITE: &str = "app.example.com";

async fn ready_site(canary: &str, env: &str) -> Cluster {
    let cluster = Cluster::start().await.unwrap();
    site(&cluster, canary, env).await;
    rolled_out(&cluster, "podinfo-primary").await;
    cluster
}

async fn requests(cluster: &Cluster, count: u64) -> Tally {
    cluster.load(Load::of_site(SITE).per_second(500).requests(count)).finished().await
}

#[tokio::test(start_paused = true)]
async fn the_split_measured_is_the_split_asked() {
    let cluster = ready_site("6.0.1", "").await;
    for (primary, canary) in [(95, 5), (90, 10), (75, 25), (67, 33), (50, 50), (0, 100)] {
        split(&cluster, primary, Some(canary)).await;
        pass(1.5).await;
        let tally = requests(&cluster, 1000).await;
        assert_eq!(tally.errors(), 0, "{tally:?}");
        let share = tally.share("6.0.1") * 100.0;
        assert!((share - f64::from(canary)).abs() < 1.0, "asked {canary} %, measured {share} %");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listed_service_without_endpoints_takes_the_whole_site_down() {
    let cluster = ready_site("broken", "").await;
    split(&cluster, 100, None).await;
    pass(1.5).await;
    assert_eq!(requests(&cluster, 10).await.by_status, BTreeMap::from([(200, 10)]));
    split(&cluster, 100, Some(0)).await;
    pass(1.5).await;
    assert_eq!(requests(&cluster, 10).await.by_status, BTreeMap::from([(404, 10)]));
}

#[tokio::test(start_paused = true)]
async fn unknown_hosts_and_missing_routes_get_404() {
    let cluster = ready_site("6.0.1", "").await;
    pass(1.5).await;
    assert_eq!(requests(&cluster, 1).await.by_status, BTreeMap::from([(404, 1)]));
    let elsewhere = cluster.load(Load::of_site("other.example.com").requests(1)).finished().await;
    assert_eq!(elsewhere.by_status, BTreeMap::from([(404, 1)]));
}

#[tokio::test(start_paused = true)]
async fn the_gateway_follows_a_change_after_one_second() {
    let cluster = ready_site("6.0.1", "").await;
    split(&cluster, 100, Some(0)).await;
    pass(3.0).await;
    split(&cluster, 0, Some(100)).await;
    pass(0.9).await;
    assert_eq!(requests(&cluster, 1).await.share("6.0.0"), 1.0);
    pass(0.2).await;
    assert_eq!(requests(&cluster, 1).await.share("6.0.1"), 1.0);
}

/// The built-in queries for the provider `traefik`, rendered for `podinfo` with an interval of 1m.
const SUCCESS: &str = r#"sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", code!~"5..", le="+Inf" }[1m] ) ) / sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", le="+Inf" }[1m] ) ) * 100"#;
const DURATION: &str = r#"histogram_quantile( 0.99, sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd" }[1m] ) ) by (le) ) * 1000"#;

fn value(cluster: &Cluster, query: &str) -> Option<f64> {
    match cluster.query(query).unwrap() {
        QueryValue::Vector { elements, .. } => elements.first().map(|element| element.value),
        other => panic!("{other:?}"),
    }
}

async fn measured(canary: &str, env: &str) -> (Option<f64>, Option<f64>) {
    let cluster = ready_site(canary, env).await;
    split(&cluster, 50, Some(50)).await;
    pass(1.5).await;
    cluster.load(Load::of_site(SITE).per_second(20).lasting(Duration::from_secs(60))).finished().await;
    (value(&cluster, SUCCESS), value(&cluster, DURATION))
}

#[tokio::test(start_paused = true)]
async fn what_the_gateway_measured_answers_the_built_in_queries() {
    let (success, duration) = measured("6.0.1", "").await;
    assert_eq!(success, Some(100.0));
    assert!(duration.is_some_and(|ms| ms <= 100.0), "{duration:?}");
    let (success, _) = measured("bad1", "").await;
    assert!(success.is_some_and(|percent| (percent - 50.0).abs() < 1.0), "{success:?}");
    // When nothing succeeds the sum above the line is of no series at all.
    let (success, _) = measured("6.0.1", "{name: ERROR_RATE, value: \"100\"}").await;
    assert_eq!(success, None);
    let (success, _) = measured("6.0.1", "{name: ERROR_RATE, value: \"20\"}").await;
    assert!(success.is_some_and(|percent| (percent - 80.0).abs() < 1.0), "{success:?}");
    let (_, duration) = measured("6.0.1", "{name: LATENCY_MS, value: \"700\"}").await;
    assert!(duration.is_some_and(|ms| ms > 500.0), "{duration:?}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_seen_as_502_until_the_gateway_knows_and_then_as_404() {
    let cluster = ready_site("6.0.1", "{name: CRASH_WHEN_SERVING, value: \"true\"}").await;
    split(&cluster, 75, Some(25)).await;
    pass(0.9).await;
    let load = cluster.load(Load::of_site(SITE).per_second(100).lasting(Duration::from_secs(5)));
    pass(0.8).await;
    let first = load.tally();
    assert!(first.by_status.get(&502).is_some_and(|count| *count > 5), "{first:?}");
    let all = load.finished().await.since(&first);
    assert!(all.by_status.get(&404).is_some_and(|count| *count > 200), "{all:?}");
}
