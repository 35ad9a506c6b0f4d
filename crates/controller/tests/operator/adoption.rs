//! Canaries of Flagger, in each phase: taken over without starting a rollout.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};
use vexil_testbed_cluster::Load;

use crate::cluster::{OPERATOR, Stage};

const NAME: &str = "podinfo";

/// What the other operator left behind.
struct Left {
    phase: &'static str,
    /// What the target runs; the primary runs 6.0.0.
    target: &'static str,
    replicas: u32,
    weight: u32,
}

/// A status as Flagger stores it: with its own digests, and without the fields that only Vexil has.
fn status(left: &Left) -> Value {
    json!({"status": {
        "phase": left.phase, "canaryWeight": left.weight, "failedChecks": 0, "iterations": 0,
        "lastAppliedSpec": "5b4c8d7f99", "lastPromotedSpec": "68bf6f479b", "trackedConfigs": {},
        "run": null, "primarySpec": null, "lastStepTime": null, "withheldWeight": null, "ending": null,
        "drainUntil": null, "drainRestarts": null,
        "postRollout": null, "wait": null, "outbox": null,
        "binding": null, "limits": null, "prepared": null, "observedGeneration": null, "conditions": null,
    }})
}

/// Leaves `left` behind, starts the operator and waits. `expect` is what the Canary and the routes go through
/// from then on.
async fn check(left: Left, expect: (&[&str], &[&str])) {
    check_with(left, &[], expect).await;
}

/// The same on an API server with faults from the start of the operator on.
async fn check_with(left: Left, faults: &[Fault], expect: (&[&str], &[&str])) {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.kill().await;
    stage.push(NAME, left.target).await;
    stage.change(NAME, &json!({"spec": {"replicas": left.replicas}})).await;
    let entry = |side: &str, weight: u32| {
        let service = format!("{NAME}-{side}");
        json!({"name": service, "namespace": "test", "port": 80, "weight": weight})
    };
    let mut entries = vec![entry("primary", 100 - left.weight)];
    entries.extend((left.weight > 0).then(|| entry("canary", left.weight)));
    stage.pass(3.0).await;
    let route = ("traefik.io/v1alpha1", "TraefikService");
    stage
        .cluster
        .merge(route, ("test", NAME), &json!({"spec": {"weighted": {"services": entries}}}))
        .await
        .unwrap();
    stage.patch_status(NAME, &status(&left)).await;
    stage.pass(2.0).await;
    let before = stage.story(NAME);
    let load = Load::of_site("podinfo.example.com").per_second(5).lasting(Duration::from_secs(3_600));
    let load = stage.cluster.load(load);
    faults.iter().for_each(|fault| stage.cluster.server().faults().push(fault.clone()));
    stage.start();
    stage.pass(120.0).await;
    let after = stage.story(NAME);
    let since = |key: &str| after.courses[key][before.courses[key].len()..].to_vec();
    let label = format!("{} with {}\n{}", left.phase, left.target, after.text());
    assert_eq!(since("status podinfo"), expect.0, "{label}");
    assert_eq!(since("route podinfo"), expect.1, "{label}");
    assert_eq!(load.tally().errors(), 0, "{label}");
    // It was taken over: the number of the run is ours.
    assert!(stage.canary(NAME).await["status"]["run"].is_u64(), "{label}");
    stage.check_laws(NAME);
}

const OLD: &str = "6.0.0";
const NEW: &str = "6.0.1";
/// A rollout from its first step on.
const RUN: [&str; 7] = [
    "Progressing weight=0 failed=0",
    "Progressing weight=25 failed=0",
    "Progressing weight=50 failed=0",
    "Promoting weight=50 failed=0",
    "Finalising weight=0 failed=0 ending=promoted",
    "Finalising weight=0 failed=0 ending=promoted draining",
    "Succeeded weight=0 failed=0",
];
const STEPS: [&str; 3] = ["primary=75 canary=25", "primary=50 canary=50", "primary=100 canary=0"];

#[tokio::test(start_paused = true)]
async fn what_is_at_rest_stays_at_rest() {
    for phase in ["Initialized", "Succeeded"] {
        check(Left { phase, target: OLD, replicas: 0, weight: 0 }, (&[], &[])).await;
    }
    check(Left { phase: "Failed", target: NEW, replicas: 0, weight: 0 }, (&[], &[])).await;
}

/// An API server that answers "later", or that it failed, has not said that the primary is absent.
#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_answer_starts_no_rollout() {
    for (code, retry_after) in [(429, Some(2)), (429, None), (503, None), (504, None)] {
        for phase in ["Succeeded", "Failed"] {
            let reads = |verb: &str| {
                let matcher =
                    Matcher { user_agent: Some(OPERATOR.to_owned()), ..Matcher::new(verb, "deployments") };
                Fault::once(matcher, FaultAction::Answer { code, retry_after }).times(5)
            };
            let target = if phase == "Failed" { NEW } else { OLD };
            let left = Left { phase, target, replicas: 0, weight: 0 };
            check_with(left, &[reads("get"), reads("list")], (&[], &[])).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_pushed_while_no_operator_ran_is_rolled_out() {
    for phase in ["Initialized", "Succeeded"] {
        check(Left { phase, target: NEW, replicas: 0, weight: 0 }, (&RUN, &STEPS)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_goes_on_from_its_weight() {
    check(Left { phase: "Progressing", target: NEW, replicas: 2, weight: 25 }, (&RUN[2..], &STEPS[1..]))
        .await;
    check(Left { phase: "WaitingPromotion", target: NEW, replicas: 2, weight: 50 }, (&RUN[3..], &STEPS[2..]))
        .await;
}

/// Whether the other operator analysed what it was about to copy, nobody can tell: it is analysed again.
#[tokio::test(start_paused = true)]
async fn a_promotion_that_had_not_begun_to_copy_is_analysed_again() {
    check(
        Left { phase: "Promoting", target: NEW, replicas: 2, weight: 50 },
        (&RUN, &["primary=100 canary=0", STEPS[0], STEPS[1], STEPS[2]]),
    )
    .await;
}
