//! What can be seen of the rollout at one moment, read from the API server as anyone could.

use serde_json::Value;

use crate::{
    api::{Api, CANARIES, DEPLOYMENTS, EVENTS, Resource},
    cast::{Cast, PODINFO},
};

/// The rollout at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// `Progressing`; empty before the operator has seen the Canary.
    pub phase: String,
    /// The canary's weight that the status remembers.
    pub weight: u64,
    /// Checks made in this run, where they are counted (Blue/Green).
    pub iterations: u64,
    /// Checks failed in this run.
    pub failed_checks: u64,
    /// When the last step of the analysis was made, in milliseconds since 1970.
    pub last_step: Option<u64>,
    /// The canary's weight in the route object.
    pub routed: u64,
    /// The primary's pods.
    pub primary: Pods,
    /// The canary's pods.
    pub canary: Pods,
    /// What was reported about the Canary, in order.
    pub events: Vec<ReportedEvent>,
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
pub struct ReportedEvent {
    /// Its name, which is another one for each.
    pub name: String,
    /// Whether its type is `Warning`.
    pub is_warning: bool,
    /// Its message.
    pub message: String,
}

impl Scene {
    /// Whether the rollout has come to an end, good or bad.
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// The canary's share that is being tried, if any is: what the route says, or nothing at all while a Blue/Green
    /// version is checked.
    pub fn tried(&self) -> Option<u64> {
        let is_checked = self.phase == "Progressing" && self.iterations > 0;
        (self.routed > 0 || is_checked).then_some(self.routed)
    }

    fn read(canary: &Value, routed: u64, deployments: [&Value; 2], events: &[Value]) -> Self {
        let [primary, target] = deployments;
        let status = |field: &str| canary.pointer(&format!("/status/{field}"));
        let number = |field: &str| status(field).and_then(Value::as_u64);
        Scene {
            phase: status("phase").and_then(Value::as_str).unwrap_or_default().to_owned(),
            weight: number("canaryWeight").unwrap_or(0),
            iterations: number("iterations").unwrap_or(0),
            failed_checks: number("failedChecks").unwrap_or(0),
            last_step: number("lastStepTime"),
            routed,
            primary: Pods::read(primary),
            canary: Pods::read(target),
            events: events_of_canary(events),
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

fn events_of_canary(events: &[Value]) -> Vec<ReportedEvent> {
    let text = |event: &Value, path: &str| {
        event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut of_canary: Vec<&Value> =
        events.iter().filter(|event| text(event, "/involvedObject/kind") == "Canary").collect();
    // In the order in which they were written: the API server counts its writes.
    let place = |event: &&Value| text(event, "/metadata/resourceVersion").parse::<u64>().unwrap_or(u64::MAX);
    of_canary.sort_by_key(place);
    let read = |event: &Value| ReportedEvent {
        name: text(event, "/metadata/name"),
        is_warning: text(event, "/type") == "Warning",
        message: text(event, "/message"),
    };
    of_canary.into_iter().map(read).collect()
}

/// Reads the rollout of a guide.
///
/// # Errors
/// When the API server cannot be asked.
pub async fn observe(api: &Api, cast: &Cast) -> anyhow::Result<Scene> {
    let namespace = &cast.namespace;
    let one = async |of: Resource, name: &str| -> anyhow::Result<Value> {
        Ok(api.get(of, namespace, name).await?.unwrap_or_default())
    };
    let route = match cast.place() {
        Some(place) => api.get(place.of, &place.namespace, &place.name).await?.unwrap_or_default(),
        None => Value::Null,
    };
    let canary = one(CANARIES, PODINFO).await?;
    let target = cast.system.target;
    let [primary, trial] = (target.deployments)(cast, &one(target.of, &cast.target).await?);
    let (primary, trial) = (one(DEPLOYMENTS, &primary).await?, one(DEPLOYMENTS, &trial).await?);
    let events = api.list(EVENTS, namespace, "").await?;
    let weight = cast.share(&route).and_then(|share| u64::try_from(share).ok()).unwrap_or(0);
    Ok(Scene::read(&canary, weight, [&primary, &trial], &events))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scene_is_read_from_the_objects_that_anyone_can_see() {
        let canary = json!({"status": {"phase": "Progressing", "canaryWeight": 25, "failedChecks": 1, "lastStepTime": 7}});
        let deployment = |tag: &str| {
            json!({"spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": format!("a/b:{tag}")}]}}},
                "status": {"readyReplicas": 1}})
        };
        let event = |name: &str, kind: &str, version: &str| {
            let metadata = json!({"name": name, "resourceVersion": version});
            json!({"metadata": metadata, "involvedObject": {"kind": kind}, "type": "Warning", "message": name})
        };
        let events = [event("b", "Canary", "10"), event("x", "Pod", "8"), event("a", "Canary", "9")];
        let scene = Scene::read(&canary, 25, [&deployment("1"), &deployment("2")], &events);
        assert_eq!((scene.phase.as_str(), scene.weight, scene.routed), ("Progressing", 25, 25));
        assert_eq!((scene.failed_checks, scene.last_step), (1, Some(7)));
        assert_eq!(scene.canary, Pods { version: "2".to_owned(), ready: 1, wanted: 2 });
        let messages: Vec<&str> = scene.events.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(messages, ["a", "b"]);
    }

    #[test]
    fn what_does_not_exist_yet_shows_as_nothing() {
        let nothing = Value::Null;
        assert_eq!(Scene::read(&nothing, 0, [&nothing, &nothing], &[]), Scene::default());
    }
}
