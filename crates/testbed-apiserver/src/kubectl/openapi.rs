//! As much of the OpenAPI documents as `kubectl` needs to leave validation to the server: which paths can be patched,
//! and that they understand `fieldValidation`. Schemas are not published.

use serde_json::{Map, Value, json};

use crate::registry::{Registry, Resource};

/// Answers `/openapi/v3` and what is below it.
pub(crate) fn document(registry: &Registry, steps: &[&str]) -> Option<Value> {
    match steps {
        [] => Some(index(registry)),
        ["api", version] => group(registry, "", version),
        ["apis", group_name, version] => group(registry, group_name, version),
        _ => None,
    }
}

fn index(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for resource in registry.all() {
        let path = base(resource);
        let address = json!({"serverRelativeURL": format!("/openapi/v3/{path}")});
        paths.insert(path, address);
    }
    json!({ "paths": paths })
}

fn base(resource: &Resource) -> String {
    match resource.group.as_str() {
        "" => format!("api/{}", resource.version),
        group => format!("apis/{group}/{}", resource.version),
    }
}

fn group(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let mut paths = Map::new();
    for resource in registry.all().filter(|r| r.group == group && r.version == version) {
        let within = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
        let path = format!("/{}/{within}{}/{{name}}", base(resource), resource.plural);
        let kind = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
        let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation", "force"]
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
            .collect();
        let patch = json!({
            "parameters": parameters, "responses": {},
            "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": kind,
        });
        paths.insert(path, json!({ "patch": patch }));
    }
    let info = json!({"title": "Kubernetes", "version": "v1.35.0"});
    (!paths.is_empty())
        .then(|| json!({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}))
}
