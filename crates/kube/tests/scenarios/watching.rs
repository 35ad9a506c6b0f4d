//! What the caches hold and report.

use serde_json::json;
use vexil_kube::CacheEvent;
use vexil_object::{
    Kind, ObjectKey, Seen,
    kinds::{CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, SERVICE},
    meta,
};

use super::{Stage, deployment};

pub async fn an_object_comes_changes_and_goes(stage: Stage) {
    let key = stage.key(DEPLOYMENT, "podinfo");
    let all = format!("/apis/apps/v1/namespaces/{}/deployments", stage.namespace);
    let mut changes = stage.cluster.changes();
    assert_eq!(stage.cluster.look(&key), Seen::NotKnown, "before the list is complete");
    stage.until_seen(&key, |seen| *seen == Seen::Absent).await;
    assert!(super::noted(&mut changes).contains(&CacheEvent::Kind(DEPLOYMENT)));

    stage.create(&all, deployment("podinfo")).await;
    let seen = stage.until_seen(&key, |seen| seen.object().is_some()).await;
    let object = seen.object().unwrap();
    assert_eq!((meta::text(object, "/kind"), meta::text(object, "/apiVersion")), ("Deployment", "apps/v1"));
    assert!(object.pointer("/metadata/managedFields").is_none());
    assert!(super::noted(&mut changes).contains(&CacheEvent::Object(key.clone())));

    stage.merge(&format!("{all}/podinfo"), json!({"metadata": {"labels": {"changed": "yes"}}})).await;
    stage
        .until_seen(&key, |seen| seen.object().is_some_and(|o| meta::label(o, "changed") == Some("yes")))
        .await;
    assert_eq!(stage.cluster.list(DEPLOYMENT, &stage.namespace).unwrap().len(), 1);
    assert_eq!(stage.cluster.list(DEPLOYMENT, "nowhere"), Some(vec![]));

    stage.delete(&format!("{all}/podinfo")).await;
    stage.until_seen(&key, |seen| *seen == Seen::Absent).await;
    assert_eq!(stage.cluster.trouble(DEPLOYMENT), None);
}

/// Items of lists have no type, objects of events do; both must look the same.
pub async fn listed_and_watched_objects_have_the_same_shape(stage: Stage) {
    let all = format!("/api/v1/namespaces/{}/configmaps", stage.namespace);
    stage.create(&all, json!({"metadata": {"name": "before"}, "data": {"a": "b"}})).await;
    stage.until_seen(&stage.key(CONFIG_MAP, "before"), |seen| seen.object().is_some()).await;
    stage.create(&all, json!({"metadata": {"name": "after"}, "data": {"a": "b"}})).await;
    let watched = stage.until_seen(&stage.key(CONFIG_MAP, "after"), |seen| seen.object().is_some()).await;
    let listed = stage.cluster.look(&stage.key(CONFIG_MAP, "before"));
    for object in [watched.object().unwrap(), listed.object().unwrap()] {
        assert_eq!((meta::text(object, "/kind"), meta::text(object, "/apiVersion")), ("ConfigMap", "v1"));
    }
}

pub async fn kinds_are_watched_side_by_side(stage: Stage) {
    for kind in [DEPLOYMENT, SERVICE, ENDPOINT_SLICE] {
        stage.until_synced(kind).await;
    }
    let services = format!("/api/v1/namespaces/{}/services", stage.namespace);
    let service =
        json!({"metadata": {"name": "podinfo"}, "spec": {"ports": [{"port": 80}], "clusterIP": "None"}});
    stage.create(&services, service).await;
    stage.until_seen(&stage.key(SERVICE, "podinfo"), |seen| seen.object().is_some()).await;
}

pub async fn a_live_list_selects_by_label(stage: Stage) {
    let all = format!("/api/v1/namespaces/{}/configmaps", stage.namespace);
    for (name, app) in [("one", "a"), ("two", "b")] {
        stage.create(&all, json!({"metadata": {"name": name, "labels": {"app": app}}})).await;
    }
    let found = stage.cluster.list_live(CONFIG_MAP, &stage.namespace, "app in (b, c)").await.unwrap();
    let names: Vec<_> = found.iter().map(|object| meta::text(object, "/metadata/name")).collect();
    assert_eq!(names, ["two"]);
}

pub async fn a_read_returns_whole_objects_and_absence(stage: Stage) {
    let all = format!("/api/v1/namespaces/{}/configmaps", stage.namespace);
    stage.create(&all, json!({"metadata": {"name": "one"}, "data": {"a": "b"}})).await;
    let one = stage.cluster.fetch(&stage.key(CONFIG_MAP, "one")).await.unwrap();
    assert_eq!(meta::text(one.object().unwrap(), "/data/a"), "b");
    assert_eq!(stage.cluster.fetch(&stage.key(CONFIG_MAP, "none")).await, Ok(Seen::Absent));
    let unserved = Kind::namespaced("unserved.example", "v1", "Nothing", "nothings");
    assert_eq!(stage.cluster.fetch(&stage.key(unserved, "x")).await, Ok(Seen::Absent));
    assert!(stage.cluster.fetch(&ObjectKey::new(CONFIG_MAP, "default", "../secrets/x")).await.is_err());
}
