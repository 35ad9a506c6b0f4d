//! The rows of workloads and of what scales them.

use crate::scale::selector_text;
use serde_json::{Value, json};

use crate::json::{at, list, name, number, text};

/// The cells of a workload.
pub(super) fn cells(bucket: &str, object: &Value, age: &str) -> Vec<Value> {
    let status = |field: &str| number(object, &["status", field]);
    let wanted = number(object, &["spec", "replicas"]);
    let containers = list(object, &["spec", "template", "spec", "containers"]);
    let joined = |field: &str| {
        let all: Vec<&str> = containers.iter().map(|container| text(container, &[field])).collect();
        json!(all.join(","))
    };
    let (names, images) = (joined("name"), joined("image"));
    let selector = json!(selector_text(object.pointer("/spec/selector").unwrap_or(&Value::Null)));
    let own = json!(name(object));
    let ready = json!(format!("{}/{wanted}", status("readyReplicas")));
    match bucket {
        "deployments.apps" => {
            let (updated, available) = (status("updatedReplicas"), status("availableReplicas"));
            vec![own, ready, json!(updated), json!(available), json!(age), names, images, selector]
        }
        "replicasets.apps" => {
            let (current, ready) = (status("replicas"), status("readyReplicas"));
            vec![own, json!(wanted), json!(current), json!(ready), json!(age), names, images, selector]
        }
        "statefulsets.apps" => vec![own, ready, json!(age), names, images],
        _ => {
            let counts = [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ];
            let nodes = at(object, &["spec", "template", "spec", "nodeSelector"]).unwrap_or(&Value::Null);
            let mut cells = vec![own];
            cells.extend(counts.map(|field| json!(status(field))));
            cells.extend([json!(labels(nodes)), json!(age), names, images, selector]);
            cells
        }
    }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn labels(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// The cells of a HorizontalPodAutoscaler.
pub(super) fn scaler(object: &Value, age: &str) -> Vec<Value> {
    let target = at(object, &["spec", "scaleTargetRef"]).unwrap_or(&Value::Null);
    let reference = format!("{}/{}", text(target, &["kind"]), text(target, &["name"]));
    let metrics = list(object, &["spec", "metrics"]);
    let current = list(object, &["status", "currentMetrics"]);
    let mut shown: Vec<String> = Vec::new();
    for (index, metric) in metrics.iter().enumerate().take(2) {
        shown.push(metric_cell(metric, current.get(index)));
    }
    let mut targets = shown.join(", ");
    if metrics.len() > 2 {
        targets.push_str(&format!(" + {} more...", metrics.len() - 2));
    }
    if metrics.is_empty() {
        "<none>".clone_into(&mut targets);
    }
    let least = number(object, &["spec", "minReplicas"]).to_string();
    let most = number(object, &["spec", "maxReplicas"]);
    let now = number(object, &["status", "currentReplicas"]);
    vec![
        json!(name(object)),
        json!(reference),
        json!(targets),
        json!(least),
        json!(most),
        json!(now),
        json!(age),
    ]
}

fn metric_cell(metric: &Value, current: Option<&Value>) -> String {
    let kind = text(metric, &["type"]);
    let block = format!(
        "{}{}",
        kind.chars().take(1).flat_map(char::to_lowercase).collect::<String>(),
        kind.get(1..).unwrap_or_default()
    );
    let current = current.and_then(|current| at(current, &[&block, "current"]));
    let known = |field: &str| current.and_then(|current| current.get(field));
    let average = text(metric, &[&block, "target", "averageValue"]);
    let label = match text(metric, &[&block, "name"]) {
        "" => String::new(),
        label => format!("{label}: "),
    };
    let unknown = || "<unknown>".to_owned();
    if !average.is_empty() {
        let now = known("averageValue").and_then(Value::as_str).map_or_else(unknown, str::to_owned);
        return format!("{label}{now}/{average}");
    }
    if let Some(wanted) = at(metric, &[&block, "target", "averageUtilization"]) {
        let now = known("averageUtilization").map_or_else(unknown, |now| format!("{now}%"));
        return format!("{label}{now}/{wanted}%");
    }
    let now = known("value").and_then(Value::as_str).map_or_else(unknown, str::to_owned);
    format!("{label}{now}/{}", text(metric, &[&block, "target", "value"]))
}
