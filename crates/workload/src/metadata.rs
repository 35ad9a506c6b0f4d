//! Which labels and annotations of the target go to the primary.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::WorkloadCatalog;

/// Labels or annotations, ordered by key.
pub(crate) type Pairs = BTreeMap<String, String>;

/// `kubectl apply` keeps its memory here; on a copy it would be a lie.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The operator's flags that concern workloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    selector_keys: Vec<String>,
    include_prefixes: Vec<String>,
    /// `-enable-config-tracking`: whether ConfigMaps and Secrets of a target are part of its revision.
    pub config_tracking: bool,
    /// The kinds of targets and autoscalers.
    pub catalog: WorkloadCatalog,
}

impl Settings {
    /// From the flags `-selector-labels` and `-include-label-prefix`, both separated by commas. An empty prefix keeps
    /// nothing, `*` keeps everything.
    pub fn from_flags(selector_labels: &str, include_label_prefix: &str) -> Self {
        let split = |text: &str| {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        Settings {
            selector_keys: split(selector_labels),
            include_prefixes: split(include_label_prefix),
            config_tracking: true,
            catalog: WorkloadCatalog::default(),
        }
    }

    /// `-enable-config-tracking`.
    #[must_use]
    pub fn with_config_tracking(self, config_tracking: bool) -> Self {
        Settings { config_tracking, ..self }
    }

    /// The label keys that may distinguish canary pods from primary pods, in the order they are tried.
    pub fn selector_keys(&self) -> &[String] {
        &self.selector_keys
    }

    /// Whether the prefix filter keeps this key.
    pub(crate) fn includes(&self, key: &str) -> bool {
        !is_toolkit(key)
            && self.include_prefixes.iter().any(|prefix| prefix == "*" || key.starts_with(prefix.as_str()))
    }
}

/// The flags' defaults: keys `app`, `name`, `app.kubernetes.io/name`, no prefix, and config tracking.
impl Default for Settings {
    fn default() -> Self {
        Settings::from_flags("app,name,app.kubernetes.io/name", "")
    }
}

/// Keys by which Flux knows its own objects; a copy that carried them would be pruned by it.
pub(crate) fn is_toolkit(key: &str) -> bool {
    key.contains("toolkit.fluxcd.io")
}

/// Annotations that belong to kubectl or the Deployment controller and are neither copied nor removed.
pub(crate) fn is_managed(key: &str) -> bool {
    key == LAST_APPLIED || key.starts_with("deployment.kubernetes.io/")
}

/// The pairs at a JSON pointer; empty where there are none.
pub(crate) fn pairs(object: &Value, pointer: &str) -> Pairs {
    let Some(map) = object.pointer(pointer).and_then(Value::as_object) else {
        return Pairs::new();
    };
    map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The primary's labels.
pub(crate) fn primary_labels(target: &Value, settings: &Settings, key: &str, value: &str) -> Pairs {
    let mut labels = pairs(target, "/metadata/labels");
    labels.retain(|key, _| settings.includes(key));
    labels.insert(key.to_owned(), value.to_owned());
    labels
}

/// The primary's annotations when it is created: all of the target's that are not the bookkeeping of a tool.
pub(crate) fn created_annotations(target: &Value) -> Pairs {
    let mut annotations = pairs(target, "/metadata/annotations");
    annotations.retain(|key, _| !is_toolkit(key) && !is_managed(key));
    annotations
}

/// The primary's annotations after a promotion: only those that the prefix filter keeps.
pub(crate) fn promoted_annotations(target: &Value, settings: &Settings) -> Pairs {
    let mut annotations = created_annotations(target);
    annotations.retain(|key, _| settings.includes(key));
    annotations
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(prefixes: &str, kept: &[&str]) {
        let settings = Settings::from_flags("app", prefixes);
        let keys = ["bar", "foo", "kustomize.toolkit.fluxcd.io/checksum", "lorem"];
        let included: Vec<_> = keys.into_iter().filter(|key| settings.includes(key)).collect();
        assert_eq!(included, kept, "prefixes {prefixes:?}");
    }

    #[test]
    fn the_prefix_filter_keeps_what_the_flag_names() {
        check("foo,lor", &["foo", "lorem"]);
        check("*", &["bar", "foo", "lorem"]);
        check("", &[]);
        check(",", &[]);
        check("kustomize", &[]);
    }

    #[test]
    fn the_selector_label_overrides_the_targets_own() {
        let target = json!({"metadata": {"labels": {"lorem": "ipsum", "foo": "old-bar"}}});
        let labels = primary_labels(&target, &Settings::from_flags("foo", "*"), "foo", "new-bar");
        assert_eq!(json!(labels), json!({"lorem": "ipsum", "foo": "new-bar"}));
    }

    #[test]
    fn bookkeeping_of_kubectl_and_of_the_deployment_controller_is_not_copied() {
        let target = json!({"metadata": {"annotations": {
            LAST_APPLIED: "{}", "deployment.kubernetes.io/revision": "3", "owner": "someone",
            "kustomize.toolkit.fluxcd.io/checksum": "1",
        }}});
        assert_eq!(json!(created_annotations(&target)), json!({"owner": "someone"}));
        let all = Settings::from_flags("app", "*");
        assert_eq!(json!(promoted_annotations(&target, &all)), json!({"owner": "someone"}));
        assert!(promoted_annotations(&target, &Settings::default()).is_empty());
    }
}
