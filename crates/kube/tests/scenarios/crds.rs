//! Kinds that are defined and deleted while we run, and definitions without our fields.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_kube::WriteError;
use vexil_object::{Change, Kind, Precondition, Seen, kinds};

use super::Stage;

pub(super) const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

pub(super) fn definition(kind: Kind, versions: &[&str]) -> Value {
    let versions: Vec<_> = versions
        .iter()
        .enumerate()
        .map(|(index, version)| {
            json!({
                "name": version, "served": true, "storage": index == 0, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "status": {"type": "object", "properties": {
                        "phase": {"type": "string"},
                        "conditions": {"type": "array", "items": {
                            "type": "object", "properties": {"type": {"type": "string"}}}},
                    }},
                }}},
            })
        })
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.definition().name()},
        "spec": {
            "group": kind.group, "scope": "Namespaced", "versions": versions,
            "names": {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.to_lowercase(), "listKind": format!("{}List", kind.kind)},
        },
    })
}

/// Makes a definition, in place of one that an earlier run on the same server left behind.
async fn define(stage: &Stage, kind: Kind, versions: &[&str]) {
    define_as(stage, kind, definition(kind, versions)).await;
}

pub(super) async fn define_as(stage: &Stage, kind: Kind, definition: Value) {
    let path = format!("{CRDS}/{}", kind.definition().name());
    if stage.cluster.fetch(&kind.definition()).await.unwrap() != Seen::Absent {
        stage.delete(&path).await;
    }
    while stage.cluster.fetch(&kind.definition()).await.unwrap() != Seen::Absent {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.create(CRDS, definition).await;
}

pub async fn a_kind_comes_and_goes_while_we_run(stage: Stage) {
    const ROUTE: Kind = Kind::namespaced("come.example", "v1", "Route", "routes");
    let key = stage.key(ROUTE, "podinfo");
    stage.until_seen(&key, |seen| *seen == Seen::Absent).await;
    assert_eq!(stage.cluster.look(&ROUTE.definition()), Seen::Absent);
    assert_eq!(stage.cluster.list(ROUTE, ""), Some(vec![]));

    for round in 0..2 {
        define(&stage, ROUTE, &["v1"]).await;
        stage.until_seen(&ROUTE.definition(), |seen| seen.object().is_some()).await;
        stage.until("the kind to be served", |cluster| cluster.trouble(ROUTE).is_none()).await;
        stage.until_synced(ROUTE).await;
        assert_eq!(stage.cluster.look(&key), Seen::Absent);
        stage.cluster.apply(&Change::create(key.clone(), json!({"spec": {"round": round}}))).await.unwrap();
        assert!(stage.cluster.look(&key).object().is_some());

        stage.delete(&format!("{CRDS}/{}", ROUTE.definition().name())).await;
        stage.until_seen(&ROUTE.definition(), |seen| *seen == Seen::Absent).await;
        stage.until_seen(&key, |seen| *seen == Seen::Absent).await;
        stage.until("the end to be noticed", |cluster| cluster.trouble(ROUTE).is_some()).await;
    }
}

/// The definition exists with other versions: that is not absence, and the reason is reported.
pub async fn a_version_that_is_not_served_is_not_known(stage: Stage) {
    const OLD: Kind = Kind::namespaced("old.example", "v2", "Route", "routes");
    define(&stage, OLD, &["v1"]).await;
    let key = stage.key(OLD, "podinfo");
    stage.cluster.look(&key);
    stage.until_seen(&OLD.definition(), |seen| seen.object().is_some()).await;
    stage.until("the reason", |cluster| cluster.trouble(OLD).is_some()).await;
    assert_eq!(stage.cluster.look(&key), Seen::NotKnown);
    assert_eq!(stage.cluster.list(OLD, ""), None);
}

pub async fn a_status_field_that_the_definition_drops_is_reported(stage: Stage) {
    const THING: Kind = Kind::namespaced("prune.example", "v1", "Thing", "things");
    define(&stage, THING, &["v1"]).await;
    stage.until_synced(THING).await;
    let key = stage.key(THING, "podinfo");
    stage.cluster.apply(&Change::create(key.clone(), json!({}))).await.unwrap();
    let live = stage.cluster.look(&key).object().unwrap().clone();
    let before = json!({});

    let known = json!({"phase": "Progressing", "conditions": [{"type": "Promoted"}]});
    stage.cluster.write_status(&key, &Precondition::of(&live), &before, &known).await.unwrap();
    let live = stage.cluster.look(&key).object().unwrap().clone();
    assert_eq!(live["status"], known, "seen right after it was written");

    let more = json!({"phase": "Progressing", "memory": {"step": 1}, "conditions": [{"type": "Promoted", "extra": 1}]});
    let pruned = stage.cluster.write_status(&key, &Precondition::of(&live), &known, &more).await;
    let fields = vec!["/conditions/0/extra".to_owned(), "/memory".to_owned()];
    assert_eq!(pruned, Err(WriteError::Pruned { fields }));

    let stale =
        stage.cluster.write_status(&key, &Precondition::of(&live), &known, &json!({"phase": "Failed"})).await;
    // The pruned write changed nothing that is stored, so its version stays: the next write is on the same object.
    assert!(matches!(stale, Ok(()) | Err(WriteError::Conflict { .. })), "{stale:?}");
}

/// The definition is upgraded while we run: what we write from then on is seen whole, and what is not ours too.
pub async fn a_definition_that_learns_a_field_is_gone_by_at_once(stage: Stage) {
    const THING: Kind = Kind::namespaced("learn.example", "v1", "Thing", "things");
    define(&stage, THING, &["v1"]).await;
    stage.cluster.watch(kinds::CUSTOM_RESOURCE_DEFINITION);
    stage.until_synced(THING).await;
    let key = stage.key(THING, "podinfo");
    stage.cluster.apply(&Change::create(key.clone(), json!({}))).await.unwrap();

    let path = format!("{CRDS}/{}", THING.definition().name());
    let mut versions = definition(THING, &["v1"])["spec"]["versions"].clone();
    versions[0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["step"] =
        json!({"type": "integer"});
    stage.merge(&path, json!({"spec": {"versions": versions}})).await;
    let (mut stored, mut writes) = (0, 0);
    for step in 1..3_000 {
        // The API server goes by the new definition when it has heard of it.
        let live = stage.cluster.look(&key).object().unwrap().clone();
        let (before, after) = (live["status"].clone(), json!({"step": step}));
        match stage.cluster.write_status(&key, &Precondition::of(&live), &before, &after).await {
            Ok(()) => {
                assert_eq!(stage.cluster.look(&key).object().unwrap()["status"], after);
                (stored, writes) = (step, writes + 1);
            }
            Err(WriteError::Pruned { .. } | WriteError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        if writes == 100 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(writes, 100, "the last that was stored is {stored}");
    let object = format!("/apis/learn.example/v1/namespaces/{}/things/podinfo", stage.namespace);
    stage.merge(&object, json!({"metadata": {"labels": {"theirs": "too"}}})).await;
    let labelled =
        |seen: &Seen| seen.object().is_some_and(|object| object["metadata"]["labels"]["theirs"] == "too");
    let seen = stage.until_seen(&key, labelled).await;
    assert_eq!(seen.object().unwrap()["status"]["step"], stored);
}
