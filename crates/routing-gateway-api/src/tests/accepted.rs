//! What the parents report.

use serde_json::{Value, json};
use vexil_routing::Acceptance;

use super::key;
use crate::{acceptance, kinds::HTTP};

fn condition(kind: &str, status: &str, generation: i64) -> Value {
    json!({"type": kind, "status": status, "reason": "Why", "message": "because", "observedGeneration": generation})
}

#[track_caller]
fn check(parents: Value, reports: Value, expect: Acceptance) {
    let live = json!({
        "metadata": {"generation": 3}, "spec": {"parentRefs": parents}, "status": {"parents": reports},
    });
    assert_eq!(acceptance::of(&key(HTTP), &live), expect);
}

fn report(parent: Value, conditions: Value) -> Value {
    json!({"parentRef": parent, "controllerName": "example.com/gateway", "conditions": conditions})
}

#[test]
fn every_parent_must_have_accepted_this_generation() {
    let public = json!({"name": "public", "namespace": "infra"});
    let full = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "namespace": "infra"});
    let (accepted, resolved) = (condition("Accepted", "True", 3), condition("ResolvedRefs", "True", 3));
    let good = report(full.clone(), json!([accepted, resolved]));
    let refused = |text: &str| Acceptance::Refused(text.to_owned());
    let route = "HTTPRoute podinfo.test";
    check(json!([public]), json!([good]), Acceptance::Accepted);
    check(json!([public]), json!([report(public.clone(), json!([accepted]))]), Acceptance::Accepted);
    check(json!([]), json!([]), Acceptance::Accepted);
    check(
        json!([public]),
        json!([]),
        refused(&format!("Gateway infra/public has not reported on {route} yet")),
    );
    let other = report(json!({"name": "public"}), json!([accepted]));
    check(
        json!([public]),
        json!([other]),
        refused(&format!("Gateway infra/public has not reported on {route} yet")),
    );
    let old = report(full.clone(), json!([condition("Accepted", "True", 2), resolved]));
    let text = format!("Gateway infra/public has not applied generation 3 of {route} yet");
    check(json!([public]), json!([old]), Acceptance::Outdated(text));
    let denied = report(full.clone(), json!([condition("Accepted", "False", 3), resolved]));
    let text = format!("Gateway infra/public does not apply {route}: Accepted is False, Why: because");
    check(json!([public]), json!([denied]), refused(&text));
    let unresolved = report(full, json!([accepted, condition("ResolvedRefs", "False", 3)]));
    let text = format!("Gateway infra/public does not apply {route}: ResolvedRefs is False, Why: because");
    check(json!([public]), json!([unresolved]), refused(&text));
    let mesh = json!({"group": "", "kind": "Service", "name": "podinfo", "port": 80, "sectionName": "http"});
    let text = format!("Service test/podinfo, listener http has not reported on {route} yet");
    check(json!([mesh]), json!([good]), refused(&text));
    check(json!([mesh]), json!([report(mesh.clone(), json!([accepted]))]), Acceptance::Accepted);
}
