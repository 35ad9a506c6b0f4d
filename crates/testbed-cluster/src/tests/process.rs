//! Parts of the world as processes: real addresses, over TCP.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

use crate::{Load, Network, Process, Tally, scrape_file};

/// What clients of a pod of this tag see, at an address of its own, and how its process ends when it is asked to.
async fn served(last: u8, tag: &str) -> (Tally, anyhow::Result<()>) {
    let ip = IpAddr::from(Ipv4Addr::new(127, 98, 97, last));
    let (stop, stopped) = oneshot::channel::<()>();
    let process = Process::application("podinfo-1", tag, &BTreeMap::new());
    let serving = process.serve(ip, async { drop(stopped.await) });
    let asking = async {
        let load =
            Load::new(&format!("http://{ip}:9898/")).per_second(100).lasting(Duration::from_millis(400));
        let tally = Network::of_machine().load(load).finished().await;
        // A process that has crashed does not listen to it.
        let _told = stop.send(());
        tally
    };
    let (ended, tally) = tokio::join!(serving, asking);
    (tally, ended)
}

#[tokio::test]
async fn a_pod_answers_at_its_address_as_its_version_does() {
    let (tally, ended) = served(1, "bad-1").await;
    ended.unwrap();
    assert_eq!(tally.by_version.keys().collect::<Vec<_>>(), ["bad-1"]);
    assert_eq!(tally.by_version["bad-1"], tally.requests, "{tally:?}");
    assert_eq!(tally.errors(), tally.requests / 2, "{tally:?}");
}

#[tokio::test]
async fn a_pod_that_crashes_ends_its_process() {
    let (tally, ended) = served(2, "fragile-1").await;
    assert_eq!(ended.unwrap_err().to_string(), "crashed");
    assert_eq!(tally.failed.values().sum::<u64>(), tally.requests, "{tally:?}");
}

#[test]
fn prometheus_scrapes_the_pods_that_ask_for_it() {
    let pod = |scrape: &str| {
        let annotations = json!({"prometheus.io/scrape": scrape, "prometheus.io/port": "9797"});
        let metadata = json!({
            "name": "a", "namespace": "test", "labels": {"app.kubernetes.io/name": "x"}, "annotations": annotations,
        });
        json!({"metadata": metadata, "status": {"podIP": "10.0.0.1"}})
    };
    let labels = json!({
        "__metrics_path__": "/metrics", "app_kubernetes_io_name": "x", "instance": "10.0.0.1:9797",
        "job": "kubernetes-pods", "kubernetes_namespace": "test", "kubernetes_pod_name": "a",
    });
    let expect = json!([{"targets": ["10.0.0.1:9797"], "labels": labels}]);
    assert_eq!(scrape_file(&[pod("true"), pod("false")]), expect);
}
