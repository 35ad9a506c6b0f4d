//! What a user applies: the application of the guides and its Canary.

use serde_json::{Value, json};
pub use vexil_testbed_rig::manifests::merge;

use super::{
    cast::{Cast, PODINFO},
    stand_in::StandIn,
};

/// The application, with two pods.
pub fn deployment(cast: &Cast, tag: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": cast.target, "labels": {"app": "podinfo"}},
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 60,
            "selector": {"matchLabels": {"app": "podinfo"}},
            "template": {
                "metadata": {"labels": {"app": "podinfo"}},
                "spec": {"containers": containers(tag)},
            },
        },
    })
}

fn containers(tag: &str) -> Value {
    json!([{
        "name": "podinfod",
        "image": format!("stefanprodan/podinfo:{tag}"),
        "ports": [{"name": "http", "containerPort": 9898}],
    }])
}

/// The patch of a push.
pub fn push(tag: &str) -> Value {
    // A merge patch replaces lists whole.
    json!({"spec": {"template": {"spec": {"containers": containers(tag)}}}})
}

/// The Canary of the system's guide, in two steps of 25 % at the shortest interval; `changes` are merged into its spec.
/// spec.
pub fn canary(cast: &Cast, stand_in: &StandIn, changes: &Value) -> Value {
    let url = |name: &str| stand_in.hook(&cast.namespace, name);
    let hook = |name: &str, kind: &str| json!({"name": name, "type": kind, "url": url(name)});
    let mut spec = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": cast.target},
        "progressDeadlineSeconds": 60,
        "service": {"port": 80, "targetPort": 9898},
        "analysis": {
            "interval": "2s",
            "threshold": 2,
            "maxWeight": 50,
            "stepWeight": 25,
            "metrics": [
                {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "1m"},
                {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "1m"},
            ],
            "webhooks": [hook("acceptance-test", "pre-rollout"), hook("load-test", "rollout")],
        },
    });
    if !cast.system.by_flag {
        merge(&mut spec, &json!({"provider": cast.system.provider}));
    }
    merge(&mut spec, &(cast.system.spec)(cast));
    if cast.apex != cast.target {
        merge(&mut spec, &json!({"service": {"name": cast.apex}}));
    }
    merge(&mut spec, changes);
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": PODINFO},
        "spec": spec,
    })
}
