//! Ownership: routes of the user, of another Canary, of an earlier one, and routes whose Canary is gone.

use serde_json::{Value, json};
use vexil_object::{Action, ObjectKey, Seen, kinds, meta};
use vexil_routing::{Router, laws::Sample};

use super::{cluster, key, look, split, write};
use crate::{
    Api, CANARY, Kuma, UID,
    claim::{abandoned, canary_of},
};

#[test]
fn a_route_that_is_not_for_our_service_is_not_changed() {
    let sample = Sample::default();
    let refused = |live: Value| {
        let mut store = cluster(&[Api::TrafficRoute]);
        store.put(key(Api::TrafficRoute), live);
        Kuma::new(None)
            .render(&sample.target(), &split(10), &look(Api::TrafficRoute, &store))
            .unwrap_err()
            .to_string()
    };
    // What Flagger wrote for the Canary of another namespace, and what this operator wrote for it.
    let theirs = json!({"spec": {"destinations": [{"match": {"kuma.io/service": "podinfo_other_svc_80"}}]}});
    let left = "and is left alone; remove it or rename spec.service.name";
    let not_ours =
        format!("TrafficRoute podinfo belongs to someone else (it is not for podinfo.test) {left}");
    assert_eq!(refused(theirs), not_ours);
    let marks = json!({"labels": {UID: "u7"}, "annotations": {CANARY: "other/podinfo"}});
    let another = format!("TrafficRoute podinfo belongs to Canary other/podinfo (uid u7) {left}");
    assert_eq!(refused(json!({"metadata": marks})), another);
    let users = |mesh: Value, conf: Value| {
        let destinations = json!([{"match": {"kuma.io/service": "podinfo_test_svc_80"}}]);
        refused(json!({"mesh": mesh, "spec": {"destinations": destinations, "conf": conf}}))
    };
    let other_mesh = "TrafficRoute podinfo: mesh is \"prod\", and the Canary's mesh is \"default\"";
    assert_eq!(users(json!("prod"), json!({})), other_mesh);
    assert_eq!(
        users(Value::Null, json!({"destination": {"kuma.io/service": "x"}})),
        "TrafficRoute podinfo: spec.conf.destination sends all traffic to one place, and Kuma allows no split beside it"
    );
}

#[test]
fn a_canary_that_was_created_again_takes_its_route_over() {
    let mut sample = Sample::default();
    let created = write(Api::TrafficRoute, &sample, None, 10);
    sample.owner.uid = "made-again".to_owned();
    let taken = write(Api::TrafficRoute, &sample, Some(created), 10);
    assert_eq!(meta::label(&taken, UID), Some("made-again"));
}

#[test]
fn a_route_is_deleted_when_its_canary_is_observed_to_be_gone() {
    let route = write(Api::TrafficRoute, &Sample::default(), None, 0);
    assert_eq!(canary_of(&route), Some(ObjectKey::new(kinds::CANARY, "test", "podinfo")));
    let check = |route: &Value, canary: Seen, swept: bool| {
        let change = abandoned(&key(Api::TrafficRoute), route, &canary);
        assert_eq!(change.is_some(), swept, "{canary:?}");
        assert!(change.is_none_or(|change| matches!(change.action, Action::Delete(_))));
    };
    let canary = |uid: &str| Seen::present(json!({"metadata": {"uid": uid}}));
    check(&route, Seen::NotKnown, false);
    check(&route, canary("canary-uid"), false);
    check(&route, canary("made-again"), true);
    check(&route, Seen::Absent, true);
    let users = json!({"spec": {}});
    assert_eq!(canary_of(&users), None);
    check(&users, Seen::Absent, false);
}
