//! What the Canary of a seed has besides: gates and other hooks, configuration, another kind of target.

use serde_json::{Value, json};
use vexil_testbed_rig::manifests;

use super::{
    place::{NAMESPACE, Place},
    seeds::Dice,
    world::{IMAGE, first_spec},
};

/// The types of hooks that the manifests do not have. Each is the name of its hook, too.
pub const HOOKS: [&str; 6] =
    ["confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback", "post-rollout", "event"];
/// The ConfigMap that the target uses, and what it says at first.
pub const CONFIG: (&str, &str) = ("settings", "red");

/// What there is besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Hooks of these types.
    pub hooks: Vec<&'static str>,
    /// The target uses a ConfigMap.
    pub has_config: bool,
    /// The target is a DaemonSet.
    pub is_daemon_set: bool,
}

/// A kind of workload, and how it is found.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub kind: &'static str,
    pub plural: &'static str,
    /// Resource with its group.
    pub resource: &'static str,
}

/// The version of the API of every kind of workload.
pub const APPS: &str = "apps/v1";
const DEPLOYMENT: Workload =
    Workload { kind: "Deployment", plural: "deployments", resource: "deployments.apps" };
const DAEMON_SET: Workload =
    Workload { kind: "DaemonSet", plural: "daemonsets", resource: "daemonsets.apps" };

impl Features {
    /// Those of a seed; every other seed has none.
    pub fn of_seed(seed: u64) -> Features {
        let mut dice = Dice::new(!seed);
        if dice.roll(2) == 0 {
            return Features::default();
        }
        let hooks = HOOKS.into_iter().filter(|_| dice.roll(3) == 0).collect();
        Features { hooks, has_config: dice.roll(2) == 0, is_daemon_set: dice.roll(3) == 0 }
    }

    /// In a few words; empty when there are none.
    pub fn title(&self) -> String {
        let mut all: Vec<&str> = self.hooks.clone();
        all.extend(self.has_config.then_some("a ConfigMap"));
        all.extend(self.is_daemon_set.then_some("a DaemonSet"));
        all.join(", ")
    }

    /// The kind of the target.
    pub fn workload(&self) -> Workload {
        if self.is_daemon_set { DAEMON_SET } else { DEPLOYMENT }
    }

    /// The spec of a place's Canary as it is at first.
    pub fn spec(&self, place: &Place) -> Value {
        let mut spec = first_spec(place);
        manifests::merge(&mut spec, &json!({"targetRef": {"kind": self.workload().kind}}));
        let hook = |kind: &&str| {
            let url = format!("http://hooks.test/{kind}");
            json!({"name": kind, "type": kind, "url": url, "timeout": "5s"})
        };
        let all = spec.pointer_mut("/analysis/webhooks").and_then(Value::as_array_mut);
        if let Some(all) = all {
            all.extend(self.hooks.iter().map(hook));
        }
        spec
    }

    /// A target with this name and version.
    pub fn target(&self, name: &str, tag: &str) -> Value {
        let labels = json!({"app": name});
        let mut container = json!({
            "name": "podinfod", "image": format!("{IMAGE}:{tag}"),
            "ports": [{"name": "http", "containerPort": 9898}],
        });
        if self.has_config {
            let from = json!({"envFrom": [{"configMapRef": {"name": CONFIG.0}}]});
            manifests::merge(&mut container, &from);
        }
        let mut target = json!({
            "apiVersion": APPS, "kind": self.workload().kind,
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        });
        if !self.is_daemon_set {
            let scaled = json!({"spec": {"replicas": 2, "progressDeadlineSeconds": 60}});
            manifests::merge(&mut target, &scaled);
        }
        target
    }

    /// The ConfigMap, when there is one.
    pub fn config(&self, content: &str) -> Option<Value> {
        self.has_config.then(|| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": CONFIG.0, "namespace": NAMESPACE}, "data": {"color": content},
            })
        })
    }
}

/// What a hook answers when nothing else was asked for: one that asks for a rollback does not.
pub fn usual_answer(hook: &str) -> u16 {
    if hook == "rollback" { 403 } else { 200 }
}
