//! Deployments, ReplicaSets, DaemonSets and StatefulSets: defaults and checks.

use serde_json::{Value, json};

use super::{
    super::{
        errors::{Cause, Fault},
        json::{at, put, put_default, text},
        state::Call,
    },
    pod,
};

/// Fills in the defaults of a workload.
pub(super) fn default(kind: &str, object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else { return };
    if let Some(template) = at(spec, &["template", "spec"]).cloned() {
        let mut template = template;
        pod::default_spec(&mut template);
        put(spec, &["template", "spec"], template);
    }
    match kind {
        "Deployment" => {
            put_default(spec, &["replicas"], json!(1));
            put_default(spec, &["revisionHistoryLimit"], json!(10));
            put_default(spec, &["progressDeadlineSeconds"], json!(600));
            default_type(spec, "strategy", "RollingUpdate");
            if text(spec, &["strategy", "type"]) == "RollingUpdate" {
                put_default(spec, &["strategy", "rollingUpdate", "maxUnavailable"], json!("25%"));
                put_default(spec, &["strategy", "rollingUpdate", "maxSurge"], json!("25%"));
            }
        }
        "DaemonSet" => {
            put_default(spec, &["revisionHistoryLimit"], json!(10));
            default_type(spec, "updateStrategy", "RollingUpdate");
            if text(spec, &["updateStrategy", "type"]) == "RollingUpdate" {
                put_default(spec, &["updateStrategy", "rollingUpdate", "maxUnavailable"], json!(1));
                put_default(spec, &["updateStrategy", "rollingUpdate", "maxSurge"], json!(0));
            }
            put_default(
                object,
                &["metadata", "annotations", "deprecated.daemonset.template.generation"],
                json!("1"),
            );
        }
        "StatefulSet" => {
            put_default(spec, &["replicas"], json!(1));
            put_default(spec, &["revisionHistoryLimit"], json!(10));
            put_default(spec, &["podManagementPolicy"], json!("OrderedReady"));
            default_type(spec, "updateStrategy", "RollingUpdate");
            if text(spec, &["updateStrategy", "type"]) == "RollingUpdate" {
                put_default(spec, &["updateStrategy", "rollingUpdate", "partition"], json!(0));
            }
            let keep = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
            put_default(spec, &["persistentVolumeClaimRetentionPolicy"], keep);
        }
        _ => put_default(spec, &["replicas"], json!(1)),
    }
}

/// A type that is empty counts as not given.
fn default_type(spec: &mut Value, block: &str, kind: &str) {
    if text(spec, &[block, "type"]).is_empty() {
        put(spec, &[block, "type"], json!(kind));
    }
}

/// What is wrong with a workload.
pub(super) fn check(call: &Call, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let kind = call.resource.kind.as_str();
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        if let Some(number) =
            at(object, &["spec", field]).and_then(Value::as_i64).filter(|number| *number < 0)
        {
            let detail = "must be greater than or equal to 0";
            causes.push(Cause::new(format!("spec.{field}"), Fault::Invalid(json!(number)), detail));
        }
    }
    check_selector(kind, object, &mut causes);
    causes.extend(pod::check_spec(
        at(object, &["spec", "template", "spec"]).unwrap_or(&Value::Null),
        "spec.template.spec",
    ));
    let template = at(object, &["spec", "template", "metadata"]).cloned().unwrap_or_default();
    let template = json!({ "metadata": template });
    for cause in super::names::check_labels(&template) {
        causes.push(Cause { field: format!("spec.template.{}", cause.field), ..cause });
    }
    pod_policy(object, &mut causes);
    if kind == "Deployment" {
        check_strategy(object, &mut causes);
    }
    let before = old.and_then(|old| at(old, &["spec", "selector"]));
    if let Some(selector) =
        at(object, &["spec", "selector"]).filter(|now| before.is_some_and(|was| was != *now))
    {
        causes.push(Cause::new("spec.selector", Fault::Invalid(selector.clone()), "field is immutable"));
    }
    causes
}

fn check_selector(kind: &str, object: &Value, causes: &mut Vec<Cause>) {
    let selector = at(object, &["spec", "selector"]).unwrap_or(&Value::Null);
    let labels = at(object, &["spec", "template", "metadata", "labels"]).unwrap_or(&Value::Null);
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    let asked = wanted.is_some_and(|wanted| !wanted.is_empty()) || selector.get("matchExpressions").is_some();
    if selector.is_null() {
        causes.push(Cause::new("spec.selector", Fault::Required, ""));
    } else if !asked {
        let detail = format!("empty selector is invalid for {}", kind.to_lowercase());
        causes.push(Cause::new("spec.selector", Fault::Invalid(json!({})), detail));
        return;
    }
    let fits = asked && wanted.into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    if !fits {
        let detail = "`selector` does not match template `labels`";
        causes.push(Cause::new("spec.template.metadata.labels", Fault::Invalid(labels.clone()), detail));
    }
}

fn pod_policy(object: &Value, causes: &mut Vec<Cause>) {
    let policy = text(object, &["spec", "template", "spec", "restartPolicy"]);
    if policy != "Always" && matches!(policy, "Never" | "OnFailure") {
        let field = "spec.template.spec.restartPolicy";
        causes.push(Cause::new(field, Fault::NotSupported(json!(policy)), "supported values: \"Always\""));
    }
}

fn check_strategy(object: &Value, causes: &mut Vec<Cause>) {
    let strategy = at(object, &["spec", "strategy"]).unwrap_or(&Value::Null);
    let rolling = strategy.get("rollingUpdate");
    match text(strategy, &["type"]) {
        "Recreate" if rolling.is_some() => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            causes.push(Cause::new("spec.strategy.rollingUpdate", Fault::Forbidden, detail));
        }
        "Recreate" => {}
        "RollingUpdate" => {
            let none = |field: &str| {
                let value = rolling.and_then(|rolling| rolling.get(field));
                value.is_some_and(|value| *value == json!(0) || *value == json!("0%"))
            };
            if none("maxSurge") && none("maxUnavailable") {
                let field = "spec.strategy.rollingUpdate.maxUnavailable";
                let value = rolling.and_then(|rolling| rolling.get("maxUnavailable")).cloned();
                let detail = "may not be 0 when `maxSurge` is 0";
                causes.push(Cause::new(field, Fault::Invalid(value.unwrap_or_default()), detail));
            }
        }
        other => {
            let value = json!({"Type": other, "RollingUpdate": rolling});
            let detail = "supported values: \"Recreate\", \"RollingUpdate\"";
            causes.push(Cause::new("spec.strategy", Fault::NotSupported(value), detail));
        }
    }
}
