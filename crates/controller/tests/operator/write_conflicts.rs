//! Other writers. One is faster: the write is repeated at once. One reverts what the operator writes, again and again:
//! it is reported, the writes are spaced, and the rollout ends as soon as the other writer stops.

use std::time::Duration;

use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};

use crate::cluster::{OPERATOR, Stage};

const NAME: &str = "podinfo";
const REPORT: &str = "keeps being reverted";

/// Writes of the operator to a resource.
fn writes(stage: &Stage, resource: &str) -> usize {
    let entries = stage.cluster.server().audit().of(OPERATOR);
    entries.iter().filter(|entry| entry.is_write() && entry.resource == resource).count()
}

/// Merge-patches an object ten times a second.
fn insist(stage: &Stage, path: String, body: serde_json::Value) -> JoinSet<()> {
    let client = stage.cluster.server().client_as("gitops");
    let mut insisting = JoinSet::new();
    insisting.spawn(async move {
        loop {
            let request = http::Request::patch(&path)
                .header("content-type", "application/merge-patch+json")
                .body(body.to_string().into_bytes())
                .unwrap();
            client.request::<serde_json::Value>(request).await.unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    });
    insisting
}

#[tokio::test(start_paused = true)]
async fn a_route_that_another_writer_reverts_is_written_less_and_less_often() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"progressDeadlineSeconds": 600}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    let entry = |side: &str, weight: u32| json!({"name": format!("{NAME}-{side}"), "namespace": "test", "port": 80, "weight": weight});
    let theirs = json!({"spec": {"weighted": {"services": [entry("primary", 10), entry("canary", 90)]}}});
    let path = format!("/apis/traefik.io/v1alpha1/namespaces/test/traefikservices/{NAME}");
    let before = writes(&stage, "traefikservices");
    let insisting = insist(&stage, path, theirs);
    stage.pass(120.0).await;
    let during = writes(&stage, "traefikservices") - before;
    assert!((4..=14).contains(&during), "{during}");
    assert_eq!(stage.reported(NAME, REPORT), 1, "{}", stage.story(NAME).text());
    drop(insisting);
    stage.until_phase(NAME, "Succeeded").await;
}

#[tokio::test(start_paused = true)]
async fn an_apex_that_another_writer_reverts_costs_little() {
    let mut stage = Stage::open().await;
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    let before = writes(&stage, "services");
    let theirs = json!({"spec": {"selector": {"app": NAME}}});
    let insisting = insist(&stage, format!("/api/v1/namespaces/test/services/{NAME}"), theirs);
    stage.pass(120.0).await;
    let during = writes(&stage, "services") - before;
    assert!((4..=14).contains(&during), "{during}");
    assert_eq!(stage.reported(NAME, REPORT), 1, "{}", stage.story(NAME).text());
    drop(insisting);
    stage.pass(60.0).await;
    let apex = stage.cluster.get("v1", "Service", "test", NAME).await.unwrap().unwrap();
    assert_eq!(apex["spec"]["selector"]["app"], format!("{NAME}-primary"));
}

/// The Deployment controller writes the status during each scale-up, three times, and the watch reports it, with
/// nothing that the operator uses, before the scale-up is refused: no event wakes the Canary, and it need not wait for
/// one.
#[tokio::test(start_paused = true)]
async fn a_write_that_met_another_one_is_repeated_at_once() {
    const TIMES: u32 = 3;
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(5.0).await;
    let scale_up = Matcher { user_agent: Some(OPERATOR.to_owned()), ..Matcher::new("patch", "deployments") };
    let late = Fault::once(scale_up, FaultAction::Delay(Duration::from_millis(100))).times(TIMES);
    stage.cluster.server().faults().push(late);
    let before = writes(&stage, "deployments");
    stage.push(NAME, "6.0.1").await;
    stage.pass(0.05).await;
    for count in 1..=TIMES {
        let status = json!({"status": {"collisionCount": count}});
        stage.patch_status_of_target(NAME, &status).await;
        stage.pass(0.1).await;
    }
    assert_eq!(writes(&stage, "deployments") - before, 4, "{}", stage.story(NAME).text());
    let target = stage.cluster.get("apps/v1", "Deployment", "test", NAME).await.unwrap().unwrap();
    assert_eq!(target["spec"]["replicas"], 2, "{}", stage.story(NAME).text());
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

/// The routes are written before the status says so. If the status cannot be written, they differ from it
/// although nobody has edited them.
#[tokio::test(start_paused = true)]
async fn a_failover_whose_status_is_refused_is_not_reported_as_drift() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(2.0).await;
    let status = Matcher { subresource: Some("status".to_owned()), ..Matcher::new("patch", "canaries") };
    let refused = FaultAction::Answer { code: 409, retry_after: None };
    stage.cluster.server().faults().push(Fault::once(status, refused).times(3));
    stage.cluster.crash_pods("test", &[("app", NAME)]);
    stage.until_phase(NAME, "Succeeded").await;
    let told = stage.story(NAME).text();
    assert_eq!(stage.reported(NAME, "changed by someone else"), 0, "{told}");
    assert_eq!(stage.reported(NAME, "No pod of podinfo.test is ready"), 1, "{told}");
    stage.check_laws(NAME);
}
