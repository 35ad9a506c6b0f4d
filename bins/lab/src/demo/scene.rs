//! What can be seen of the rollout at one moment, read from the API server as anyone could.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use serde_json::Value;

use super::guide::{Guide, Route};
use super::stage::{APP, NAMESPACE};

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

/// The weight of the canary's entry. Some products have none while it gets no traffic, some write numbers as texts.
fn routed(route: &Route, object: &Value) -> u64 {
    let entries = object.pointer(route.entries).and_then(Value::as_array);
    let mut entries = entries.into_iter().flatten();
    let leads_to =
        |entry: &&Value| entry.pointer(route.leads_to).and_then(Value::as_str) == Some(route.canary);
    let weight = entries.find(leads_to).and_then(|entry| entry.get("weight"));
    let number = weight.and_then(|weight| weight.as_u64().or_else(|| weight.as_str()?.parse().ok()));
    number.unwrap_or(0)
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
    route: Option<(&'static Route, Api<DynamicObject>)>,
    deployments: Api<DynamicObject>,
    events: Api<DynamicObject>,
}

impl Lens {
    /// A lens on the demo's namespace and the guide's route.
    pub fn new(client: &Client, guide: &'static Guide) -> Self {
        let resource = |group: &str, version: &str, kind: &str, plural: &str| {
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
        };
        let of = |group: &str, version: &str, kind: &str, plural: &str| {
            Api::namespaced_with(client.clone(), NAMESPACE, &resource(group, version, kind, plural))
        };
        let routes = |route: &'static Route| {
            let resource = resource(route.group, route.version, route.kind, route.plural);
            let api = if route.is_namespaced {
                Api::namespaced_with(client.clone(), NAMESPACE, &resource)
            } else {
                Api::all_with(client.clone(), &resource)
            };
            (route, api)
        };
        Lens {
            canaries: of("flagger.app", "v1beta1", "Canary", "canaries"),
            route: guide.route.as_ref().map(routes),
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
        let weight = match &self.route {
            Some((route, api)) => routed(route, &one(api, route.name).await?),
            None => 0,
        };
        let deployments = [one(&self.deployments, &primary).await?, one(&self.deployments, APP).await?];
        let mut events = Vec::new();
        for event in self.events.list(&ListParams::default()).await? {
            events.push(serde_json::to_value(event)?);
        }
        let [primary, target] = &deployments;
        Ok(Scene::read(&canary, weight, [primary, target], &events))
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

    use super::super::guides::named;
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
        let messages: Vec<&str> = scene.events.iter().map(|told| told.message.as_str()).collect();
        assert_eq!(messages, ["a", "b"]);
    }

    #[test]
    fn what_does_not_exist_yet_shows_as_nothing() {
        let nothing = Value::Null;
        assert_eq!(Scene::read(&nothing, 0, [&nothing, &nothing], &[]), Scene::default());
    }

    #[test]
    fn the_canarys_weight_is_found_in_every_kind_of_route() {
        let check = |guide: &str, object: Value, expect: u64| {
            let [guide] = named(guide)[..] else { panic!("no such guide") };
            assert_eq!(routed(guide.route.as_ref().unwrap(), &object), expect, "{}", guide.name);
        };
        let services = |services: Value| json!({"spec": {"weighted": {"services": services}}});
        let [primary, canary] = ["podinfo-primary", "podinfo-canary"];
        check(
            "traefik",
            services(json!([{"name": primary, "weight": 75}, {"name": canary, "weight": 25}])),
            25,
        );
        check("traefik", services(json!([{"name": primary, "weight": 100}])), 0);
        check("traefik", Value::Null, 0);
        let to = |service: &str| json!({"kuma.io/service": format!("{service}_test_svc_9898")});
        let split =
            json!([{"destination": to(primary), "weight": 95}, {"destination": to(canary), "weight": 5}]);
        check("kuma", json!({"spec": {"conf": {"split": split}}}), 5);
        let backends = json!([{"service": canary, "weight": "10"}, {"service": primary, "weight": "90"}]);
        check("smi-istio", json!({"spec": {"backends": backends}}), 10);
        let backends = json!([{"serviceName": primary, "weight": 60}, {"serviceName": canary, "weight": 40}]);
        check("apisix", json!({"spec": {"http": [{"backends": backends}]}}), 40);
    }
}
