//! Narrow views of `metadata`: each reads one field and answers empty where there is none.

use serde_json::{Map, Value, json};

/// The field at a JSON pointer, as text; empty when it is absent or no text.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The field at a JSON pointer. Called for every object of every tick, so it does not allocate, as `Value::pointer`
/// does for each step.
fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.contains('~') {
        return object.pointer(pointer);
    }
    pointer.split('/').skip(1).try_fold(object, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// `metadata.resourceVersion`.
pub fn resource_version(object: &Value) -> &str {
    text(object, "/metadata/resourceVersion")
}

/// One label's value.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(key)?.as_str()
}

/// One annotation's value.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// Keys, or prefixes of keys, by which GitOps tools recognise the objects that they have applied and delete the others.
/// On a copy they would make such a tool delete it.
const TRACKING: [&str; 8] = [
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "applyset.kubernetes.io/",
    "argocd.argoproj.io/",
    "config.k8s.io/owning-inventory",
    "kapp.k14s.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "meta.helm.sh/",
];

/// Whether the key of a label or an annotation is the mark of a tool on what it has applied, Flux and kubectl included.
pub fn is_tracking(key: &str) -> bool {
    key.contains("toolkit.fluxcd.io") || TRACKING.iter().any(|mark| key.starts_with(mark))
}

/// The owner reference that has `controller: true`, as the API server stores it.
pub fn controller(object: &Value) -> Option<&Value> {
    at(object, "/metadata/ownerReferences")?
        .as_array()?
        .iter()
        .find(|reference| reference.get("controller").and_then(Value::as_bool) == Some(true))
}

/// The Canary that owns generated objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Name of the Canary.
    pub name: String,
    /// Its uid: a Canary that was deleted and made again under the same name is another owner.
    pub uid: String,
}

impl Owner {
    /// The controller reference that every generated object carries.
    pub fn reference(&self) -> Value {
        json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": self.name, "uid": self.uid,
            "controller": true, "blockOwnerDeletion": true,
        })
    }

    /// Whether this Canary controls `object`.
    pub fn controls(&self, object: &Value) -> bool {
        controller(object).is_some_and(|reference| text(reference, "/uid") == self.uid)
    }
}

/// Writes the field at `path`, making the objects on the way down.
pub fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((step, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Some(map) = object.as_object_mut() {
        set(map.entry(*step).or_insert(Value::Null), rest, value);
    }
}
