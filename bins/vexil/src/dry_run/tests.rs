//! The paragraphs of the report.

use serde_json::{Value, json};
use vexil_api::Defect;

use super::*;

fn found(before: (Phase, u32), after: (Phase, u32), next: Next) -> Preview {
    Preview { defects: Vec::new(), before, after, starts: false, events: Vec::new(), next }
}

fn write(verb: &'static str, kind: &str, body: Value) -> DryWrite {
    DryWrite { verb, kind: kind.to_owned(), namespace: "test".to_owned(), name: "podinfo".to_owned(), body }
}

fn check(found: &Preview, writes: &[DryWrite], expect: &[&str]) {
    let key = ObjectKey::new(kinds::CANARY, "test", "podinfo");
    let text = report(&key, found, &Heading::of(found), writes);
    assert_eq!(text.lines().collect::<Vec<_>>(), expect);
}

#[test]
fn what_is_at_rest_is_one_line() {
    let status = write("patch status", "Canary", json!({"status": {"run": 0}}));
    let rest = (Phase::Succeeded, 0);
    check(&found(rest, rest, Next::Rest), &[status], &["test/podinfo: adopted as it is (Succeeded)"]);
}

#[test]
fn a_rollout_in_progress_says_what_decides_next() {
    let at = (Phase::Progressing, 20);
    check(
        &found(at, at, Next::Asks("metric request-success-rate".to_owned())),
        &[],
        &[
            "test/podinfo: adopted, and goes on (Progressing at weight 20)",
            "  next:   metric request-success-rate",
        ],
    );
}

#[test]
fn a_rollout_that_starts_says_what_is_written() {
    let preview = Preview {
        starts: true,
        events: vec!["New revision detected! Scaling up podinfo.test".to_owned()],
        ..found(
            (Phase::Succeeded, 0),
            (Phase::Progressing, 0),
            Next::Waits("ready pods of the canary".to_owned()),
        )
    };
    let writes = [
        write("patch", "Deployment", json!({"spec": {"replicas": 2}, "metadata": {"labels": {"a": null}}})),
        write("patch", "TraefikService", json!([{"op": "add", "path": "/spec/weighted", "value": {}}])),
        write("create", "Service", json!({"spec": {}})),
    ];
    check(
        &preview,
        &writes,
        &[
            "test/podinfo: a rollout starts (Succeeded -> Progressing)",
            "  write:  patch Deployment test/podinfo: metadata.labels.a, spec.replicas",
            "  write:  patch TraefikService test/podinfo: /spec/weighted",
            "  write:  create Service test/podinfo",
            "  event:  New revision detected! Scaling up podinfo.test",
            "  waits:  ready pods of the canary",
        ],
    );
}

#[test]
fn what_holds_up_an_initialisation_is_said_at_once() {
    let at = (Phase::New, 0);
    check(
        &found(at, (Phase::Initializing, 0), Next::Refused("Ingress podinfo.test does not exist".to_owned())),
        &[],
        &[
            "test/podinfo: cannot be initialized yet (new -> Initializing)",
            "  cannot: Ingress podinfo.test does not exist",
        ],
    );
}

#[test]
fn every_defect_is_named() {
    let defect = |path: &str| Defect { path: path.to_owned(), message: "is wrong".to_owned() };
    let at = (Phase::Initialized, 0);
    let preview = Preview { defects: vec![defect("spec.a"), defect("spec.b")], ..found(at, at, Next::Rest) };
    check(
        &preview,
        &[],
        &["test/podinfo: refused (Initialized)", "  defect: spec.a: is wrong", "  defect: spec.b: is wrong"],
    );
}

#[test]
fn status_fields_that_the_cluster_would_drop_are_named() {
    let crd = |fields: Value| {
        let schema = json!({"openAPIV3Schema": {"properties": {"status": {"properties": fields}}}});
        json!({"spec": {"versions": [{"name": "v1alpha3"}, {"name": "v1beta1", "schema": schema}]}})
    };
    let ours = crd(json!({"phase": {}, "run": {}, "binding": {}}));
    assert_eq!(lacking(&crd(json!({"phase": {}})), &ours), ["status.binding", "status.run"]);
    assert!(lacking(&ours, &ours).is_empty());
}

#[test]
fn a_new_canary_is_initialized() {
    let waits = Next::Waits("ready pods of the primary".to_owned());
    check(
        &found((Phase::New, 0), (Phase::Initializing, 0), waits),
        &[],
        &["test/podinfo: will be initialized (new -> Initializing)", "  waits:  ready pods of the primary"],
    );
}
