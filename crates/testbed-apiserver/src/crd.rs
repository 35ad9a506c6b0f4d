//! CustomResourceDefinitions: what they say of the kinds that they add.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    json::{at, list, name, put, text},
    kinds,
    managed::{Managers, Owner},
    registry::{Resource, Scale},
    schema::{custom, types::Shape},
    state::State,
};

/// What a definition says of one served version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served {
    /// The version that is stored.
    pub storage: bool,
    /// `schema.openAPIV3Schema`.
    pub schema: Value,
    /// `additionalPrinterColumns`.
    pub columns: Vec<Value>,
    /// Whether unknown fields are kept everywhere (`spec.preserveUnknownFields`).
    pub preserve: bool,
}

/// The kinds that a definition adds, one for each served version.
pub(crate) fn resources(definition: &Value) -> Vec<Arc<Resource>> {
    let versions = list(definition, &["spec", "versions"]);
    versions
        .iter()
        .filter(|version| at(version, &["served"]) == Some(&Value::Bool(true)))
        .map(|version| Arc::new(resource(definition, version)))
        .collect()
}

fn resource(definition: &Value, version: &Value) -> Resource {
    let names = |key: &str| text(definition, &["spec", "names", key]).to_owned();
    let words = |key: &str| {
        let found = list(definition, &["spec", "names", key]);
        found.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let kind = names("kind");
    let or = |value: String, other: String| if value.is_empty() { other } else { value };
    Resource {
        group: text(definition, &["spec", "group"]).to_owned(),
        version: text(version, &["name"]).to_owned(),
        list_kind: or(names("listKind"), format!("{kind}List")),
        plural: names("plural"),
        singular: or(names("singular"), kind.to_lowercase()),
        kind,
        short_names: words("shortNames"),
        categories: words("categories"),
        namespaced: text(definition, &["spec", "scope"]) == "Namespaced",
        has_status: at(version, &["subresources", "status"]).is_some(),
        scale: at(version, &["subresources", "scale"]).map(scale),
        counts_generations: true,
        shape: Shape::Any,
        custom: Some(Arc::new(Served {
            storage: at(version, &["storage"]) == Some(&Value::Bool(true)),
            schema: at(version, &["schema", "openAPIV3Schema"]).cloned().unwrap_or_default(),
            columns: list(version, &["additionalPrinterColumns"]).to_vec(),
            preserve: at(definition, &["spec", "preserveUnknownFields"]) == Some(&Value::Bool(true)),
        })),
    }
}

fn scale(block: &Value) -> Scale {
    let pointer = |key: &str| text(block, &[key]).replace('.', "/");
    Scale {
        spec: pointer("specReplicasPath"),
        status: pointer("statusReplicasPath"),
        selector: Some(pointer("labelSelectorPath")).filter(|path| !path.is_empty()),
    }
}

/// Brings an object of a custom kind into the version of `resource`, as the conversion None does: under its name, and
/// without what its schema does not have.
pub(crate) fn convert(resource: &Resource, object: &mut Value) {
    let Some(served) = &resource.custom else { return };
    let version = resource.api_version();
    if text(object, &["apiVersion"]) != version {
        put(object, &["apiVersion"], json!(version));
        custom::narrow(&served.schema, served.preserve, object);
        custom::default(&served.schema, object);
    }
}

/// Serves the kind of a definition and says so in its status.
pub(crate) fn serve(state: &mut State, definition: &Arc<Value>, stamp: &str) {
    if state.definitions.get(name(definition)).is_some_and(|known| Arc::ptr_eq(known, definition)) {
        return;
    }
    let mut updated = (**definition).clone();
    let names = at(definition, &["spec", "names"]).cloned().unwrap_or_default();
    let condition = |kind: &str, reason: &str, message: &str| {
        let known = list(definition, &["status", "conditions"]);
        let since = known.iter().find(|c| text(c, &["type"]) == kind);
        let since = since.map_or(stamp, |c| text(c, &["lastTransitionTime"]));
        json!({"type": kind, "status": "True", "lastTransitionTime": since, "reason": reason, "message": message})
    };
    let accepted = condition("NamesAccepted", "NoConflicts", "no conflicts found");
    let established =
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted");
    put(&mut updated, &["status", "conditions"], json!([accepted, established]));
    put(&mut updated, &["status", "acceptedNames"], names);
    // Whatever was ever stored, until a client states that all of it was written anew.
    let stored = list(definition, &["status", "storedVersions"]);
    let mut stored: Vec<&str> = stored.iter().filter_map(Value::as_str).collect();
    let now = list(definition, &["spec", "versions"]);
    let now = now.iter().filter(|v| at(v, &["storage"]) == Some(&Value::Bool(true)));
    for version in now.map(|v| text(v, &["name"])) {
        if !stored.contains(&version) {
            stored.push(version);
        }
    }
    put(&mut updated, &["status", "storedVersions"], json!(stored));
    own_status(state, &mut updated, definition, stamp);
    let kept = if updated == **definition {
        definition.clone()
    } else {
        state.store.put("customresourcedefinitions.apiextensions.k8s.io", updated)
    };
    state.registry.define(&kept);
    state.definitions.insert(name(&kept).to_owned(), kept);
}

/// The server owns the status that it wrote.
fn own_status(state: &State, updated: &mut Value, before: &Value, stamp: &str) {
    let Some(resource) = state.registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
    else {
        return;
    };
    let mut managers = Managers::read(before);
    let owner = Owner {
        manager: "kube-apiserver".to_owned(),
        applies: false,
        api_version: resource.api_version(),
        subresource: "status".to_owned(),
    };
    managers.updated(kinds::root(&resource), &owner, before, updated, stamp);
    put(updated, &["metadata", "managedFields"], managers.json().unwrap_or_default());
}

/// Serves no more what has no definition any more, and forgets its objects.
pub(crate) fn forget_missing(state: &mut State) {
    let bucket = "customresourcedefinitions.apiextensions.k8s.io";
    let known = state.definitions.keys().filter(|known| state.store.get(bucket, "", known).is_none());
    for gone in known.cloned().collect::<Vec<_>>() {
        state.definitions.remove(&gone);
        state.registry.forget(&gone);
        let left: Vec<_> = state.store.all(&gone).map(|(key, _)| key.clone()).collect();
        for (namespace, object) in left {
            state.store.remove(&gone, &namespace, &object);
        }
    }
}
