//! Requests through Knative: when traffic is shared as asked, and what the Service reports of it.

use std::time::Duration;

use serde_json::json;

use super::pass;
use crate::{Cluster, Load, Settings, System, Tally, view};

const SERVICE: (&str, &str) = ("serving.knative.dev/v1", "Service");

/// The guide's Service with an image of this tag.
async fn push(cluster: &Cluster, tag: &str) {
    let service = format!(
        "apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: podinfo, namespace: test}}
spec: {{template: {{spec: {{containers: [{{name: podinfod, image: podinfo:{tag}, ports: [{{containerPort: 9898}}]}}]}}}}}}
"
    );
    cluster.apply_yaml(&service).await.unwrap();
}

/// The shares of the first and the second Revision, as asked for in the spec.
async fn share(cluster: &Cluster, first: u32, second: u32) {
    let traffic = json!([
        {"revisionName": "podinfo-00001", "percent": first},
        {"revisionName": "podinfo-00002", "percent": second},
    ]);
    let body = json!({"spec": {"traffic": traffic}});
    cluster.merge(SERVICE, ("test", "podinfo"), &body).await.unwrap();
}

/// Percent of the second Revision by `status.traffic`.
async fn reported(cluster: &Cluster) -> i64 {
    let live = cluster.get(SERVICE.0, SERVICE.1, "test", "podinfo").await.unwrap().unwrap();
    let shares = view::list(&live, "/status/traffic").to_vec();
    let second = shares.iter().find(|share| view::text(share, "/revisionName") == "podinfo-00002");
    second.map_or(0, |share| view::number(share, "/percent", 0))
}

async fn requests(cluster: &Cluster) -> Tally {
    // A hundred within a tenth of a second: less than a gateway takes for a change.
    let load = Load::new("http://kourier.kourier-system/").host("podinfo.test.example.com");
    cluster.load(load.per_second(1_000).requests(100)).finished().await
}

#[tokio::test(start_paused = true)]
async fn what_the_service_reports_is_what_requests_get() {
    let settings = Settings { system: System::Knative, ..Settings::default() };
    let cluster = Cluster::with(settings).await.unwrap();
    push(&cluster, "6.0.0").await;
    pass(10.0).await;
    push(&cluster, "6.0.1").await;
    pass(10.0).await;
    for second in [0, 10, 50, 100] {
        share(&cluster, 100 - second, second).await;
        let applied = async |cluster: &Cluster| reported(cluster).await == i64::from(second);
        cluster.run_until(Duration::from_secs(10), applied).await.unwrap();
        let tally = requests(&cluster).await;
        assert_eq!(tally.errors(), 0, "{second}");
        assert!((tally.share("6.0.1") * 100.0 - f64::from(second)).abs() < 1.0, "{second}: {tally:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn traffic_stays_while_a_revision_that_it_names_is_not_ready() {
    let settings = Settings { system: System::Knative, ..Settings::default() };
    let cluster = Cluster::with(settings).await.unwrap();
    push(&cluster, "6.0.0").await;
    pass(10.0).await;
    share(&cluster, 50, 50).await;
    pass(10.0).await;
    assert_eq!(reported(&cluster).await, 0);
    assert_eq!(requests(&cluster).await.by_version.into_keys().collect::<Vec<_>>(), ["6.0.0"]);
}
