//! A plain cluster: Services lead to pods, which measure themselves and are scraped.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Value, json};

use super::pods::all;
use super::{deployment, pass, rolled_out, service};
use crate::kinds::POD;
use crate::{Cluster, Load, Settings, System, view};
use vexil_testbed_promql::QueryValue;

async fn ready_site(env: &str) -> Cluster {
    let settings = Settings { system: System::Kubernetes, ..Settings::default() };
    let cluster = Cluster::with(settings).await.unwrap();
    let parts = [
        deployment("podinfo-primary", 2, "podinfo:6.0.0", "", ""),
        deployment("podinfo", 2, "podinfo:6.0.1", "", env),
        service("podinfo", "podinfo-primary"),
        service("podinfo-canary", "podinfo"),
    ];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    rolled_out(&cluster, "podinfo-primary").await;
    rolled_out(&cluster, "podinfo").await;
    pass(0.1).await;
    cluster
}

async fn requests(cluster: &Cluster, url: &str, count: u64) -> crate::Tally {
    cluster.load(Load::new(url).per_second(100).requests(count)).finished().await
}

/// The series that a query finds, each as text, and their values.
fn found(cluster: &Cluster, query: &str) -> Vec<(String, f64)> {
    match cluster.query(query).unwrap() {
        QueryValue::Vector { elements, .. } => {
            elements.iter().map(|element| (element.labels.to_string(), element.value)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_leads_to_the_ready_pods_that_it_selects() {
    let cluster = ready_site("").await;
    let tally = requests(&cluster, "http://podinfo.test/", 10).await;
    assert_eq!((tally.errors(), tally.share("6.0.0")), (0, 1.0));
    let selector = json!({"spec": {"selector": {"app": "podinfo"}}});
    cluster.merge(("v1", "Service"), ("test", "podinfo"), &selector).await.unwrap();
    pass(0.1).await;
    let tally = requests(&cluster, "http://podinfo.test/", 10).await;
    assert_eq!((tally.errors(), tally.share("6.0.1")), (0, 1.0));
    cluster.crash_pods("test", &[("app", "podinfo")]);
    pass(1.0).await;
    let tally = requests(&cluster, "http://podinfo.test/", 10).await;
    assert_eq!(tally.failed.values().sum::<u64>(), 10, "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn pods_are_named_as_a_replica_set_names_them() {
    let cluster = ready_site("").await;
    let pods = all(&cluster, POD.path_in("test")).await;
    let names: BTreeSet<&str> = pods.iter().map(view::name).collect();
    assert_eq!(names.len(), 4);
    // What the built-in queries take for pods of the target, and what a ReplicaSet makes.
    let target = Regex::new("^(?:podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+))$").unwrap();
    let real = Regex::new(
        "^podinfo(-primary)?-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$",
    );
    let real = real.unwrap();
    for name in names {
        assert!(real.is_match(name), "{name}");
        assert_eq!(target.is_match(name), !name.starts_with("podinfo-primary-"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn pods_are_scraped_with_the_labels_of_their_discovery() {
    let cluster = ready_site("").await;
    requests(&cluster, "http://podinfo-canary.test/status/500", 6).await;
    requests(&cluster, "http://podinfo.test/", 4).await;
    pass(6.0).await;
    let of_canary = found(
        &cluster,
        "sum(http_requests_total{kubernetes_namespace=\"test\",app=\"podinfo\"}) by (status)",
    );
    assert_eq!(of_canary, [("{status=\"500\"}".to_owned(), 6.0)]);
    let of_primary = found(
        &cluster,
        "sum(http_request_duration_seconds_count{app=\"podinfo-primary\"}) by (job, method, path, status)",
    );
    let labels = "{job=\"kubernetes-pods\",method=\"GET\",path=\"root\",status=\"200\"}";
    assert_eq!(of_primary, [(labels.to_owned(), 4.0)]);
    let pods = found(&cluster, "http_requests_total");
    let whole = Regex::new(
        "^http_requests_total\\{app=\"podinfo\",instance=\"10\\.244\\.\\d+\\.\\d+:9797\",job=\"kubernetes-pods\",\
         kubernetes_namespace=\"test\",kubernetes_pod_name=\"podinfo-\\w+-\\w{5}\",pod_template_hash=\"\\w+\",\
         status=\"500\"\\}$",
    );
    assert!(pods.iter().any(|(labels, _)| whole.as_ref().unwrap().is_match(labels)), "{pods:?}");
}

/// Gives the canary's pods other annotations, sends 10 requests, and answers how many series of theirs there are.
async fn series(annotations: Value) -> usize {
    let cluster = ready_site("").await;
    let change = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    cluster.merge(("apps/v1", "Deployment"), ("test", "podinfo"), &change).await.unwrap();
    rolled_out(&cluster, "podinfo").await;
    requests(&cluster, "http://podinfo-canary.test/", 10).await;
    requests(&cluster, "http://podinfo.test/", 10).await;
    pass(10.0).await;
    assert_eq!(found(&cluster, "http_requests_total{app=\"podinfo-primary\"}").len(), 2);
    found(&cluster, "http_requests_total{app=\"podinfo\"}").len()
}

#[tokio::test(start_paused = true)]
async fn annotations_say_whether_and_where_a_pod_is_scraped() {
    assert_eq!(series(json!({"team": "blue"})).await, 2);
    assert_eq!(series(json!(null)).await, 0);
    assert_eq!(series(json!({"prometheus.io/scrape": "false"})).await, 0);
    assert_eq!(series(json!({"prometheus.io/port": "9898"})).await, 2);
    assert_eq!(series(json!({"prometheus.io/port": "1"})).await, 0);
    assert_eq!(series(json!({"prometheus.io/port": null})).await, 4, "each pod declares two ports");
    assert_eq!(series(json!({"prometheus.io/path": "/metrics"})).await, 2);
    assert_eq!(series(json!({"prometheus.io/path": "/nothing"})).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_was_started_again_counts_from_zero() {
    let cluster = ready_site("").await;
    requests(&cluster, "http://podinfo-canary.test/", 10).await;
    pass(6.0).await;
    let total = "sum(http_requests_total{app=\"podinfo\"})";
    assert_eq!(found(&cluster, total), [("{}".to_owned(), 10.0)]);
    cluster.crash_pods("test", &[("app", "podinfo")]);
    pass(6.0).await;
    assert_eq!(found(&cluster, total), [], "a pod that does not answer has no series");
    rolled_out(&cluster, "podinfo").await;
    requests(&cluster, "http://podinfo-canary.test/", 4).await;
    pass(6.0).await;
    assert_eq!(found(&cluster, total), [("{}".to_owned(), 4.0)]);
}
