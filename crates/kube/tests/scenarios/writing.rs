//! What writes do, and what is seen right after them.

use serde_json::{Value, json};
use vexil_kube::{EventRecord, WriteError};
use vexil_object::{
    Action, Change, JsonOp, Kind, ObjectKey, Precondition, Seen,
    kinds::{CONFIG_MAP, DEPLOYMENT, EVENT},
    meta,
};

use super::{Stage, deployment};

/// Makes a Deployment through the crate under test and answers its key and how it looks.
async fn made(stage: &Stage) -> (ObjectKey, Value) {
    stage.until_synced(DEPLOYMENT).await;
    let key = stage.key(DEPLOYMENT, "podinfo");
    stage.cluster.apply(&Change::create(key.clone(), deployment("podinfo"))).await.unwrap();
    let seen = stage.cluster.look(&key);
    (key, seen.object().expect("seen right after it was made").clone())
}

fn merge(key: &ObjectKey, on: Precondition, body: Value) -> Change {
    Change { key: key.clone(), action: Action::Merge { body, on } }
}

fn label(value: &str) -> Value {
    json!({"metadata": {"labels": {"step": value}}})
}

pub async fn our_own_writes_are_seen_at_once_and_never_undone(stage: Stage) {
    stage.until_synced(CONFIG_MAP).await;
    let key = stage.key(CONFIG_MAP, "podinfo");
    stage.cluster.apply(&Change::create(key.clone(), json!({}))).await.unwrap();
    for step in 0..5 {
        let seen = stage.cluster.look(&key);
        let want = step.to_string();
        stage
            .cluster
            .apply(&merge(&key, Precondition::of(seen.object().unwrap()), label(&want)))
            .await
            .unwrap();
        let seen = stage.cluster.look(&key);
        assert_eq!(meta::label(seen.object().unwrap(), "step"), Some(want.as_str()));
    }
    let seen = stage.cluster.look(&key);
    let ops =
        vec![JsonOp::Add("/data".into(), json!({"a": "b"})), JsonOp::Remove("/metadata/labels/step".into())];
    let on = Precondition::of(seen.object().unwrap());
    stage.cluster.apply(&Change { key: key.clone(), action: Action::Json { ops, on } }).await.unwrap();
    let seen = stage.cluster.look(&key);
    assert_eq!(meta::label(seen.object().unwrap(), "step"), None);
    stage.cluster.apply(&Change::delete(key.clone(), seen.object().unwrap())).await.unwrap();
    assert_eq!(stage.cluster.look(&key), Seen::Absent);
    stage.cluster.apply(&Change::create(key.clone(), json!({}))).await.unwrap();
    assert!(stage.cluster.look(&key).object().is_some());
}

pub async fn writes_on_what_has_changed_are_refused(stage: Stage) {
    let (key, old) = made(&stage).await;
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/podinfo", stage.namespace);
    stage.merge(&path, label("theirs")).await;
    let on = Precondition::of(&old);
    let json = Action::Json { ops: vec![JsonOp::Add("/metadata/labels".into(), json!({}))], on: on.clone() };
    for action in [Action::Merge { body: label("ours"), on: on.clone() }, json, Action::Delete(on)] {
        let refused = stage.cluster.apply(&Change { key: key.clone(), action: action.clone() }).await;
        assert!(matches!(refused, Err(WriteError::Conflict { .. })), "{action:?}: {refused:?}");
        // The past is not shown after that: newer or nothing.
        let seen = stage.cluster.look(&key);
        assert!(seen.object().is_none_or(|object| meta::label(object, "step") == Some("theirs")), "{seen:?}");
        stage.cluster.fetch(&key).await.unwrap();
        assert_eq!(meta::label(stage.cluster.look(&key).object().unwrap(), "step"), Some("theirs"));
    }
}

/// The same name, another life: the version alone would do, but nothing may depend on it.
pub async fn writes_on_another_life_of_the_object_are_refused(stage: Stage) {
    let (key, _) = made(&stage).await;
    let mut on = Precondition::of(stage.cluster.fetch(&key).await.unwrap().object().unwrap());
    on.uid = "00000000-0000-0000-0000-000000000000".into();
    let json = Action::Json { ops: vec![JsonOp::Add("/metadata/labels".into(), json!({}))], on: on.clone() };
    for action in [Action::Merge { body: label("ours"), on: on.clone() }, json, Action::Delete(on)] {
        let refused = stage.cluster.apply(&Change { key: key.clone(), action: action.clone() }).await;
        assert!(matches!(refused, Err(WriteError::Conflict { .. })), "{action:?}: {refused:?}");
    }
}

pub async fn an_existing_object_is_not_created_again(stage: Stage) {
    let (key, _) = made(&stage).await;
    let again = Change::create(key.clone(), deployment("podinfo"));
    assert_eq!(stage.cluster.apply(&again).await, Err(WriteError::AlreadyExists));
    stage.until_seen(&key, |seen| seen.object().is_some()).await;
}

pub async fn refusals_say_what_to_do(stage: Stage) {
    stage.until_synced(DEPLOYMENT).await;
    let nowhere = ObjectKey::new(DEPLOYMENT, "no-such-namespace", "podinfo");
    let refused = stage.cluster.apply(&Change::create(nowhere, deployment("podinfo"))).await;
    assert!(matches!(refused, Err(WriteError::NotFound { .. })), "{refused:?}");

    let unserved = Kind::namespaced("unserved.example", "v1", "Nothing", "nothings");
    let refused = stage.cluster.apply(&Change::create(stage.key(unserved, "x"), json!({}))).await;
    assert_eq!(refused, Err(WriteError::NotServed { resource: "unserved.example/v1/nothings".into() }));

    let mut bad = deployment("podinfo");
    bad["spec"]["replicas"] = json!("many");
    let refused = stage.cluster.apply(&Change::create(stage.key(DEPLOYMENT, "podinfo"), bad)).await;
    assert!(matches!(refused, Err(WriteError::Invalid { .. })), "{refused:?}");
    assert_eq!(stage.cluster.look(&stage.key(DEPLOYMENT, "podinfo")), Seen::Absent, "nothing was written");

    let on = Precondition { uid: "u".into(), resource_version: "1".into() };
    let refused = stage.cluster.apply(&merge(&stage.key(DEPLOYMENT, "none"), on, label("x"))).await;
    assert!(matches!(refused, Err(WriteError::NotFound { .. } | WriteError::Conflict { .. })), "{refused:?}");
}

pub async fn an_event_is_recorded_once(stage: Stage) {
    let event = EventRecord {
        name: "podinfo.run-1.started".into(),
        namespace: stage.namespace.clone(),
        canary: "podinfo".into(),
        uid: "6f1e".into(),
        resource_version: String::new(),
        r#type: "Normal",
        message: "New revision detected! Scaling up podinfo.test".into(),
        at_ms: 1_767_225_600_000,
    };
    stage.cluster.record(&event).await.unwrap();
    stage.cluster.record(&event).await.unwrap();
    let events = stage.cluster.list_live(EVENT, &stage.namespace, "").await.unwrap();
    let ours: Vec<_> =
        events.iter().filter(|event| meta::text(event, "/source/component") == "flagger").collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(meta::text(ours[0], "/lastTimestamp"), "2026-01-01T00:00:00Z");
}
