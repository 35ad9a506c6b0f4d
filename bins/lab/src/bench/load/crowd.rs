//! The Canaries of the bench: copies of initialised ones, in many namespaces.

#![expect(
    clippy::indexing_slicing,
    reason = "objects and lists that are made here, with a shape that is known"
)]

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use anyhow::bail;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use vexil_testbed_apiserver::ApiServer;

use crate::e2e::recorder::text;

/// Canaries of one namespace.
pub const PER_NAMESPACE: usize = 25;

/// The namespace that is copied.
pub const NAMESPACE: &str = "the-namespace-to-copy";

/// A resource: group, version and plural.
pub type Of = (&'static str, &'static str, &'static str);

pub const CANARY: Of = ("flagger.app", "v1beta1", "canaries");
pub const TARGET: Of = ("apps", "v1", "deployments");
pub const SLICE: Of = ("discovery.k8s.io", "v1", "endpointslices");
const SCALER: Of = ("autoscaling", "v2", "horizontalpodautoscalers");

/// The kinds that are copied, and their paths.
pub const KINDS: [(&str, Of); 6] = [
    ("/apis/apps/v1", TARGET),
    ("/api/v1", ("", "v1", "services")),
    ("/apis/discovery.k8s.io/v1", SLICE),
    ("/apis/autoscaling/v2", SCALER),
    ("/apis/traefik.io/v1alpha1", ("traefik.io", "v1alpha1", "traefikservices")),
    ("/apis/flagger.app/v1beta1", CANARY),
];

/// The name of a Canary and its target.
pub fn name(number: usize) -> String {
    format!("app-{number:02}")
}

/// The Canaries.
pub struct Crowd(usize);

/// One of them.
pub struct Member {
    pub namespace: String,
    pub name: String,
}

fn namespace(number: usize) -> String {
    format!("tenant-{number:04}")
}

impl Crowd {
    /// Copies them, with uids of their own.
    pub fn copy(server: &ApiServer, objects: &[(usize, Value)], canaries: usize) -> anyhow::Result<Self> {
        let uids: BTreeSet<&str> = objects.iter().map(|(_, object)| text(object, "/metadata/uid")).collect();
        for number in 0..canaries.div_ceil(PER_NAMESPACE) {
            let to = namespace(number);
            let body = json!({
                "apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"},
                "metadata": {"name": to, "uid": format!("{number:08x}-0000-4000-8000-000000000000")},
            });
            server.restore(("", "v1", "namespaces"), body);
            for (kind, object) in objects {
                let Some((_, of)) = KINDS.get(*kind) else { continue };
                let mut object = object.clone();
                moved(&mut object, &to, &uids, number);
                if !server.restore(*of, object) {
                    bail!("{} are not served", of.2);
                }
            }
        }
        Ok(Crowd(canaries.div_ceil(PER_NAMESPACE) * PER_NAMESPACE))
    }

    pub fn len(&self) -> usize {
        self.0
    }

    pub fn members(&self) -> impl Iterator<Item = Member> + use<> {
        let all = self.0;
        // Neighbours are of different namespaces.
        let namespaces = all / PER_NAMESPACE;
        (0..all).map(move |number| Member {
            namespace: namespace(number % namespaces),
            name: name(number / namespaces),
        })
    }

    /// Writes the status of every autoscaler, the users' and their copies, so many times and evenly over time.
    pub async fn move_scalers(&self, server: &ApiServer, every: Duration, rounds: u32) {
        let start = Instant::now();
        for round in 0..rounds {
            for (number, member) in self.members().enumerate() {
                for name in [member.name.clone(), format!("{}-primary", member.name)] {
                    server.edit(SCALER, (&member.namespace, &name), |scaler| {
                        scaler["status"] = json!({
                            "currentReplicas": 1, "desiredReplicas": 1, "lastScaleTime": "2026-01-01T00:00:00Z",
                            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {
                                "averageUtilization": 10 + (round + 7 * number as u32) % 50, "averageValue": "50m",
                            }}}],
                        });
                    });
                }
                let share = (number + 1) as f64 / self.0 as f64;
                sleep_until(start + every * round + every.mul_f64(share)).await;
            }
        }
    }
}

impl Member {
    /// Gives the target another image.
    pub fn push(&self, server: &ApiServer, tag: u32) {
        server.edit(TARGET, (&self.namespace, &self.name), |target| {
            target["spec"]["template"]["spec"]["containers"][0]["image"] =
                format!("stefanprodan/podinfo:6.1.{tag}").into();
            let generation = target["metadata"]["generation"].as_u64().unwrap_or_default() + 1;
            target["metadata"]["generation"] = generation.into();
        });
    }

    /// Replicas that the target is to have.
    pub fn replicas(&self, server: &ApiServer) -> u64 {
        let live = server.stored(TARGET, &self.namespace, &self.name);
        live.and_then(|live| live.pointer("/spec/replicas")?.as_u64()).unwrap_or_default()
    }

    /// As many hooks and metrics as the limits allow, at an address that never answers, and a push.
    pub fn turn_hostile(&self, server: &ApiServer, hole: SocketAddr) {
        server.edit(CANARY, (&self.namespace, &self.name), |canary| {
            let hook = |kind: &str, number: usize| {
                json!({
                    "name": format!("{kind}-{number}"), "type": kind, "url": format!("http://{hole}/{number}"),
                    "timeout": "10m", "retries": 5,
                })
            };
            let mut hooks: Vec<Value> = (0..32).map(|number| hook("event", number)).collect();
            hooks.extend((0..32).map(|number| hook("rollout", number)));
            canary["spec"]["analysis"]["webhooks"] = hooks.into();
            canary["metadata"]["annotations"] = json!({"much": "x".repeat(200_000)});
            let generation = canary["metadata"]["generation"].as_u64().unwrap_or_default() + 1;
            canary["metadata"]["generation"] = generation.into();
        });
        self.push(server, 9);
    }
}

/// Moves an object to another namespace.
fn moved(value: &mut Value, to: &str, uids: &BTreeSet<&str>, number: usize) {
    match value {
        Value::String(text) if text == NAMESPACE => to.clone_into(text),
        Value::String(text) if uids.contains(text.as_str()) => {
            *text = format!("{number:08x}{}", text.get(8..).unwrap_or_default());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| moved(item, to, uids, number)),
        Value::Object(members) => members.values_mut().for_each(|member| moved(member, to, uids, number)),
        _ => {}
    }
}
