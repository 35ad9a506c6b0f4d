//! The kinds that need little: a default or a check each.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::super::{
    errors::{Cause, Fault},
    json::{at, list, list_mut, number, put, put_default, take, text},
};

/// Fills in the defaults of the kinds that have only few.
pub(super) fn default(group: &str, kind: &str, object: &mut Value) {
    match (group, kind) {
        ("", "Namespace") => {
            let name = super::super::json::name(object).to_owned();
            if !name.is_empty() {
                put(object, &["metadata", "labels", "kubernetes.io/metadata.name"], json!(name));
            }
            put_default(object, &["status", "phase"], json!("Active"));
        }
        ("", "Secret") => secret(object),
        ("", "Endpoints") => {
            for subset in list_mut(object, &["subsets"]) {
                for port in list_mut(subset, &["ports"]) {
                    put_default(port, &["protocol"], json!("TCP"));
                }
            }
        }
        ("discovery.k8s.io", _) => {
            for port in list_mut(object, &["ports"]) {
                put_default(port, &["name"], json!(""));
                put_default(port, &["protocol"], json!("TCP"));
            }
        }
        ("autoscaling", _) => scaler(object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            let group = "rbac.authorization.k8s.io";
            if text(object, &["roleRef", "apiGroup"]).is_empty() {
                put(object, &["roleRef", "apiGroup"], json!(group));
            }
            for subject in list_mut(object, &["subjects"]) {
                if text(subject, &["kind"]) != "ServiceAccount" {
                    put_default(subject, &["apiGroup"], json!(group));
                }
            }
        }
        ("networking.k8s.io", "NetworkPolicy") => {
            let egress = at(object, &["spec", "egress"]).is_some();
            let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
            put_default(object, &["spec", "policyTypes"], types);
        }
        ("apiextensions.k8s.io", _) => definition(object),
        _ => {}
    }
}

fn secret(object: &mut Value) {
    put_default(object, &["type"], json!("Opaque"));
    let plain = take(object, &["stringData"]);
    for (key, value) in plain.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
        put(object, &["data", key], json!(encoded));
    }
}

fn scaler(object: &mut Value) {
    put_default(object, &["spec", "minReplicas"], json!(1));
    if list(object, &["spec", "metrics"]).is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        put(object, &["spec", "metrics"], json!([metric]));
    }
    if at(object, &["spec", "behavior"]).is_none_or(Value::is_null) {
        return;
    }
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let up = json!([pods, percent]);
    for (way, policies, window) in [("scaleUp", up, Some(0)), ("scaleDown", json!([percent]), None)] {
        put_default(object, &["spec", "behavior", way, "selectPolicy"], json!("Max"));
        put_default(object, &["spec", "behavior", way, "policies"], policies);
        if let Some(window) = window {
            put_default(object, &["spec", "behavior", way, "stabilizationWindowSeconds"], json!(window));
        }
    }
}

fn definition(object: &mut Value) {
    let kind = text(object, &["spec", "names", "kind"]).to_owned();
    put_default(object, &["spec", "names", "singular"], json!(kind.to_lowercase()));
    put_default(object, &["spec", "names", "listKind"], json!(format!("{kind}List")));
    put_default(object, &["spec", "conversion", "strategy"], json!("None"));
}

/// What is wrong with an object of a kind that has only few rules.
pub(super) fn check(group: &str, kind: &str, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    match (group, kind) {
        ("", "ConfigMap" | "Secret") => {
            let keys = at(object, &["data"]).and_then(Value::as_object).into_iter().flatten();
            for (key, _) in keys.filter(|(key, _)| !is_key(key)) {
                let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
                    (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
                    '[-._a-zA-Z0-9]+')";
                causes.push(Cause::new(format!("data[{key}]"), Fault::Invalid(json!(key)), detail));
            }
        }
        ("", "Event") => {
            let about = text(object, &["involvedObject", "namespace"]);
            let own = super::super::json::namespace(object);
            if !about.is_empty() && about != own || about.is_empty() && own != "default" {
                let detail = "does not match event.namespace";
                causes.push(Cause::new("involvedObject.namespace", Fault::Invalid(json!(about)), detail));
            }
        }
        ("coordination.k8s.io", _) => {
            for field in ["leaseDurationSeconds", "leaseTransitions"] {
                let least = i64::from(field == "leaseDurationSeconds");
                let value = at(object, &["spec", field]).and_then(Value::as_i64);
                if let Some(value) = value.filter(|value| *value < least) {
                    let words = if least == 1 {
                        "must be greater than 0"
                    } else {
                        "must be greater than or equal to 0"
                    };
                    causes.push(Cause::new(format!("spec.{field}"), Fault::Invalid(json!(value)), words));
                }
            }
        }
        ("autoscaling", _) => check_scaler(object, &mut causes),
        _ => {}
    }
    causes
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn check_scaler(object: &Value, causes: &mut Vec<Cause>) {
    let (least, most) = (number(object, &["spec", "minReplicas"]), number(object, &["spec", "maxReplicas"]));
    if least < 1 {
        let detail = "must be greater than or equal to 1";
        causes.push(Cause::new("spec.minReplicas", Fault::Invalid(json!(least)), detail));
    }
    if most < 1 {
        causes.push(Cause::new("spec.maxReplicas", Fault::Invalid(json!(most)), "must be greater than 0"));
    }
    if most < least {
        let detail = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::new("spec.maxReplicas", Fault::Invalid(json!(most)), detail));
    }
    for field in ["kind", "name"] {
        if text(object, &["spec", "scaleTargetRef", field]).is_empty() {
            causes.push(Cause::new(format!("spec.scaleTargetRef.{field}"), Fault::Required, ""));
        }
    }
    if text(object, &["spec", "scaleTargetRef", "apiVersion"]).is_empty() {
        let detail = "apiVersion must specify API group";
        causes.push(Cause::new("spec.scaleTargetRef.apiVersion", Fault::Invalid(json!("")), detail));
    }
}
