//! Where a pod template names ConfigMaps and Secrets: in volumes, projected volumes, `env` and `envFrom` of containers
//! and init containers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vexil_object::{Kind, ObjectKey, kinds, meta};

use crate::subject::primary;

/// The ConfigMaps and Secrets that a pod template names, and for each whether a pod starts only if it exists. One that
/// is named several times is required if one of them requires it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigReferences(BTreeMap<ConfigName, bool>);

/// A ConfigMap or Secret in the namespace of the Canary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigName {
    kind: ConfigKind,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ConfigKind {
    ConfigMap,
    Secret,
}

impl ConfigKind {
    /// As in the keys of `status.trackedConfigs`, and in Flagger's messages.
    fn word(self) -> &'static str {
        match self {
            ConfigKind::ConfigMap => "configmap",
            ConfigKind::Secret => "secret",
        }
    }
}

impl ConfigName {
    fn new(kind: ConfigKind, name: &str) -> Self {
        ConfigName { kind, name: name.to_owned() }
    }

    /// Reads `configmap/<name>` or `secret/<name>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (word, name) = text.split_once('/')?;
        let kinds = [ConfigKind::ConfigMap, ConfigKind::Secret];
        kinds.into_iter().find(|kind| kind.word() == word).map(|kind| ConfigName::new(kind, name))
    }

    /// ConfigMap or Secret.
    pub fn kind(&self) -> Kind {
        match self.kind {
            ConfigKind::ConfigMap => kinds::CONFIG_MAP,
            ConfigKind::Secret => kinds::SECRET,
        }
    }

    /// How messages call its kind: `configmap` or `secret`.
    pub(crate) fn noun(&self) -> &'static str {
        self.kind.word()
    }

    /// The object that the user made.
    pub fn source(&self, namespace: &str) -> ObjectKey {
        ObjectKey::new(self.kind(), namespace, &self.name)
    }

    /// The primary's copy of it.
    pub fn copy(&self, namespace: &str) -> ObjectKey {
        ObjectKey::new(self.kind(), namespace, primary(&self.name))
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// `configmap/<name>` or `secret/<name>`, as in `status.trackedConfigs`.
impl std::fmt::Display for ConfigName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.name)
    }
}

impl ConfigReferences {
    /// What a pod spec names.
    pub(crate) fn of(spec: &mut Value) -> Self {
        let mut found = BTreeMap::new();
        for Reference { kind, object, field } in references(spec) {
            let name = meta::text(object, &format!("/{field}"));
            if !name.is_empty() {
                let required = object.get("optional") != Some(&Value::Bool(true));
                *found.entry(ConfigName::new(kind, name)).or_default() |= required;
            }
        }
        ConfigReferences(found)
    }

    /// As a cache keeps them; `None` for none.
    pub(crate) fn kept(&self) -> Option<Value> {
        let pairs = self.0.iter().map(|(name, required)| (name.to_string(), Value::Bool(*required)));
        Some(Value::Object(pairs.collect::<Map<_, _>>())).filter(|_| !self.0.is_empty())
    }

    /// From what a cache keeps.
    pub(crate) fn from_kept(kept: &Value) -> Self {
        let pairs = kept.as_object().into_iter().flatten();
        let read = |(name, required): (&String, &Value)| {
            Some((ConfigName::parse(name)?, required.as_bool().unwrap_or(true)))
        };
        ConfigReferences(pairs.filter_map(read).collect())
    }

    /// Each with whether it is required, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&ConfigName, bool)> {
        self.0.iter().map(|(name, required)| (name, *required))
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this object is named.
    pub(crate) fn names(&self, key: &ObjectKey) -> bool {
        self.0.keys().any(|name| name.kind() == key.kind() && name.name == key.name())
    }
}

/// Gives every ConfigMap and Secret that a pod spec names the name that `rename` returns.
pub(crate) fn rename(spec: &mut Value, rename: impl Fn(&ConfigName) -> Option<String>) {
    for Reference { kind, object, field } in references(spec) {
        let name = ConfigName::new(kind, meta::text(object, &format!("/{field}")));
        if let Some(other) = rename(&name) {
            meta::set(object, &[field], other.into());
        }
    }
}

/// One place that names a ConfigMap or Secret: the object that holds the name, and its field.
struct Reference<'v> {
    kind: ConfigKind,
    object: &'v mut Value,
    field: &'static str,
}

impl<'v> Reference<'v> {
    fn new(kind: ConfigKind, object: &'v mut Value, field: &'static str) -> Self {
        Reference { kind, object, field }
    }
}

fn references(spec: &mut Value) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for (field, list) in spec.as_object_mut().into_iter().flatten() {
        match field.as_str() {
            "volumes" => items(list).for_each(|volume| in_volume(volume, &mut found)),
            "containers" | "initContainers" => {
                items(list).for_each(|container| in_container(container, &mut found));
            }
            _ => {}
        }
    }
    found
}

fn in_volume<'v>(volume: &'v mut Value, found: &mut Vec<Reference<'v>>) {
    for (field, source) in volume.as_object_mut().into_iter().flatten() {
        match field.as_str() {
            "configMap" => found.push(Reference::new(ConfigKind::ConfigMap, source, "name")),
            "secret" => found.push(Reference::new(ConfigKind::Secret, source, "secretName")),
            "projected" => {
                for part in source.get_mut("sources").into_iter().flat_map(items) {
                    for (field, source) in part.as_object_mut().into_iter().flatten() {
                        match field.as_str() {
                            "configMap" => found.push(Reference::new(ConfigKind::ConfigMap, source, "name")),
                            "secret" => found.push(Reference::new(ConfigKind::Secret, source, "name")),
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn in_container<'v>(container: &'v mut Value, found: &mut Vec<Reference<'v>>) {
    for (field, list) in container.as_object_mut().into_iter().flatten() {
        let sources: Vec<&mut Value> = match field.as_str() {
            "env" => items(list).filter_map(|variable| variable.get_mut("valueFrom")).collect(),
            "envFrom" => items(list).collect(),
            _ => continue,
        };
        for (field, source) in sources.into_iter().filter_map(Value::as_object_mut).flatten() {
            match field.as_str() {
                "configMapKeyRef" | "configMapRef" => {
                    found.push(Reference::new(ConfigKind::ConfigMap, source, "name"));
                }
                "secretKeyRef" | "secretRef" => {
                    found.push(Reference::new(ConfigKind::Secret, source, "name"))
                }
                _ => {}
            }
        }
    }
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A pod spec with every kind of reference.
    pub(crate) fn pod_spec(config: &str, secret: &str) -> Value {
        let container = json!({
            "name": "app",
            "env": [
                {"name": "a", "valueFrom": {"configMapKeyRef": {"name": config, "key": "k"}}},
                {"name": "b", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}, {"name": "c", "value": "x"},
            ],
            "envFrom": [{"configMapRef": {"name": config}}, {"secretRef": {"name": secret}}],
        });
        let sources =
            json!([{"configMap": {"name": config}}, {"secret": {"name": secret}}, {"downwardAPI": {}}]);
        json!({
            "containers": [container], "initContainers": [container],
            "volumes": [
                {"name": "a", "configMap": {"name": config}}, {"name": "b", "secret": {"secretName": secret}},
                {"name": "c", "projected": {"sources": sources}}, {"name": "d", "emptyDir": {}},
            ],
            "imagePullSecrets": [{"name": "registry"}],
        })
    }

    fn check(mut spec: Value, expect: &[(&str, bool)]) {
        let found = ConfigReferences::of(&mut spec);
        let texts: Vec<_> = found.iter().map(|(name, required)| (name.to_string(), required)).collect();
        let expect: Vec<_> = expect.iter().map(|(name, required)| ((*name).to_owned(), *required)).collect();
        assert_eq!(texts, expect, "{spec}");
        let kept = found.kept();
        assert_eq!(kept.is_none(), expect.is_empty());
        assert_eq!(ConfigReferences::from_kept(&kept.unwrap_or_default()), found);
    }

    #[test]
    fn every_place_is_found_and_pull_secrets_are_not_configuration() {
        check(pod_spec("web", "key"), &[("configmap/web", true), ("secret/key", true)]);
        check(json!({}), &[]);
        check(json!({"volumes": null, "containers": [{"env": null, "envFrom": [{}]}]}), &[]);
        check(json!({"volumes": [{"configMap": {"name": ""}}, {"secret": {}}]}), &[]);
    }

    #[test]
    fn a_name_is_required_if_one_reference_requires_it() {
        let from = |optional: Value| json!({"configMapRef": {"name": "web", "optional": optional}});
        for (optional, required) in [
            (vec![json!(true)], false),
            (vec![json!(false)], true),
            (vec![Value::Null], true),
            (vec![json!(true), json!(false)], true),
            (vec![Value::Null, json!(true)], true),
            (vec![json!(true), json!(true)], false),
        ] {
            let from: Vec<_> = optional.into_iter().map(from).collect();
            check(json!({"containers": [{"envFrom": from}]}), &[("configmap/web", required)]);
        }
    }

    #[test]
    fn names_are_replaced_everywhere_at_once() {
        let mut spec = pod_spec("web", "key");
        rename(&mut spec, |name| (name.to_string() == "secret/key").then(|| "other".to_owned()));
        assert_eq!(spec, pod_spec("web", "other"));
    }
}
