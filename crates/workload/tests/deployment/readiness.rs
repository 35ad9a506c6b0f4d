//! Readiness: each state of a Deployment, the deadline, the threshold and the rounding.

use serde_json::{Value, json};
use vexil_analysis::Readiness;
use vexil_workload::{Demand, Deployments, Side, Workload};

use crate::fixture::Scene;

const FINISH: &str = "canary deployment podinfo.test not ready: waiting for rollout to finish: ";

fn demand() -> Demand {
    Demand::default()
}

/// A Deployment of so many wanted, updated, running and available pods.
fn pods(desired: i64, updated: i64, running: i64, available: i64) -> Value {
    json!({
        "metadata": {"name": "podinfo", "namespace": "test", "generation": 2},
        "spec": {"replicas": desired, "template": {"spec": {}}},
        "status": {"observedGeneration": 2, "updatedReplicas": updated, "replicas": running,
            "availableReplicas": available},
    })
}

/// Pods that are missing since so many milliseconds.
fn missing(mut deployment: Value, progressing: &str, for_ms: u64) -> Value {
    let since = ["2026-11-21T05:59:50Z", "2026-11-21T05:00:00Z"][usize::from(for_ms > 10_000)];
    deployment["status"]["conditions"] = json!([
        {"type": "Progressing", "status": "True", "reason": progressing},
        {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "lastUpdateTime": since},
    ]);
    deployment
}

fn check(deployment: Value, demand: Demand, expect: Readiness) {
    let scene = Scene::default();
    let world = scene.world(Some(&deployment), None);
    let seen = Deployments.readiness(&scene.subject(), Side::Canary, &demand, &world);
    assert_eq!(seen, Ok(expect), "{demand:?} {deployment}");
}

fn waits(inner: &str) -> Readiness {
    Readiness::Waiting(format!("{FINISH}{inner}"))
}

#[test]
fn the_contracts_rows_in_their_order() {
    check(pods(1, 1, 1, 1), demand(), Readiness::Ready);
    check(pods(2, 1, 2, 2), demand(), waits("1 out of 2 new replicas have been updated"));
    check(pods(1, 1, 2, 1), demand(), waits("1 old replicas are pending termination"));
    check(pods(2, 2, 2, 1), demand(), waits("1 of 2 (readyThreshold 100%) updated replicas are available"));
    let mut lagging = missing(pods(1, 0, 0, 0), "ProgressDeadlineExceeded", 1);
    lagging["status"]["observedGeneration"] = json!(1);
    check(lagging, demand(), waits("observed deployment generation less than desired generation"));
    let exceeded =
        "canary deployment podinfo.test not ready: deployment \"podinfo\" exceeded its progress deadline";
    check(
        missing(pods(1, 0, 0, 0), "ProgressDeadlineExceeded", 1),
        demand(),
        Readiness::Failed(exceeded.to_owned()),
    );
}

#[test]
fn the_threshold_is_rounded_up_and_never_accepts_no_pod() {
    let share = |threshold_percent: u32| Demand { threshold_percent, ..demand() };
    let short = |available: i64, need: i64, percent: u32| {
        waits(&format!("{available} of {need} (readyThreshold {percent}%) updated replicas are available"))
    };
    check(pods(4, 4, 4, 2), share(50), Readiness::Ready);
    check(pods(4, 4, 4, 1), share(50), short(1, 2, 50));
    check(pods(3, 3, 3, 1), share(50), short(1, 2, 50));
    check(pods(1, 1, 1, 0), share(50), short(0, 1, 50));
    check(pods(1, 1, 1, 0), share(0), short(0, 1, 0));
    check(pods(300, 300, 300, 62), share(21), short(62, 63, 21));
    check(pods(300, 300, 300, 63), share(21), Readiness::Ready);
    check(pods(150, 150, 150, 63), share(42), Readiness::Ready);
}

#[test]
fn a_canary_at_zero_is_not_ready_while_it_is_analysed() {
    let zero = "canary deployment podinfo.test not ready: canary deployment is scaled to zero";
    check(pods(0, 0, 0, 0), demand(), Readiness::Waiting(zero.to_owned()));
    check(pods(0, 0, 0, 0), Demand { some_pod: false, ..demand() }, Readiness::Ready);
}

#[test]
fn the_primary_has_its_own_words() {
    let scene = Scene::default();
    let target = scene.target();
    let mut primary = scene.primary_of(&target);
    let read = |primary: Option<&Value>| {
        let world = scene.world(Some(&target), primary);
        Deployments.readiness(&scene.subject(), Side::Primary, &demand(), &world)
    };
    let message = "podinfo-primary.test not ready: waiting for rollout to finish: \
                   0 out of 2 new replicas have been updated";
    assert_eq!(read(Some(&primary)), Ok(Readiness::Waiting(message.to_owned())));
    primary["spec"]["replicas"] = json!(0);
    let zero = "podinfo-primary.test not ready: primary deployment is scaled to zero";
    assert_eq!(read(Some(&primary)), Ok(Readiness::Waiting(zero.to_owned())));
    let missing =
        "deployment podinfo-primary.test get query error: deployments.apps \"podinfo-primary\" not found";
    assert_eq!(read(None).unwrap_err().to_string(), missing);
}
