//! The server as clients see it: through `kube::Client`, on virtual time.

mod applying;
mod collecting;
mod custom;
mod faults;
mod showing;
mod watching;
mod writing;

use kube::Client;
use serde_json::{Value, json};

use super::*;
use crate::Clock;

/// A server and a client of it.
struct Bench {
    server: ApiServer,
    client: Client,
}

/// A request: method, path, and a body.
type Ask<'a> = (&'a str, &'a str, Value);

impl Bench {
    fn new() -> Self {
        let server = ApiServer::new(Clock::default());
        Bench { client: server.client_as("bench/1"), server }
    }

    /// Sends a request. Patches are merge patches unless the method says otherwise (`PATCH+json`, `PATCH+apply`,
    /// `PATCH+strategic`).
    async fn send(&self, (method, path, body): Ask<'_>) -> (u16, Value) {
        self.send_for("application/json", (method, path, body)).await
    }

    async fn send_for(&self, accept: &str, (method, path, body): Ask<'_>) -> (u16, Value) {
        let (method, kind) = match method {
            "PATCH" => ("PATCH", "application/merge-patch+json"),
            "PATCH+json" => ("PATCH", "application/json-patch+json"),
            "PATCH+strategic" => ("PATCH", "application/strategic-merge-patch+json"),
            "PATCH+apply" => ("PATCH", "application/apply-patch+yaml"),
            other => (other, "application/json"),
        };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(path).header("accept", accept);
        let request = request.header("content-type", kind).body(kube::client::Body::from(body)).unwrap();
        let response = self.client.send(request).await.unwrap();
        let code = response.status().as_u16();
        let bytes = response.into_body().collect_bytes().await.unwrap();
        (code, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Sends requests that must succeed.
    async fn all(&self, asks: Vec<Ask<'_>>) {
        for (method, path, body) in asks {
            let (code, answer) = self.send((method, path, body)).await;
            assert!(code < 300, "{method} {path}: {answer}");
        }
    }

    /// Sends one request and compares its code and the values at some JSON pointers; `null` means absent.
    async fn check(&self, ask: Ask<'_>, code: u16, expect: Value) -> Value {
        let shown = format!("{} {} {}", ask.0, ask.1, ask.2);
        let (have, answer) = self.send(ask).await;
        assert_eq!(have, code, "{shown}: {answer}");
        for (pointer, value) in expect.as_object().unwrap() {
            assert_eq!(answer.pointer(pointer).unwrap_or(&Value::Null), value, "{shown} {pointer}: {answer}");
        }
        answer
    }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const WIDGETS: &str = "/apis/t.io/v1/namespaces/default/widgets";

fn map(name: &str, value: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": name}}, "data": {"key": value}})
}

fn deployment(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        },
    })
}

/// A CustomResourceDefinition with a schema that has something of everything.
fn widgets() -> Value {
    let spec = json!({
        "type": "object", "required": ["n"], "properties": {
            "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "s": {"type": "string", "pattern": "^a+$"},
            "e": {"type": "string", "enum": ["x", "y"], "default": "x"},
            "o": {"type": "object", "default": {}, "properties": {"a": {"type": "string", "default": "q"}}},
            "m": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                  "items": {"type": "object", "required": ["name"], "properties": {
                      "name": {"type": "string"}, "v": {"type": "integer", "default": 3}}}},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        },
    });
    let status = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.t.io"},
        "spec": {
            "group": "t.io", "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {
                    "status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
                },
                "additionalPrinterColumns": [
                    {"name": "Count", "type": "integer", "jsonPath": ".spec.n"},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {"openAPIV3Schema": {
                    "type": "object", "required": ["spec"], "properties": {"spec": spec, "status": status},
                }},
            }],
        },
    })
}

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "t.io/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}
