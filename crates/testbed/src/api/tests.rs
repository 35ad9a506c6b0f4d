//! The server as clients see it: through `kube::Client`, on virtual time.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::{Value, json};

use super::*;
use crate::Clock;

fn server() -> ApiServer {
    ApiServer::new(Clock::default())
}

async fn send(client: &Client, method: &str, path: &str, kind: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = http::Request::builder().method(method).uri(path);
    let request = request.header("content-type", kind).body(kube::client::Body::from(body)).unwrap();
    let response = client.send(request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect_bytes().await.unwrap();
    (code, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(
        json!({"metadata": {"name": name, "labels": {"app": name}}, "data": {"key": value}}),
    )
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_object_can_be_created_read_listed_patched_and_deleted() {
    let server = server();
    let api: Api<ConfigMap> = Api::default_namespaced(server.client());
    let made = api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    assert!(made.metadata.uid.is_some());
    let patch = Patch::Merge(json!({"data": {"key": "2"}, "metadata": {"uid": made.metadata.uid}}));
    let patched = api.patch("a", &PatchParams::default(), &patch).await.unwrap();
    assert_ne!(patched.metadata.resource_version, made.metadata.resource_version);
    assert_eq!(patched.data, Some(BTreeMap::from([("key".to_owned(), "2".to_owned())])));
    let listed = api.list(&ListParams::default().labels("app=a")).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    let stale = api.replace("a", &PostParams::default(), &made).await.unwrap_err();
    assert!(matches!(stale, kube::Error::Api(status) if status.code == 409));
    api.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(api.get_opt("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_what_happens_and_ends_when_its_time_is_up() {
    let server = server();
    let api: Api<ConfigMap> = Api::default_namespaced(server.client());
    api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    let stream = api.watch(&WatchParams::default().timeout(30), "0").await.unwrap();
    let other = api.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        other.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
        other.delete("a", &DeleteParams::default()).await.unwrap();
    });
    let told: Vec<String> = stream
        .map_ok(|event| match event {
            WatchEvent::Added(o) => format!("added {}", o.metadata.name.unwrap()),
            WatchEvent::Modified(o) => format!("modified {}", o.metadata.name.unwrap()),
            WatchEvent::Deleted(o) => format!("deleted {}", o.metadata.name.unwrap()),
            other => format!("{other:?}"),
        })
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(told, ["added a", "added b", "deleted a"]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_recorded_and_faults_strike_once() {
    let server = server();
    let client = server.client_as("vexil/0.1");
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let action = FaultAction::Answer { code: 503, retry_after: None };
    server.faults().push(Fault::once(Matcher::new("create", "configmaps"), action));
    assert!(api.create(&PostParams::default(), &config_map("a", "1")).await.is_err());
    api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    let lines: Vec<String> = server.audit().of("vexil/").iter().map(AuditEntry::line).collect();
    assert_eq!(lines, ["create configmaps default/ 503", "create configmaps default/ 201"]);
    let (code, body) = send(&client, "GET", "/api/v1/nothing", "", &Value::Null).await;
    assert_eq!((code, body["reason"].as_str()), (404, Some("NotFound")));
}
