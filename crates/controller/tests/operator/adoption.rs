//! Canaries of Flagger, in each phase: taken over without starting a rollout.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};
use vexil_testbed_cluster::Load;

use crate::{
    cluster::{OPERATOR, Stage},
    config_tracking::color,
    pod_labels::apply,
};

const NAME: &str = "podinfo";

/// What the other operator left behind.
pub(crate) struct Left {
    pub(crate) phase: &'static str,
    /// What the target runs.
    pub(crate) target: &'static str,
    /// What the primary runs.
    pub(crate) primary: &'static str,
    pub(crate) replicas: u32,
    pub(crate) weight: u32,
    /// The type of a gate that is closed.
    pub(crate) gate: Option<&'static str>,
    /// Whether the target uses a ConfigMap, and whether that has changed since.
    pub(crate) config: Option<bool>,
}

impl Left {
    pub(crate) fn at(phase: &'static str) -> Self {
        Left { phase, target: OLD, primary: OLD, replicas: 0, weight: 0, gate: None, config: None }
    }

    /// With a revision of the target that the primary does not have.
    fn pushed(self) -> Self {
        Left { target: NEW, ..self }
    }

    /// With traffic on the pods of that revision.
    fn serving(self, weight: u32) -> Self {
        Left { replicas: 2, weight, ..self.pushed() }
    }

    /// With a primary that has the revision of the target.
    fn copied(self) -> Self {
        Left { primary: NEW, ..self.pushed() }
    }
}

/// A status as Flagger stores it: with its own digests, and without the fields that only Vexil has.
pub(crate) fn status(left: &Left) -> Value {
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
    let mut stage = leave(&left).await;
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

/// A cluster without an operator on which Flagger left this behind.
pub(crate) async fn leave(left: &Left) -> Stage {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    if left.config.is_some() {
        apply(&stage, &color("red")).await;
    }
    stage.apply(NAME, &[&gated(left.gate)]).await;
    if left.config.is_some() {
        stage.change(NAME, &uses_config()).await;
    }
    stage.until_phase(NAME, "Initialized").await;
    stage.kill().await;
    if left.config == Some(true) {
        apply(&stage, &color("blue")).await;
    }
    stage.hooks.lock().unwrap().push(("gate".to_owned(), 403));
    stage.push(NAME, left.target).await;
    stage.change(NAME, &json!({"spec": {"replicas": left.replicas}})).await;
    let primary = format!("{NAME}-primary");
    stage.push(&primary, left.primary).await;
    let id = json!({"spec": {"template": {"metadata": {"annotations": {"flagger-id": FLAGGERS_ID}}}}});
    stage.change(&primary, &id).await;
    let entry = |side: &str, weight: u32| {
        let service = format!("{NAME}-{side}");
        json!({"name": service, "namespace": "test", "port": 80, "weight": weight})
    };
    let mut entries = vec![entry("primary", 100 - left.weight)];
    entries.extend((left.weight > 0).then(|| entry("canary", left.weight)));
    stage.pass(30.0).await;
    let route = ("traefik.io/v1alpha1", "TraefikService");
    stage
        .cluster
        .merge(route, ("test", NAME), &json!({"spec": {"weighted": {"services": entries}}}))
        .await
        .unwrap();
    stage.patch_status(NAME, &status(left)).await;
    stage.pass(2.0).await;
    stage
}

/// The annotation of a primary that Flagger wrote: a random UUID.
const FLAGGERS_ID: &str = "0d3b2a5e-6f0c-4c61-9f42-0a6f5b7f6f11";

fn gated(gate: Option<&str>) -> Value {
    match gate {
        Some(kind) => {
            let hook =
                json!({"name": "gate", "type": kind, "url": "http://hooks.test/gate", "timeout": "5s"});
            json!({"spec": {"analysis": {"webhooks": [hook]}}})
        }
        None => json!({}),
    }
}

fn uses_config() -> Value {
    let volume = json!({"name": "web", "configMap": {"name": "web"}});
    json!({"spec": {"template": {"spec": {"volumes": [volume]}}}})
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
        check(Left::at(phase), (&[], &[])).await;
    }
    check(Left::at("Succeeded").copied(), (&[], &[])).await;
    check(Left::at("Failed").pushed(), (&[], &[])).await;
}

#[tokio::test(start_paused = true)]
async fn tracked_configuration_that_has_not_changed_starts_no_rollout() {
    for phase in ["Initialized", "Succeeded"] {
        check(Left { config: Some(false), ..Left::at(phase) }, (&[], &[])).await;
    }
    check(Left { config: Some(false), ..Left::at("Failed").pushed() }, (&[], &[])).await;
}

#[tokio::test(start_paused = true)]
async fn configuration_that_was_changed_while_no_operator_ran_is_rolled_out() {
    check(Left { config: Some(true), ..Left::at("Succeeded") }, (&RUN, &STEPS)).await;
}

/// A gate that Flagger waited for keeps what it held.
#[tokio::test(start_paused = true)]
async fn a_closed_gate_is_waited_for_with_the_traffic_as_it_is() {
    check(Left { gate: Some("confirm-rollout"), ..Left::at("Waiting").pushed() }, (&[], &[])).await;
    check(Left { gate: Some("confirm-promotion"), ..Left::at("WaitingPromotion").serving(50) }, (&[], &[]))
        .await;
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
            let left = if phase == "Failed" { Left::at(phase).pushed() } else { Left::at(phase) };
            check_with(left, &[reads("get"), reads("list")], (&[], &[])).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_pushed_while_no_operator_ran_is_rolled_out() {
    for phase in ["Initialized", "Succeeded"] {
        check(Left::at(phase).pushed(), (&RUN, &STEPS)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_goes_on_from_its_weight() {
    check(Left::at("Progressing").serving(25), (&RUN[2..], &STEPS[1..])).await;
    check(Left::at("WaitingPromotion").serving(50), (&RUN[3..], &STEPS[2..])).await;
    let config = Some(false);
    check(Left { config, ..Left::at("Progressing").serving(25) }, (&RUN[2..], &STEPS[1..])).await;
}

/// The primary has the new revision already: its traffic goes back to it, and the rollout ends.
#[tokio::test(start_paused = true)]
async fn a_promotion_that_was_copied_is_finished() {
    check(Left::at("Promoting").serving(50).copied(), (&RUN[4..], &STEPS[2..])).await;
    check(Left::at("Finalising").serving(0).copied(), (&RUN[4..], &[])).await;
}

/// It is not known whether the other operator analysed what it was about to copy: it is analysed again.
#[tokio::test(start_paused = true)]
async fn a_promotion_that_had_not_begun_to_copy_is_analysed_again() {
    check(Left::at("Promoting").serving(50), (&RUN, &["primary=100 canary=0", STEPS[0], STEPS[1], STEPS[2]]))
        .await;
}
