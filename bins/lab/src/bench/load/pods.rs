//! Pods that are ready as soon as they are wanted: Deployments get the status, and slices the addresses, that a cluster
//! would give them. A real one would measure itself.

#![expect(
    clippy::indexing_slicing,
    reason = "objects and lists that are made here, with a shape that is known"
)]

use futures::StreamExt as _;
use kube::{
    api::{Api, ApiResource, DynamicObject},
    runtime::watcher::{self, Event, watcher},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vexil_testbed_apiserver::ApiServer;

use super::crowd::{SLICE, TARGET};
use crate::e2e::recorder::text;

/// What makes pods ready.
pub struct Pods;

impl Pods {
    /// Starts, and waits until it sees changes; ends with `tasks`.
    pub async fn start(server: &ApiServer, tasks: &mut JoinSet<()>) {
        let server = server.clone();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        tasks.spawn(async move {
            let resource = ApiResource {
                group: TARGET.0.to_owned(),
                version: TARGET.1.to_owned(),
                api_version: "apps/v1".to_owned(),
                kind: "Deployment".to_owned(),
                plural: TARGET.2.to_owned(),
            };
            let api: Api<DynamicObject> = Api::all_with(server.client_as("pods"), &resource);
            let mut told = std::pin::pin!(watcher(api, watcher::Config::default()));
            while let Some(event) = told.next().await {
                match event {
                    // What was there is ready.
                    Ok(Event::InitDone) => drop(begun.take().map(|begun| begun.send(()))),
                    Ok(Event::Apply(object)) => {
                        let meta = object.metadata;
                        ready(&server, &meta.namespace.unwrap_or_default(), &meta.name.unwrap_or_default());
                    }
                    _ => {}
                }
            }
        });
        let _begun = begins.await;
    }
}

fn ready(server: &ApiServer, namespace: &str, name: &str) {
    let Some(live) = server.stored(TARGET, namespace, name) else { return };
    let wanted = live.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    server.edit(TARGET, (namespace, name), |target| {
        let generation = target["metadata"]["generation"].clone();
        let status = &mut target["status"];
        status["observedGeneration"] = generation;
        for counter in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
            status[counter] = wanted.into();
        }
    });
    // The canary's Service leads to the target, the others to the primary.
    let services = match name.strip_suffix("-primary") {
        Some(target) => vec![name.to_owned(), target.to_owned()],
        None => vec![format!("{name}-canary")],
    };
    for service in services {
        let found = slices(server, namespace, &service);
        let Some(slice) = found else { continue };
        server.edit(SLICE, (namespace, &slice), |slice| {
            let endpoint = |number: u64| {
                json!({
                    "addresses": [format!("10.9.0.{number}")], "conditions": {"ready": true},
                    "targetRef": {"kind": "Pod", "name": format!("{name}-{number}"), "namespace": namespace},
                })
            };
            slice["endpoints"] = (1..=wanted).map(endpoint).collect();
            slice["ports"] = json!([{"name": "http", "port": 9898, "protocol": "TCP"}]);
        });
    }
}

/// The name of the slice of a Service.
fn slices(server: &ApiServer, namespace: &str, service: &str) -> Option<String> {
    let all = server.stored_in(SLICE, namespace);
    let label = |slice: &Value| slice.pointer("/metadata/labels/kubernetes.io~1service-name").cloned();
    let found = all.iter().find(|slice| label(slice).as_ref().and_then(Value::as_str) == Some(service));
    found.map(|slice| text(slice, "/metadata/name").to_owned())
}
