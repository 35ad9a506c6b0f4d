//! What can be seen of the rollout at one moment, read from the API server as anyone could.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use serde_json::Value;

use super::stage::{APP, NAMESPACE};

/// The rollout at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// `Progressing`; empty before the operator has seen the Canary.
    pub phase: String,
    /// The canary's weight that the status remembers.
    pub weight: u64,
    /// Checks failed in this run.
    pub failed_checks: u64,
    /// When the last step of the analysis was made, in milliseconds since 1970.
    pub last_step: Option<u64>,
    /// The canary's weight in the TraefikService.
    pub routed: u64,
    /// The primary's pods.
    pub primary: Pods,
    /// The target's pods.
    pub canary: Pods,
    /// What was told about the Canary, in order.
    pub events: Vec<Told>,
}

/// The pods of one Deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// The image's tag.
    pub version: String,
    /// Pods that are ready.
    pub ready: u64,
    /// Pods that shall be.
    pub wanted: u64,
}

/// An Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub name: String,
    pub is_warning: bool,
    pub message: String,
}

impl Scene {
    /// Whether the rollout has come to an end, good or bad.
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    fn read(canary: &Value, route: &Value, deployments: [&Value; 2], events: &[Value]) -> Self {
        let [primary, target] = deployments;
        let status = |field: &str| canary.pointer(&format!("/status/{field}"));
        let number = |field: &str| status(field).and_then(Value::as_u64);
        Scene {
            phase: status("phase").and_then(Value::as_str).unwrap_or_default().to_owned(),
            weight: number("canaryWeight").unwrap_or(0),
            failed_checks: number("failedChecks").unwrap_or(0),
            last_step: number("lastStepTime"),
            routed: routed(route),
            primary: Pods::read(primary),
            canary: Pods::read(target),
            events: told(events),
        }
    }
}

impl Pods {
    fn read(deployment: &Value) -> Self {
        let text = |path: &str| deployment.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let number = |path: &str| deployment.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let (_, tag) = text("/spec/template/spec/containers/0/image").rsplit_once(':').unwrap_or_default();
        Pods {
            version: tag.to_owned(),
            ready: number("/status/readyReplicas"),
            wanted: number("/spec/replicas"),
        }
    }
}

/// The weight of the canary's entry; there is none while it gets no traffic.
fn routed(route: &Value) -> u64 {
    let entries = route.pointer("/spec/weighted/services").and_then(Value::as_array);
    let canary = format!("{APP}-canary");
    let mut entries = entries.into_iter().flatten();
    let entry = entries.find(|entry| entry.get("name").and_then(Value::as_str) == Some(&canary));
    entry.and_then(|entry| entry.get("weight")).and_then(Value::as_u64).unwrap_or(0)
}

fn told(events: &[Value]) -> Vec<Told> {
    let text = |event: &Value, path: &str| {
        event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut of_canary: Vec<&Value> =
        events.iter().filter(|event| text(event, "/involvedObject/kind") == "Canary").collect();
    // In the order in which they were written: the API server counts its writes.
    let place = |event: &&Value| text(event, "/metadata/resourceVersion").parse::<u64>().unwrap_or(u64::MAX);
    of_canary.sort_by_key(place);
    let read = |event: &Value| Told {
        name: text(event, "/metadata/name"),
        is_warning: text(event, "/type") == "Warning",
        message: text(event, "/message"),
    };
    of_canary.into_iter().map(read).collect()
}

/// Looks at the cluster.
#[derive(Clone, Debug)]
pub struct Lens {
    canaries: Api<DynamicObject>,
    routes: Api<DynamicObject>,
    deployments: Api<DynamicObject>,
    events: Api<DynamicObject>,
}

impl Lens {
    /// A lens on the demo's namespace.
    pub fn new(client: &Client) -> Self {
        let of = |group: &str, version: &str, kind: &str, plural: &str| {
            let kind = GroupVersionKind::gvk(group, version, kind);
            Api::namespaced_with(client.clone(), NAMESPACE, &ApiResource::from_gvk_with_plural(&kind, plural))
        };
        Lens {
            canaries: of("flagger.app", "v1beta1", "Canary", "canaries"),
            routes: of("traefik.io", "v1alpha1", "TraefikService", "traefikservices"),
            deployments: of("apps", "v1", "Deployment", "deployments"),
            events: of("", "v1", "Event", "events"),
        }
    }

    /// The rollout now.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub async fn look(&self) -> anyhow::Result<Scene> {
        let primary = format!("{APP}-primary");
        let canary = one(&self.canaries, APP).await?;
        let route = one(&self.routes, APP).await?;
        let deployments = [one(&self.deployments, &primary).await?, one(&self.deployments, APP).await?];
        let mut events = Vec::new();
        for event in self.events.list(&ListParams::default()).await? {
            events.push(serde_json::to_value(event)?);
        }
        let [primary, target] = &deployments;
        Ok(Scene::read(&canary, &route, [primary, target], &events))
    }
}

/// One object, `null` when there is none yet.
async fn one(api: &Api<DynamicObject>, name: &str) -> anyhow::Result<Value> {
    Ok(match api.get_opt(name).await? {
        Some(object) => serde_json::to_value(object)?,
        None => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scene_is_read_from_the_objects_that_anyone_can_see() {
        let canary = json!({"status": {"phase": "Progressing", "canaryWeight": 25, "failedChecks": 1, "lastStepTime": 7}});
        let route = json!({"spec": {"weighted": {"services": [
            {"name": "podinfo-primary", "weight": 75}, {"name": "podinfo-canary", "weight": 25}]}}});
        let deployment = |tag: &str| {
            json!({"spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": format!("a/b:{tag}")}]}}},
                "status": {"readyReplicas": 1}})
        };
        let event = |name: &str, kind: &str, version: &str| {
            let metadata = json!({"name": name, "resourceVersion": version});
            json!({"metadata": metadata, "involvedObject": {"kind": kind}, "type": "Warning", "message": name})
        };
        let events = [event("b", "Canary", "10"), event("x", "Pod", "8"), event("a", "Canary", "9")];
        let scene = Scene::read(&canary, &route, [&deployment("1"), &deployment("2")], &events);
        assert_eq!((scene.phase.as_str(), scene.weight, scene.routed), ("Progressing", 25, 25));
        assert_eq!((scene.failed_checks, scene.last_step), (1, Some(7)));
        assert_eq!(scene.canary, Pods { version: "2".to_owned(), ready: 1, wanted: 2 });
        let messages: Vec<&str> = scene.events.iter().map(|told| told.message.as_str()).collect();
        assert_eq!(messages, ["a", "b"]);
    }

    #[test]
    fn what_does_not_exist_yet_shows_as_nothing() {
        let nothing = Value::Null;
        assert_eq!(Scene::read(&nothing, &nothing, [&nothing, &nothing], &[]), Scene::default());
        let primary_only =
            json!({"spec": {"weighted": {"services": [{"name": "podinfo-primary", "weight": 100}]}}});
        assert_eq!(routed(&primary_only), 0);
    }
}
