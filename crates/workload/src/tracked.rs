//! Taking over primaries that Flagger made: what its copy has otherwise than ours, though it runs the same.
//!
//! With config tracking Flagger copies each ConfigMap and Secret that the target uses to `<name>-primary`, and has the
//! primary use the copies. And it rewrites other affinity terms than we do. Neither is a reason
//! to touch a primary that serves.

use std::collections::BTreeMap;

use serde_json::Value;
use vexil_object::meta;

use crate::{affinity, revision};

/// `status.trackedConfigs`: a checksum by `configmap/<name>` or `secret/<name>`.
pub type TrackedConfigs = BTreeMap<String, String>;

/// The digest of a pod template, without what only another operator's copy has.
pub(crate) fn neutral(template: &Value, tracked: &TrackedConfigs) -> String {
    let mut template = template.clone();
    if let Some(spec) = template.get_mut("spec") {
        affinity::neutralise(spec);
        for (kind, reference, field) in references(spec) {
            let name = meta::text(reference, &format!("/{field}"));
            let own = name.strip_suffix("-primary").map(str::to_owned);
            if let Some(own) = own.filter(|own| tracked.contains_key(&format!("{kind}/{own}"))) {
                meta::set(reference, &[field], own.into());
            }
        }
    }
    revision::plain(&template)
}

/// Every reference to a ConfigMap or Secret: its kind, the object that holds it, and the field with the name.
fn references(spec: &mut Value) -> Vec<(&'static str, &mut Value, &'static str)> {
    let mut found = Vec::new();
    let Some(spec) = spec.as_object_mut() else { return found };
    for (field, list) in spec.iter_mut() {
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

type Found<'v> = Vec<(&'static str, &'v mut Value, &'static str)>;

fn in_volume<'v>(volume: &'v mut Value, found: &mut Found<'v>) {
    for (field, source) in volume.as_object_mut().into_iter().flatten() {
        match field.as_str() {
            "configMap" => found.push(("configmap", source, "name")),
            "secret" => found.push(("secret", source, "secretName")),
            "projected" => {
                for part in source.get_mut("sources").into_iter().flat_map(items) {
                    for (field, source) in part.as_object_mut().into_iter().flatten() {
                        match field.as_str() {
                            "configMap" => found.push(("configmap", source, "name")),
                            "secret" => found.push(("secret", source, "name")),
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn in_container<'v>(container: &'v mut Value, found: &mut Found<'v>) {
    for (field, list) in container.as_object_mut().into_iter().flatten() {
        let sources: Vec<&mut Value> = match field.as_str() {
            "env" => items(list).filter_map(|variable| variable.get_mut("valueFrom")).collect(),
            "envFrom" => items(list).collect(),
            _ => continue,
        };
        for source in sources {
            for (field, source) in source.as_object_mut().into_iter().flatten() {
                match field.as_str() {
                    "configMapKeyRef" | "configMapRef" => found.push(("configmap", source, "name")),
                    "secretKeyRef" | "secretRef" => found.push(("secret", source, "name")),
                    _ => {}
                }
            }
        }
    }
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A pod template with every kind of reference.
    fn template(config: &str, secret: &str, affine: &str) -> Value {
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
        json!({"spec": {
            "containers": [container], "initContainers": [container],
            "volumes": [
                {"name": "a", "configMap": {"name": config}}, {"name": "b", "secret": {"secretName": secret}},
                {"name": "c", "projected": {"sources": sources}}, {"name": "d", "emptyDir": {}},
            ],
            "topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": affine}}}],
        }})
    }

    fn check(one: Value, other: Value, tracked: &[&str], same: bool) {
        let tracked = tracked.iter().map(|key| ((*key).to_owned(), "0".to_owned())).collect();
        assert_eq!(neutral(&one, &tracked) == neutral(&other, &tracked), same, "{one} and {other}");
    }

    #[test]
    fn copies_of_tracked_configs_are_what_they_were_copied_from() {
        let own = template("conf", "key", "web");
        let both = ["configmap/conf", "secret/key"];
        check(own.clone(), template("conf-primary", "key-primary", "web"), &both, true);
        check(own.clone(), template("conf-primary", "key", "web"), &both, true);
        check(own.clone(), template("conf-primary", "key-primary", "web"), &both[..1], false);
        check(own.clone(), template("conf-primary", "key", "web"), &[], false);
        check(own.clone(), template("other", "key", "web"), &both, false);
        check(own, template("conf", "key", "web-primary"), &[], true);
    }
}
