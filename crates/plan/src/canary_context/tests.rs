//! What is kept of a Canary is what would be read again.

use serde_json::json;
use vexil_routing_kubernetes::{Kubernetes, KubernetesServices};

use super::*;

fn canary(generation: u64, port: u64, status: Value, note: &str) -> Arc<Value> {
    Arc::new(json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {
            "name": "podinfo", "namespace": "test", "uid": "u", "generation": generation,
            "annotations": {"note": note},
        },
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "provider": "kubernetes",
            "service": {"port": port},
            "analysis": {"interval": "10s", "threshold": 2, "iterations": 3},
        },
        "status": status,
    }))
}

fn opened(registry: &Registry, live: &Arc<Value>) -> Result<String, Vec<Defect>> {
    let settings = Settings { provider: "kubernetes".to_owned(), ..Settings::default() };
    let canary = Planner::new(registry, &settings).open(Arc::clone(live))?;
    Ok(format!("{:?} {:?} {:?}", canary.plan(), canary.status(), canary.annotations()))
}

#[test]
fn a_kept_canary_is_what_would_be_parsed_again() {
    let registry = || Registry::new(KubernetesServices).with(Kubernetes);
    let kept = registry();
    let bound = |apex: &str| {
        json!({"phase": "Progressing", "binding": {
            "kind": "Deployment", "target": "podinfo", "primary": "podinfo-primary", "apex": apex,
            "provider": "kubernetes", "servicePort": {"port": 80},
        }})
    };
    for live in [
        canary(1, 80, json!({"phase": "Progressing", "canaryWeight": 5}), "a"),
        canary(1, 80, json!({"phase": "Progressing", "canaryWeight": 10}), "a"),
        canary(1, 80, Value::Null, "a"),
        canary(1, 80, bound("podinfo"), "a"),
        canary(1, 80, bound("other"), "a"),
        canary(1, 80, json!({"phase": "Failed"}), "b"),
        canary(2, 81, json!({"phase": "Failed"}), "b"),
        canary(2, 81, json!({"phase": ["wrong"]}), "b"),
        canary(2, 81, json!({"phase": "Failed"}), "b"),
        canary(3, 0, json!({"phase": "Failed"}), "b"),
    ] {
        assert_eq!(opened(&kept, &live), opened(&registry(), &live), "{live}");
    }
}
