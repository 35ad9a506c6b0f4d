//! Gates over a long time: what a closed one costs, one that opens and closes all the time, one without an answer.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Settings;

use crate::cluster::{OPERATOR, Stage};

const HOUR_S: f64 = 3_600.0;

fn gate(kind: &str, url: &str) -> Value {
    json!({"spec": {"analysis": {"webhooks": [{"name": "gate", "type": kind, "url": url, "timeout": "5s"}]}}})
}

/// A Canary with this gate, after a push.
async fn pushed(kind: &str, url: &str, status: u16) -> Stage {
    let seldom = Settings { scrape_interval: Duration::from_secs(3_600), ..Settings::default() };
    let mut stage = Stage::with(seldom).await;
    stage.answer_success(100.0);
    answer(&stage, status);
    stage.start();
    stage.apply("podinfo", &[&gate(kind, url)]).await;
    stage.until_phase("podinfo", "Initialized").await;
    stage.push("podinfo", "6.0.1").await;
    stage
}

fn answer(stage: &Stage, status: u16) {
    stage.hooks.lock().unwrap().push(("gate".to_owned(), status));
}

/// The events about this gate.
fn events(stage: &Stage, text: &str) -> usize {
    stage.story("podinfo").lines.iter().filter(|line| line.contains(text)).count()
}

/// Closed for an hour, a gate costs no request of the API server and is reported once; then it is opened.
async fn check_closed(kind: &str, text: &str) {
    let mut stage = pushed(kind, "http://hooks.test/gate", 403).await;
    stage.pass(90.0).await;
    stage.cluster.server().audit().clear();
    stage.pass(HOUR_S).await;
    let audit = stage.cluster.server().audit().of(OPERATOR);
    let asked: Vec<String> =
        audit.iter().filter(|entry| entry.verb != "watch").map(|entry| entry.line()).collect();
    assert_eq!(asked, Vec::<String>::new(), "{kind}");
    assert_eq!(events(&stage, text), 1, "{kind}");
    let canary = stage.canary("podinfo").await;
    let shown = canary["status"]["wait"]["message"].as_str().unwrap_or_default();
    assert!(shown.contains(text), "{kind}: {canary:#}");
    answer(&stage, 200);
    stage.until_phase("podinfo", "Succeeded").await;
    stage.check_laws("podinfo");
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_costs_nothing_and_is_reported_once() {
    check_closed("confirm-rollout", "waiting for approval gate").await;
    check_closed("confirm-traffic-increase", "waiting for traffic increase approval gate").await;
    check_closed("confirm-promotion", "waiting for promotion approval gate").await;
}

#[tokio::test(start_paused = true)]
async fn a_flapping_gate_ends_in_a_promotion() {
    let mut stage = pushed("confirm-traffic-increase", "http://hooks.test/gate", 403).await;
    for round in 0..40 {
        stage.pass(7.0).await;
        answer(&stage, if round % 2 == 0 { 200 } else { 403 });
    }
    answer(&stage, 200);
    stage.until_phase("podinfo", "Succeeded").await;
    stage.check_laws("podinfo");
    assert!(events(&stage, "advancement waiting for traffic increase") <= 3);
}

/// A gate that cannot be reached is closed, and the status says why.
#[tokio::test(start_paused = true)]
async fn a_gate_without_an_answer_is_closed() {
    for kind in ["confirm-rollout", "confirm-promotion"] {
        let mut stage = pushed(kind, "http://nowhere.test/gate", 200).await;
        stage.pass(300.0).await;
        let status = stage.canary("podinfo").await["status"].clone();
        let phase = if kind == "confirm-rollout" { "Waiting" } else { "WaitingPromotion" };
        assert_eq!(status["phase"], phase, "{status:#}");
        let shown = status["wait"]["message"].as_str().unwrap_or_default();
        assert!(shown.contains("approval gate: "), "{shown}");
        assert_eq!(events(&stage, "approval gate"), 1, "{kind}");
        let ready = status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready").unwrap();
        assert_eq!((&ready["status"], &ready["reason"]), (&json!("Unknown"), &json!("WaitingForApproval")));
    }
}
