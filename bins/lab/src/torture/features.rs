//! What the Canary of a seed has besides: gates and other hooks, a strategy, configuration, alerts, another kind of
//! target.

use serde_json::{Value, json};
use vexil_testbed_rig::manifests;

use super::{
    dice::Dice,
    place::{IMAGE, NAME, NAMESPACE, Place, first_spec},
    strategy::Strategy,
};

/// The types of hooks that the manifests do not have. Each is the name of its hook, too.
pub const HOOKS: [&str; 6] =
    ["confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback", "post-rollout", "event"];
/// The ConfigMap or Secret that the target uses, and what it says at first.
pub const CONFIG: (&str, &str) = ("settings", "red");
/// The hook that receives alerts, and the name of its AlertProvider.
pub const ALERTS: &str = "alerts";

/// What there is besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Hooks of these types.
    pub hooks: Vec<&'static str>,
    /// What the target is configured with.
    pub config: Option<Config>,
    /// The target is a DaemonSet.
    pub is_daemon_set: bool,
    /// How a revision is analysed.
    pub strategy: Strategy,
    /// The status with which the receiver of alerts answers, until everything is whole again; none for 0.
    pub alerts: Option<u16>,
    /// The apex is the user's, and is given back when the Canary is deleted.
    pub owns_apex: bool,
}

/// What holds the configuration of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Config {
    Map,
    Secret,
}

impl Config {
    fn kind(self) -> &'static str {
        match self {
            Config::Map => "ConfigMap",
            Config::Secret => "Secret",
        }
    }

    /// Its resource.
    pub fn resource(self) -> &'static str {
        match self {
            Config::Map => "configmaps",
            Config::Secret => "secrets",
        }
    }
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
    pub fn of_seed(seed: u64, place: &Place) -> Features {
        let mut dice = Dice::new(!seed);
        if dice.roll(2) == 0 {
            return Features::default();
        }
        let hooks = HOOKS.into_iter().filter(|_| dice.roll(3) == 0).collect();
        let config = [Config::Map, Config::Secret].get(dice.index(4)).copied();
        let is_daemon_set = dice.roll(3) == 0;
        let strategy = dice.pick(&Strategy::of(place)).unwrap_or_default();
        let alerts = [503, 0, 429, 200].get(dice.index(8)).copied();
        let owns_apex = place.follows_apex && dice.roll(3) == 0;
        Features { hooks, config, is_daemon_set, strategy, alerts, owns_apex }
    }

    /// In a few words; empty when there are none.
    pub fn title(&self) -> String {
        let mut all: Vec<&str> = self.hooks.clone();
        all.extend(self.config.map(Config::kind));
        all.extend(self.is_daemon_set.then_some("DaemonSet"));
        all.extend(self.strategy.title());
        all.extend(self.alerts.map(|_| "alerts"));
        all.extend(self.owns_apex.then_some("an apex of the user"));
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
        manifests::merge(&mut spec, &json!({"analysis": self.strategy.analysis()}));
        if self.owns_apex {
            manifests::merge(&mut spec, &json!({"revertOnDeletion": true}));
        }
        if self.alerts.is_some() {
            let alert = json!({"name": ALERTS, "severity": "info", "providerRef": {"name": ALERTS}});
            manifests::merge(&mut spec, &json!({"analysis": {"alerts": [alert]}}));
        }
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
        if let Some(config) = self.config {
            let reference = match config {
                Config::Map => "configMapRef",
                Config::Secret => "secretRef",
            };
            manifests::merge(&mut container, &json!({"envFrom": [{reference: {"name": CONFIG.0}}]}));
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

    /// The ConfigMap or Secret, when there is one.
    pub fn config(&self, content: &str) -> Option<Value> {
        let config = self.config?;
        let data = match config {
            Config::Map => "data",
            Config::Secret => "stringData",
        };
        Some(json!({
            "apiVersion": "v1", "kind": config.kind(),
            "metadata": {"name": CONFIG.0, "namespace": NAMESPACE}, data: {"color": content},
        }))
    }

    /// The apex Service, when it is the user's.
    pub fn apex(&self) -> Option<Value> {
        self.owns_apex.then(|| {
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": NAMESPACE},
                "spec": {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80, "targetPort": 9898}]},
            })
        })
    }

    /// The AlertProvider, when there are alerts.
    pub fn alert_provider(&self) -> Option<Value> {
        self.alerts.map(|_| {
            let url = format!("http://hooks.test/{ALERTS}");
            json!({
                "apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider",
                "metadata": {"name": ALERTS, "namespace": NAMESPACE},
                "spec": {"type": "slack", "channel": "on-call", "address": url},
            })
        })
    }
}

/// What a hook answers when nothing else was asked for: one that asks for a rollback does not.
pub fn usual_answer(hook: &str) -> u16 {
    if hook == "rollback" { 403 } else { 200 }
}
