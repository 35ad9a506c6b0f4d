//! What must hold on any API server: run in the process on every `cargo test`, and against a real one where there is
//! one.

mod altered;
mod crds;
mod versions;
mod watching;
mod writing;

use std::{future::Future, time::Duration};

use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};
use vexil_kube::{CacheEvent, Cluster, Scope};
use vexil_object::{Kind, ObjectKey, Seen};

pub use altered::*;
pub use crds::*;
pub use versions::*;
pub use watching::*;
pub use writing::*;

/// Makes a test of each scenario, with a macro that takes their names.
macro_rules! each {
    ($test:ident) => {
        $test! {
            an_object_comes_changes_and_goes
            listed_and_watched_objects_have_the_same_shape
            kinds_are_watched_side_by_side
            a_live_list_selects_by_label
            a_read_returns_whole_objects_and_absence
            our_own_writes_are_seen_at_once_and_never_undone
            writes_on_what_has_changed_are_refused
            writes_on_another_life_of_the_object_are_refused
            an_existing_object_is_not_created_again
            refusals_say_what_to_do
            an_event_is_recorded_once
            a_kind_comes_and_goes_while_we_run
            a_version_that_is_not_served_is_not_known
            a_status_field_that_the_definition_drops_is_reported
            a_definition_that_learns_a_field_is_gone_by_at_once
            a_dropped_field_is_reported_and_written_when_it_can_be
            a_definition_that_is_replaced_by_an_older_one_is_gone_by
            what_the_api_server_fills_in_is_not_reported
            what_a_conversion_loses_is_reported
            a_canary_written_in_the_old_version_loses_nothing_on_the_way
            a_canary_of_today_is_whole_in_the_old_version
            what_the_old_version_admitted_is_admitted_and_gets_its_status
        }
    };
}
pub(crate) use each;

/// A namespace of its own on some API server, and a `Cluster` on it whose watches run.
pub struct Stage {
    pub client: kube::Client,
    pub cluster: Cluster,
    pub namespace: String,
}

impl Stage {
    /// Sends a request past the crate under test, as another client would.
    pub async fn send(&self, method: &str, path: &str, content_type: &str, body: Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", content_type)
            .body(body)
            .unwrap();
        self.client.request(request).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub async fn create(&self, path: &str, body: Value) -> Value {
        self.send("POST", path, "application/json", body).await
    }

    pub async fn merge(&self, path: &str, body: Value) -> Value {
        self.send("PATCH", path, "application/merge-patch+json", body).await
    }

    pub async fn delete(&self, path: &str) -> Value {
        self.send("DELETE", path, "application/json", Value::Null).await
    }

    pub fn key(&self, kind: Kind, name: &str) -> ObjectKey {
        ObjectKey::new(kind, &self.namespace, name)
    }

    /// Waits until a look satisfies, woken by changes alone: so each change must be reported.
    pub async fn until(&self, what: &str, mut holds: impl FnMut(&Cluster) -> bool) {
        let mut changes = self.cluster.changes();
        let wait = async {
            while !holds(&self.cluster) {
                changes.next().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait)
            .await
            .unwrap_or_else(|_| panic!("waited for: {what}"));
    }

    pub async fn until_seen(&self, key: &ObjectKey, mut fits: impl FnMut(&Seen) -> bool) -> Seen {
        self.until(&format!("{key}"), |cluster| fits(&cluster.look(key))).await;
        self.cluster.look(key)
    }

    pub async fn until_synced(&self, kind: Kind) {
        self.until(&format!("{kind} to be listed"), |cluster| cluster.list(kind, "").is_some()).await;
    }
}

/// Runs a scenario in a namespace of its own while the watches run.
pub async fn run<F: Future<Output = ()>>(
    client: kube::Client,
    name: &str,
    scenario: impl FnOnce(Stage) -> F,
) {
    let (cluster, watches) = Cluster::new(client.clone(), Scope::All, vec![]);
    let admin = client.clone();
    let stage = Stage { client, cluster, namespace: name.to_owned() };
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    stage.create("/api/v1/namespaces", body).await;
    tokio::select! {
        biased;
        () = watches.run() => unreachable!(),
        () = scenario(stage) => {}
    }
    let request = Request::delete(format!("/api/v1/namespaces/{name}")).body(Vec::new()).unwrap();
    let _: Value = admin.request(request).await.unwrap();
}

/// Names, not versions, of everything that was noted so far.
pub fn noted(changes: &mut vexil_kube::Changes) -> Vec<CacheEvent> {
    use futures::FutureExt;
    std::iter::from_fn(|| changes.next().now_or_never().flatten()).collect()
}

/// A Deployment without pods.
pub fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "podinfo:1"}]},
            },
        },
    })
}
