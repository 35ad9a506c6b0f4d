//! The guide's manifests, as the recorded scenes have them, with hooks that answer in the process.

use serde_json::{Value, json};

/// A Canary of this name, with its target, its site `<name>.example.com` and two steps of 25 %.
pub fn canary(name: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": name, "namespace": "test"},
        "spec": {
            "provider": "traefik",
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "progressDeadlineSeconds": 60,
            "service": {"port": 80, "targetPort": 9898},
            "analysis": {
                "interval": "10s", "threshold": 3, "maxWeight": 50, "stepWeight": 25,
                "metrics": [
                    {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "1m"},
                    {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "1m"},
                ],
                "webhooks": [
                    {"name": "acceptance-test", "type": "pre-rollout", "url": "http://hooks.test/acceptance-test"},
                    {"name": "load-test", "type": "rollout", "url": "http://hooks.test/load-test", "timeout": "5s"},
                ],
            },
        },
    })
}

/// The target of a Canary.
pub fn target(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: test, labels: {{app: {name}}}}}
spec:
  replicas: {replicas}
  progressDeadlineSeconds: 60
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - {{name: podinfod, image: 'stefanprodan/podinfo:6.0.0', ports: [{{name: http, containerPort: 9898}}]}}
"
    )
}

/// How clients of Traefik come to a Canary.
pub fn site(name: &str) -> String {
    format!(
        "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: {name}, namespace: test}}
spec:
  entryPoints: [web]
  routes:
  - match: Host(`{name}.example.com`)
    kind: Rule
    services: [{{name: {name}, kind: TraefikService, port: 80}}]
"
    )
}

/// Lays `change` over `value`, as a JSON merge patch (RFC 7386).
pub fn merge(value: &mut Value, change: &Value) {
    let Value::Object(fields) = change else { return value.clone_from(change) };
    if !value.is_object() {
        *value = json!({});
    }
    for (name, change) in fields {
        match change {
            Value::Null => drop(value.as_object_mut().and_then(|object| object.remove(name))),
            change => {
                if let Some(fields) = value.as_object_mut() {
                    merge(fields.entry(name.as_str()).or_insert_with(|| Value::Null), change);
                }
            }
        }
    }
}
