//! The primary keeps away from its own pods, not from the canary's (`workloads.md` 4.2).

use serde_json::Value;

use crate::{Settings, subject::primary};

/// Rewrites the selectors of anti-affinity and topology spread terms that mean the target's own pods. Only a value
/// equal to the Deployment's name, under one of the configured keys, is taken to mean them.
pub(crate) fn rewrite(pod_spec: &mut Value, settings: &Settings, name: &str) {
    for selector in selectors(pod_spec) {
        match_expressions(selector, settings, name);
        match_labels(selector, settings, name);
    }
}

/// Every label selector that spreads pods or keeps them apart.
fn selectors(pod_spec: &mut Value) -> Vec<&mut Value> {
    let mut found = Vec::new();
    let Some(spec) = pod_spec.as_object_mut() else {
        return found;
    };
    for (field, value) in spec.iter_mut() {
        match field.as_str() {
            "topologySpreadConstraints" => {
                found.extend(items(value).filter_map(|term| term.get_mut("labelSelector")));
            }
            "affinity" => {
                let Some(terms) = value.get_mut("podAntiAffinity").and_then(Value::as_object_mut) else {
                    continue;
                };
                for (strength, terms) in terms.iter_mut() {
                    let pointer = match strength.as_str() {
                        "preferredDuringSchedulingIgnoredDuringExecution" => "/podAffinityTerm/labelSelector",
                        "requiredDuringSchedulingIgnoredDuringExecution" => "/labelSelector",
                        _ => continue,
                    };
                    found.extend(items(terms).filter_map(|term| term.pointer_mut(pointer)));
                }
            }
            _ => {}
        }
    }
    found
}

fn match_expressions(selector: &mut Value, settings: &Settings, name: &str) {
    let Some(expressions) = selector.get_mut("matchExpressions") else {
        return;
    };
    for expression in items(expressions) {
        let ours =
            expression.get("key").and_then(Value::as_str).is_some_and(|key| is_selector_key(settings, key));
        let Some(values) = expression.get_mut("values").filter(|_| ours) else {
            continue;
        };
        if let Some(value) = items(values).find(|value| value.as_str() == Some(name)) {
            *value = primary(name).into();
        }
    }
}

fn match_labels(selector: &mut Value, settings: &Settings, name: &str) {
    let Some(labels) = selector.get_mut("matchLabels").and_then(Value::as_object_mut) else {
        return;
    };
    for (_, value) in labels
        .iter_mut()
        .filter(|(key, value)| is_selector_key(settings, key) && value.as_str() == Some(name))
    {
        *value = primary(name).into();
    }
}

fn is_selector_key(settings: &Settings, key: &str) -> bool {
    settings.selector_keys().iter().any(|own| own == key)
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(mut spec: Value, expect: Value) {
        rewrite(&mut spec, &Settings::from_flags("app,name", ""), "podinfo");
        assert_eq!(spec, expect);
    }

    fn everywhere(of: &str, also: &str) -> Value {
        let selector = |value: &str| {
            json!({
                "matchExpressions": [{"key": "app", "operator": "In", "values": ["x", value, also]}],
                "matchLabels": {"name": value, "tier": "podinfo"},
            })
        };
        json!({
            "topologySpreadConstraints": [{"labelSelector": selector(of)}, {"maxSkew": 1}],
            "affinity": {
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution":
                        [{"weight": 1, "podAffinityTerm": {"labelSelector": selector(of)}}],
                    "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector(of)}],
                },
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector("podinfo")}],
                },
            },
        })
    }

    #[test]
    fn terms_that_name_the_target_name_the_primary_in_its_copy() {
        check(everywhere("podinfo", "podinfo"), everywhere("podinfo-primary", "podinfo"));
    }

    #[test]
    fn terms_that_name_another_app_are_left_alone() {
        let other = |value: &str| json!({"topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": value}}}]});
        check(other("arbitrary-app"), other("arbitrary-app"));
        check(json!({}), json!({}));
        check(json!({"affinity": {"podAntiAffinity": {}}}), json!({"affinity": {"podAntiAffinity": {}}}));
    }
}
