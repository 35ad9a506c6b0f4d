//! DaemonSets: what the cache keeps says the same as the whole object, and readiness by its counters.

use serde_json::{Value, json};
use vexil_analysis::Readiness;
use vexil_api::{CanarySpec, CanaryView, TargetRef};
use vexil_object::{Action, JsonOp, ObjectKey, Objects, Owner, Projection, Seen, kinds};
use vexil_workload::{
    DaemonSetProjection, DaemonSets, Demand, PrimaryCopy, Settings, Side, Subject, Workload,
};

const SCALED: &str = "flagger.app/scale-to-zero";

fn target(selector: Value, status: Value) -> Value {
    json!({
        "metadata": {"name": "agent", "namespace": "test", "generation": 2, "labels": {"app": "agent"}},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}}, "updateStrategy": {"type": "RollingUpdate"},
            "template": {
                "metadata": {"labels": {"app": "agent"}},
                "spec": {"nodeSelector": selector, "containers": [{"name": "agent", "image": "agent:1"}]},
            },
        },
        "status": status,
    })
}

fn with_subject<T>(check: impl FnOnce(&Subject<'_>) -> T) -> T {
    let (owner, settings) = (Owner { name: "agent".to_owned(), uid: "u".to_owned() }, Settings::default());
    let spec = CanarySpec {
        target_ref: TargetRef { name: "agent".to_owned(), ..TargetRef::default() },
        ..CanarySpec::default()
    };
    check(&Subject { view: CanaryView::new(&owner, "test", &spec), settings: &settings })
}

fn world(target: &Value) -> Objects {
    let key = |name| ObjectKey::new(kinds::DAEMON_SET, "test", name);
    [
        (key("agent"), Seen::present(DaemonSetProjection.keep(target.clone()))),
        (key("agent-primary"), Seen::Absent),
    ]
    .into_iter()
    .collect()
}

#[test]
fn the_node_selector_that_scales_to_zero_is_no_part_of_the_revision_and_is_not_copied() {
    let revision = DaemonSets.revision(&target(Value::Null, json!({})));
    for (selector, same) in [
        (Value::Null, true),
        (json!({SCALED: "true"}), true),
        (json!({"disk": "ssd"}), false),
        (json!({"disk": "ssd", SCALED: "true"}), false),
    ] {
        let object = target(selector.clone(), json!({}));
        let kept = DaemonSetProjection.keep(object.clone());
        assert_eq!(DaemonSets.revision(&kept), DaemonSets.revision(&object), "{selector}");
        assert_eq!(DaemonSets.revision(&object) == revision, same, "{selector}");
        assert_eq!(DaemonSetProjection.keep(kept.clone()), kept, "keeping twice is keeping once");
        let copy = with_subject(|subject| DaemonSets.create_primary(subject, &object, None, &world(&object)));
        let Ok(PrimaryCopy::Write { change, .. }) = copy else { panic!("{copy:?}") };
        assert!(!format!("{change:?}").contains(SCALED), "{change:?}");
    }
}

#[test]
fn readiness_is_that_of_the_nodes() {
    let check = |status: Value, selector: Value, side: Side, percent: u32, expect: Option<&str>| {
        let demand = Demand { threshold_percent: percent, some_pod: side == Side::Canary };
        let object = target(selector, status.clone());
        let mut have = world(&object);
        let primary = ObjectKey::new(kinds::DAEMON_SET, "test", "agent-primary");
        let mut owned = object;
        owned["metadata"]["ownerReferences"] =
            json!([{"kind": "Canary", "name": "agent", "uid": "u", "controller": true}]);
        have.insert(primary, Seen::present(DaemonSetProjection.keep(owned)));
        let found = with_subject(|subject| DaemonSets.readiness(subject, side, &demand, &have));
        match (found.unwrap(), expect) {
            (Readiness::Ready, None) => {}
            (Readiness::Waiting(text), Some(part)) => assert!(text.contains(part), "{text}"),
            other => panic!("{status}: {other:?}"),
        }
    };
    let counters = |generation: u32, desired: u32, updated: u32, available: u32| {
        json!({"observedGeneration": generation, "desiredNumberScheduled": desired,
            "updatedNumberScheduled": updated, "numberAvailable": available})
    };
    let none = || json!({});
    check(counters(1, 1, 1, 1), none(), Side::Canary, 100, Some("daemonset generation less than desired"));
    check(counters(2, 1, 1, 1), none(), Side::Canary, 100, None);
    check(counters(2, 1, 0, 1), none(), Side::Canary, 100, Some("0 out of 1 new pods have been updated"));
    check(counters(2, 1, 1, 0), none(), Side::Canary, 100, Some("0 of 1 (readyThreshold 100%) updated pods"));
    check(counters(2, 4, 4, 2), none(), Side::Canary, 50, None);
    check(counters(2, 4, 4, 1), none(), Side::Canary, 50, Some("1 of 2 (readyThreshold 50%)"));
    check(counters(2, 3, 3, 0), none(), Side::Canary, 1, Some("0 of 1 (readyThreshold 1%)"));
    check(counters(2, 0, 0, 0), none(), Side::Canary, 100, Some("no node is selected"));
    check(counters(2, 0, 0, 0), none(), Side::Primary, 100, Some("no node is selected"));
    check(counters(2, 0, 0, 0), none(), Side::Primary, 0, None);
    check(counters(2, 0, 0, 0), json!({SCALED: "true"}), Side::Primary, 100, None);
    check(counters(2, 0, 0, 0), json!({SCALED: "true"}), Side::Canary, 100, Some("scaled to zero"));
}

/// Zero pods are wanted only of one that was scaled to zero.
#[test]
fn one_that_no_node_fits_is_not_asleep() {
    let check = |selector: Value, expect: Option<u32>| {
        let status = json!({"observedGeneration": 2, "desiredNumberScheduled": 0});
        let object = target(selector.clone(), status);
        assert_eq!(DaemonSets.replicas(&object), expect, "{selector}");
        assert_eq!(DaemonSets.replicas(&DaemonSetProjection.keep(object)), expect, "projected {selector}");
    };
    check(json!({}), None);
    check(json!({"pool": "batch"}), None);
    check(json!({"pool": "batch", SCALED: "true"}), Some(0));
}

/// The API server leaves out a `minReadySeconds` of zero: a target that has none any more is one that has zero.
#[test]
fn a_promotion_copies_that_there_is_no_min_ready_seconds_any_more() {
    let mut before = target(Value::Null, json!({}));
    before["spec"]["minReadySeconds"] = json!(30);
    let after = target(Value::Null, json!({}));
    let check = |target: &Value, expect: i64| {
        let ops = with_subject(|subject| {
            let created = DaemonSets.create_primary(subject, &before, None, &world(&before));
            let Ok(PrimaryCopy::Write { change, .. }) = created else { panic!("{created:?}") };
            let Action::Create(primary) = change.action else { panic!() };
            let mut have = world(target);
            have.insert(change.key, Seen::present(DaemonSetProjection.keep(primary)));
            let mut pushed = target.clone();
            pushed["spec"]["template"]["spec"]["containers"][0]["image"] = "agent:2".into();
            let revision = DaemonSets.revision(&pushed).unwrap();
            let promoted = DaemonSets.promote(subject, &pushed, &revision, &have);
            let Ok(PrimaryCopy::Write { change, .. }) = promoted else { panic!("{promoted:?}") };
            let Action::Json { ops, .. } = change.action else { panic!() };
            ops
        });
        let op = JsonOp::Add("/spec/minReadySeconds".to_owned(), json!(expect));
        assert!(ops.contains(&op), "{ops:?}");
    };
    check(&before, 30);
    check(&after, 0);
}
