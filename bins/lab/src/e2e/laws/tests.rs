//! A law that is never found broken is no law: each is broken here once.

use std::sync::Arc;

use serde_json::json;

use super::{
    super::{
        api::{CANARIES, Resource},
        systems::{KUMA, System, TRAEFIK},
    },
    *,
};

const ROUTES: Resource = ("/apis/traefik.io/v1alpha1", "traefikservices");

/// Something that was seen at a time, in seconds.
type Seen = (f64, Resource, Value);

fn target(at: f64, replicas: u64, ready: u64) -> Seen {
    let object = json!({"metadata": {"name": "podinfo"}, "spec": {"replicas": replicas}, "status": {"readyReplicas": ready}});
    (at, DEPLOYMENTS, object)
}

fn route(at: f64, primary: i64, canary: Option<i64>) -> Seen {
    let mut services = vec![json!({"name": "podinfo-primary", "weight": primary})];
    services.extend(canary.map(|weight| json!({"name": "podinfo-canary", "weight": weight})));
    (at, ROUTES, json!({"metadata": {"name": "podinfo"}, "spec": {"weighted": {"services": services}}}))
}

fn status(at: f64, weight: i64) -> Seen {
    (at, CANARIES, json!({"metadata": {"name": "podinfo"}, "status": {"canaryWeight": weight}}))
}

/// A step that the operator took at `ms`.
fn step(at: f64, weight: i64, ms: u64) -> Seen {
    let status = json!({"canaryWeight": weight, "lastStepTime": ms});
    (at, CANARIES, json!({"metadata": {"name": "podinfo"}, "status": status}))
}

/// A drain that the operator wants to end at `until`, in milliseconds, in a phase that began at `began`, in seconds.
fn drain(at: f64, until: u64, began: u64) -> Seen {
    let began = format!("1970-01-01T00:00:{began:02}Z");
    let status = json!({"canaryWeight": 0, "drainUntil": until, "lastTransitionTime": began});
    (at, CANARIES, json!({"metadata": {"name": "podinfo"}, "status": status}))
}

fn event(at: f64, count: u64) -> Seen {
    let involved = json!({"kind": "Canary"});
    (
        at,
        EVENTS,
        json!({"metadata": {"name": "x"}, "involvedObject": involved, "message": "hello", "count": count}),
    )
}

fn check(seen: &[Seen], want: &[&str]) {
    check_for(&TRAEFIK, seen, want);
}

fn check_for(system: &'static System, seen: &[Seen], want: &[&str]) {
    let start = Instant::now();
    let moment = |(version, (at, of, object)): (usize, &Seen)| Moment {
        at: start + Duration::from_secs_f64(*at),
        ms: (at * 1_000.0) as u64,
        version: version as u64,
        of: *of,
        object: Arc::new(object.clone()),
        gone: false,
    };
    let moments: Vec<Moment> = seen.iter().enumerate().map(moment).collect();
    let cast = Cast::new(system, "test");
    assert_eq!(broken(&cast, &moments, Pace { interval: Duration::from_secs(2) }), want);
}

#[test]
fn an_orderly_rollout_breaks_no_law() {
    let seen = [
        target(0.0, 2, 2),
        status(1.0, 25),
        route(1.0, 75, Some(25)),
        status(3.0, 50),
        route(3.0, 50, Some(50)),
        status(5.0, 0),
        route(5.0, 100, None),
        target(7.0, 0, 2),
        event(7.0, 1),
    ];
    check(&seen, &[]);
}

#[test]
fn a_watch_that_is_late_breaks_no_law() {
    check(&[step(1.9, 25, 900), step(3.0, 50, 2_950)], &[]);
    check(&[target(0.0, 2, 2), route(2.9, 100, None), drain(1.1, 3_000, 1), target(3.1, 0, 0)], &[]);
}

#[test]
fn each_law_is_found_broken() {
    let full = || target(0.0, 2, 2);
    check(
        &[full(), route(1.0, 75, Some(25)), target(2.0, 0, 0)],
        &["the target was scaled to zero with 25% of the traffic"],
    );
    check(
        &[target(0.0, 2, 0), route(1.0, 75, Some(25))],
        &["25% of the traffic went to a canary without a ready pod"],
    );
    check(&[full(), route(1.0, 100, Some(0))], &["the route lists the canary at weight 0"]);
    check(&[full(), route(1.0, 75, Some(20))], &["the weights of the route sum up to 95"]);
    check(
        &[full(), route(1.0, 100, None), target(2.0, 0, 0)],
        &["the drain before the scale-down was 1s instead of 2s"],
    );
    check(
        &[full(), route(1.0, 100, None), drain(1.1, 3_000, 1), target(2.0, 0, 0)],
        &["the drain before the scale-down was 1s instead of 2s"],
    );
    check(&[drain(1.1, 2_900, 1)], &["a drain was to end 1900 ms after its phase began"]);
    check(&[status(1.0, 25), status(2.0, 50)], &["the time between two steps was 1s instead of 2s"]);
    check(&[step(1.0, 25, 900), step(2.0, 50, 1_900)], &["the time between two steps was 1s instead of 2s"]);
    check(&[event(1.0, 2)], &["told 2 times: hello"]);
    let split = json!([{"weight": 100, "destination": {"kuma.io/service": "podinfo-primary_test_svc_80"}}]);
    let kuma = json!({"metadata": {"name": "podinfo"}, "spec": {"conf": {"split": split}}});
    check_for(
        &KUMA,
        &[full(), (1.0, ("/apis/kuma.io/v1alpha1", "trafficroutes"), kuma)],
        &["the route does not list the canary"],
    );
}
