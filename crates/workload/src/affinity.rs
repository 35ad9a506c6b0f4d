//! The primary keeps near to and away from its own pods, not the canary's.

use serde_json::{Value, json};

use crate::Selector;

/// Rewrites the selectors of affinity, anti-affinity and topology spread terms that mean the target's own pods: those
/// with the target's value of the label whose value the primary replaces. The target's name does not count: it is no
/// label.
///
/// Terms about being near are rewritten too. The target has no pods between rollouts, so that a primary that must be
/// near to them could not be scheduled at all.
pub(crate) fn rewrite(pod_spec: &mut Value, selector: &Selector, namespace: &str) {
    for term in terms(pod_spec) {
        let elsewhere = term.get("namespaces").and_then(Value::as_array).is_some_and(|listed| {
            !listed.is_empty() && !listed.iter().any(|name| name.as_str() == Some(namespace))
        });
        if let Some(own) = term.get_mut("labelSelector").filter(|_| !elsewhere) {
            match_expressions(own, selector);
            match_labels(own, selector);
        }
    }
}

/// Has every term name the target's pods where it names the primary's, so that copies whose terms were rewritten by
/// different rules compare equal.
pub(crate) fn neutralise(pod_spec: &mut Value) {
    let neutral = |value: &mut Value| {
        if let Some(own) = value.as_str().and_then(|text| text.strip_suffix("-primary")) {
            *value = own.into();
        }
    };
    for own in terms(pod_spec).into_iter().filter_map(|term| term.get_mut("labelSelector")) {
        if let Some(labels) = own.get_mut("matchLabels").and_then(Value::as_object_mut) {
            labels.iter_mut().for_each(|(_, value)| neutral(value));
        }
        for expression in own.get_mut("matchExpressions").into_iter().flat_map(items) {
            if let Some(values) = expression.get_mut("values").and_then(Value::as_array_mut) {
                values.iter_mut().for_each(neutral);
                values.dedup();
            }
        }
    }
}

/// Every term that has a label selector for pods.
fn terms(pod_spec: &mut Value) -> Vec<&mut Value> {
    let mut found = Vec::new();
    let Some(spec) = pod_spec.as_object_mut() else {
        return found;
    };
    for (field, value) in spec.iter_mut() {
        match field.as_str() {
            "topologySpreadConstraints" => found.extend(items(value)),
            "affinity" => {
                let kinds = value.as_object_mut().into_iter().flatten();
                let kinds =
                    kinds.filter(|(kind, _)| matches!(kind.as_str(), "podAffinity" | "podAntiAffinity"));
                for (strength, terms) in kinds.filter_map(|(_, terms)| terms.as_object_mut()).flatten() {
                    match strength.as_str() {
                        "preferredDuringSchedulingIgnoredDuringExecution" => {
                            found.extend(items(terms).filter_map(|term| term.get_mut("podAffinityTerm")));
                        }
                        "requiredDuringSchedulingIgnoredDuringExecution" => found.extend(items(terms)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// `In` means the primary's value in place of the target's; `NotIn` means neither of them.
fn match_expressions(own: &mut Value, selector: &Selector) {
    let Some(expressions) = own.get_mut("matchExpressions") else {
        return;
    };
    for expression in items(expressions) {
        let text = |field: &str| expression.get(field).and_then(Value::as_str);
        let replaces = match (text("key") == Some(&selector.key), text("operator")) {
            (true, Some("In")) => true,
            (true, Some("NotIn")) => false,
            _ => continue,
        };
        let Some(values) = expression.get_mut("values").and_then(Value::as_array_mut) else { continue };
        let primary = json!(selector.primary_value());
        let Some(at) = values.iter().position(|value| value.as_str() == Some(&selector.value)) else {
            continue;
        };
        if replaces && let Some(own) = values.get_mut(at) {
            *own = primary;
        } else if !values.contains(&primary) {
            values.push(primary);
        }
    }
}

fn match_labels(own: &mut Value, selector: &Selector) {
    if let Some(value) = own.get_mut("matchLabels").and_then(|labels| labels.get_mut(&selector.key))
        && value.as_str() == Some(&selector.value)
    {
        *value = selector.primary_value().into();
    }
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The target `shop-web` whose pods are distinguished from the primary's by `app: web`.
    fn check(mut spec: Value, expect: Value) {
        let selector = Selector { key: "app".to_owned(), value: "web".to_owned(), ..Selector::default() };
        rewrite(&mut spec, &selector, "test");
        assert_eq!(spec, expect);
    }

    fn everywhere(selector: &Value) -> Value {
        let terms = json!({
            "preferredDuringSchedulingIgnoredDuringExecution":
                [{"weight": 1, "podAffinityTerm": {"labelSelector": selector}}],
            "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector}],
        });
        json!({
            "topologySpreadConstraints": [
                {"labelSelector": selector, "matchLabelKeys": ["pod-template-hash", "app"]}, {"maxSkew": 1},
            ],
            "affinity": {"podAntiAffinity": terms, "podAffinity": terms, "nodeAffinity": {"x": "app"}},
        })
    }

    fn labels(of: Value, expect: Value) {
        check(everywhere(&json!({"matchLabels": of})), everywhere(&json!({"matchLabels": expect})));
    }

    fn expression(of: Value, expect: Value) {
        check(
            everywhere(&json!({"matchExpressions": [of]})),
            everywhere(&json!({"matchExpressions": [expect]})),
        );
    }

    #[test]
    fn terms_with_the_targets_label_value_name_the_primarys_in_its_copy() {
        labels(json!({"app": "web", "tier": "web"}), json!({"app": "web-primary", "tier": "web"}));
        let values =
            |operator: &str, values: Value| json!({"key": "app", "operator": operator, "values": values});
        expression(values("In", json!(["x", "web"])), values("In", json!(["x", "web-primary"])));
        expression(values("NotIn", json!(["web"])), values("NotIn", json!(["web", "web-primary"])));
    }

    #[test]
    fn terms_that_name_another_app_or_the_targets_name_are_left_alone() {
        for other in [json!({"app": "shop-web"}), json!({"name": "web"}), json!({"app": "web2"}), json!({})] {
            labels(other.clone(), other);
        }
        for other in [
            json!({"key": "name", "operator": "In", "values": ["web"]}),
            json!({"key": "app", "operator": "In", "values": ["x"]}),
            json!({"key": "app", "operator": "Exists"}),
        ] {
            expression(other.clone(), other);
        }
        for spec in [json!({}), json!({"affinity": {"podAntiAffinity": {}}}), json!({"affinity": null})] {
            check(spec.clone(), spec);
        }
    }

    #[test]
    fn terms_about_pods_of_another_namespace_are_left_alone() {
        let term = |namespace: &str, value: &str| {
            let term = json!({"namespaces": [namespace], "labelSelector": {"matchLabels": {"app": value}}});
            json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}})
        };
        check(term("other", "web"), term("other", "web"));
        check(term("test", "web"), term("test", "web-primary"));
    }
}
