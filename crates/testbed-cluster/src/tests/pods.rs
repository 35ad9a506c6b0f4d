//! Pods and Services: what the API says of them, and what they answer.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{deployment, live, rolled_out, service};
use crate::kinds::{ENDPOINT_SLICE, ENDPOINTS, POD, REPLICA_SET};
use crate::{Cluster, NetworkError, view};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};

/// All objects that the API serves at a path.
pub(super) async fn all(cluster: &Cluster, path: String) -> Vec<Value> {
    let request = Request::get(path).body(Vec::new()).unwrap();
    let list: Value = cluster.client().request(request).await.unwrap();
    view::list(&list, "/items").to_vec()
}

/// Reason and restarts of the first container of each pod.
async fn containers(cluster: &Cluster) -> Vec<(String, i64)> {
    let pods = all(cluster, POD.path_in("test")).await;
    let status = |pod: &Value| {
        let container = pod.pointer("/status/containerStatuses/0").cloned().unwrap_or_default();
        (
            view::text(&container, "/state/waiting/reason").to_owned(),
            view::number(&container, "/restartCount", -1),
        )
    };
    pods.iter().map(status).collect()
}

async fn conditions(cluster: &Cluster) -> Vec<Value> {
    let slices = all(cluster, ENDPOINT_SLICE.path_in("test")).await;
    slices
        .iter()
        .flat_map(|slice| view::list(slice, "/endpoints"))
        .map(|one| one["conditions"].clone())
        .collect()
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn readiness_reaches_the_endpoint_slices() {
    let cluster = Cluster::start().await.unwrap();
    let parts = [service("podinfo", "podinfo"), deployment("podinfo", 1, "podinfo:1", "", "")];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    pass(0.5).await;
    assert_eq!(conditions(&cluster).await, [json!({"ready": false, "serving": false, "terminating": false})]);
    pass(1.0).await;
    assert_eq!(conditions(&cluster).await, [json!({"ready": true, "serving": true, "terminating": false})]);
    let slice = all(&cluster, ENDPOINT_SLICE.path_in("test")).await.remove(0);
    assert_eq!(view::label(&slice, "kubernetes.io/service-name"), "podinfo");
    assert_eq!(slice["ports"], json!([{"name": "http", "protocol": "TCP", "port": 9898}]));
    let endpoints = cluster.get("v1", "Endpoints", "test", "podinfo").await.unwrap().unwrap();
    assert_eq!(view::list(&endpoints, "/subsets/0/addresses").len(), 1);
    cluster
        .merge(("apps/v1", "Deployment"), ("test", "podinfo"), &json!({"spec": {"replicas": 0}}))
        .await
        .unwrap();
    pass(0.5).await;
    assert_eq!(conditions(&cluster).await, [json!({"ready": false, "serving": true, "terminating": true})]);
    pass(2.0).await;
    assert_eq!(conditions(&cluster).await, [] as [Value; 0]);
    assert_eq!(all(&cluster, POD.path_in("test")).await.len(), 0);
}

async fn check_tag(tag: &str, env: &str, expect: (&str, i64), ready: i64) {
    let cluster = Cluster::start().await.unwrap();
    cluster
        .apply_yaml(&deployment("podinfo", 1, &format!("ghcr.io/stefanprodan/podinfo:{tag}"), "", env))
        .await
        .unwrap();
    pass(5.0).await;
    assert_eq!(containers(&cluster).await, [(expect.0.to_owned(), expect.1)], "{tag}");
    assert_eq!(view::number(&live(&cluster, "podinfo").await, "/status/readyReplicas", 0), ready, "{tag}");
}

#[tokio::test(start_paused = true)]
async fn the_tag_says_how_a_pod_starts() {
    check_tag("6.0.1", "", ("", 0), 1).await;
    check_tag("bad1", "", ("", 0), 1).await;
    check_tag("broken1", "", ("", 0), 0).await;
    check_tag("crash1", "", ("CrashLoopBackOff", 1), 0).await;
    check_tag("missing1", "", ("ImagePullBackOff", 0), 0).await;
}

async fn get(cluster: &Cluster, method: Method, url: &str) -> Result<(u16, Value), NetworkError> {
    let request = Request::builder().method(method).uri(url).body(Bytes::new()).unwrap();
    let response = cluster.network().send(request).await?;
    let body = serde_json::from_slice(response.body()).unwrap_or_default();
    Ok((response.status().as_u16(), body))
}

#[tokio::test(start_paused = true)]
async fn pods_answer_the_guides_requests_by_their_services_name() {
    let cluster = Cluster::start().await.unwrap();
    let parts = [service("podinfo", "podinfo"), deployment("podinfo", 1, "podinfo:6.0.1", "", "")];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    assert_eq!(
        get(&cluster, Method::GET, "http://podinfo.test/").await,
        Err(NetworkError::NoEndpoints("podinfo.test".into()))
    );
    rolled_out(&cluster, "podinfo").await;
    let check = async |method: Method, url: &str, status: u16, field: &str, value: Value| {
        let (got, body) = get(&cluster, method, url).await.unwrap();
        assert_eq!((got, body.get(field)), (status, Some(&value)), "{url}");
    };
    check(Method::GET, "http://podinfo.test/", 200, "version", json!("6.0.1")).await;
    check(Method::GET, "http://podinfo.test.svc:80/version", 200, "version", json!("6.0.1")).await;
    check(Method::GET, "http://podinfo.test.svc.cluster.local/status/503", 503, "status", json!(503)).await;
    check(Method::POST, "http://podinfo.test/token", 200, "expires_in", json!(3600)).await;
    check(Method::GET, "http://podinfo.test/token", 405, "code", json!(405)).await;
    check(Method::GET, "http://podinfo.test/healthz", 200, "status", json!("OK")).await;
    let before = tokio::time::Instant::now();
    check(Method::GET, "http://podinfo.test/delay/3", 200, "delay", json!(3)).await;
    assert_eq!(before.elapsed(), Duration::from_secs(3));
    let refused = |url: &'static str| get(&cluster, Method::GET, url);
    assert_eq!(
        refused("http://podinfo.other/").await,
        Err(NetworkError::UnknownHost("podinfo.other".into()))
    );
    assert_eq!(
        refused("http://podinfo.test:81/").await,
        Err(NetworkError::NoPort("podinfo.test".into(), 81))
    );
}

#[tokio::test(start_paused = true)]
async fn crashed_pods_are_started_again_after_the_back_off() {
    let cluster = Cluster::start().await.unwrap();
    cluster.apply_yaml(&deployment("podinfo", 2, "podinfo:6.0.1", "", "")).await.unwrap();
    rolled_out(&cluster, "podinfo").await;
    assert_eq!(cluster.crash_pods("test", &[("app", "podinfo")]), 1);
    pass(0.1).await;
    assert_eq!(
        containers(&cluster).await,
        [("CrashLoopBackOff".to_owned(), 1), ("CrashLoopBackOff".to_owned(), 1)]
    );
    let status = live(&cluster, "podinfo").await["status"].clone();
    assert_eq!((&status["readyReplicas"], &status["unavailableReplicas"]), (&Value::Null, &json!(2)));
    pass(12.0).await;
    assert_eq!(containers(&cluster).await, [(String::new(), 1), (String::new(), 1)]);
    assert_eq!(view::number(&live(&cluster, "podinfo").await, "/status/availableReplicas", 0), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_deployment_owns_goes_with_it() {
    let cluster = Cluster::start().await.unwrap();
    let parts = [service("podinfo", "podinfo"), deployment("podinfo", 2, "podinfo:1", "", "")];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    rolled_out(&cluster, "podinfo").await;
    for path in
        ["/apis/apps/v1/namespaces/test/deployments/podinfo", "/api/v1/namespaces/test/services/podinfo"]
    {
        let request = Request::delete(path).body(Vec::new()).unwrap();
        cluster.client().request::<Value>(request).await.unwrap();
    }
    pass(3.0).await;
    for kind in [POD, REPLICA_SET, ENDPOINT_SLICE, ENDPOINTS] {
        assert_eq!(all(&cluster, kind.path_in("test")).await.len(), 0, "{kind:?}");
    }
    assert_eq!(
        get(&cluster, Method::GET, "http://podinfo.test/").await,
        Err(NetworkError::UnknownHost("podinfo.test".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn controllers_go_on_when_watches_break_and_writes_fail() {
    let cluster = Cluster::start().await.unwrap();
    let refused = FaultAction::Answer { code: 500, retry_after: None };
    cluster.server().faults().push(Fault::once(Matcher::new("patch", "pods"), refused).times(3));
    cluster.apply_yaml(&deployment("podinfo", 2, "podinfo:1", "", "")).await.unwrap();
    rolled_out(&cluster, "podinfo").await;
    cluster.server().drop_watches();
    cluster.server().compact();
    cluster.set_image("test", "podinfo", "podinfod", "podinfo:2").await.unwrap();
    pass(0.1).await;
    cluster.server().drop_watches();
    rolled_out(&cluster, "podinfo").await;
    pass(3.0).await;
    assert_eq!(containers(&cluster).await, [(String::new(), 0), (String::new(), 0)]);
}
