//! The rows of built-in kinds.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::super::json::{at, list, name, number, text},
    age::since,
    column, network, pod, workload,
};

/// The columns of a kind; name and age where nothing else is known.
pub(super) fn columns(bucket: &str) -> Vec<Value> {
    let known = include_str!("columns.txt").lines().find_map(|line| {
        line.split_once(' ').filter(|(kind, _)| *kind == bucket).map(|(_, columns)| columns)
    });
    let columns = known.unwrap_or("Name|Age").split('|');
    columns
        .map(|word| {
            let (word, priority) = word.strip_prefix('+').map_or((word, 0), |word| (word, 1));
            let (name, kind) = word.split_once(':').unwrap_or((word, "string"));
            column(name, kind, if name == "Name" { "name" } else { "" }, priority, "")
        })
        .collect()
}

/// The cells of one object.
pub(super) fn cells(bucket: &str, object: &Value, now: Timestamp) -> Vec<Value> {
    let age = since(text(object, &["metadata", "creationTimestamp"]), now);
    let own = name(object);
    match bucket {
        "pods" => pod::cells(object, now, &age),
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" | "statefulsets.apps" => {
            workload::cells(bucket, object, &age)
        }
        "horizontalpodautoscalers.autoscaling" => workload::scaler(object, &age),
        "services" | "endpoints" | "endpointslices.discovery.k8s.io" | "ingresses.networking.k8s.io" => {
            network::cells(bucket, object, &age)
        }
        "namespaces" => vec![json!(own), json!(text(object, &["status", "phase"])), json!(age)],
        "nodes" => node(object, &age),
        "configmaps" => {
            vec![json!(own), json!(count(object, "data") + count(object, "binaryData")), json!(age)]
        }
        "secrets" => {
            vec![json!(own), json!(text(object, &["type"])), json!(count(object, "data")), json!(age)]
        }
        "events" => event(object, now),
        "leases.coordination.k8s.io" => {
            vec![json!(own), json!(text(object, &["spec", "holderIdentity"])), json!(age)]
        }
        "poddisruptionbudgets.policy" => budget(object, &age),
        "controllerrevisions.apps" => {
            let owner = list(object, &["metadata", "ownerReferences"]).first();
            let owner =
                owner.map(|o| format!("{}/{}", text(o, &["kind"]).to_lowercase(), text(o, &["name"])));
            let owner = owner.unwrap_or_else(|| "<none>".to_owned());
            vec![json!(own), json!(owner), json!(number(object, &["revision"])), json!(age)]
        }
        "clusterrolebindings.rbac.authorization.k8s.io" | "rolebindings.rbac.authorization.k8s.io" => {
            let (kind, role) = (text(object, &["roleRef", "kind"]), text(object, &["roleRef", "name"]));
            vec![json!(own), json!(format!("{kind}/{role}")), json!(age)]
        }
        bucket if bucket.contains("roles.rbac") || bucket.starts_with("customresourcedefinitions") => {
            vec![json!(own), json!(text(object, &["metadata", "creationTimestamp"]))]
        }
        _ => vec![json!(own), json!(age)],
    }
}

fn budget(object: &Value, age: &str) -> Vec<Value> {
    let or_none = |field: &str| match at(object, &["spec", field]) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "N/A".to_owned(),
    };
    let allowed = number(object, &["status", "disruptionsAllowed"]);
    let (least, most) = (or_none("minAvailable"), or_none("maxUnavailable"));
    vec![json!(name(object)), json!(least), json!(most), json!(allowed), json!(age)]
}

fn count(object: &Value, field: &str) -> usize {
    at(object, &[field]).and_then(Value::as_object).map(serde_json::Map::len).unwrap_or_default()
}

fn node(object: &Value, age: &str) -> Vec<Value> {
    let ready = list(object, &["status", "conditions"]).iter().find(|c| text(c, &["type"]) == "Ready");
    let status = match ready.map(|ready| text(ready, &["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let address = |kind: &str| {
        let found = list(object, &["status", "addresses"]).iter().find(|a| text(a, &["type"]) == kind);
        found.map_or("<none>", |found| text(found, &["address"])).to_owned()
    };
    let info = |field: &str| match text(object, &["status", "nodeInfo", field]) {
        "" => "<unknown>".to_owned(),
        known => known.to_owned(),
    };
    let version = text(object, &["status", "nodeInfo", "kubeletVersion"]);
    let first = [name(object), status, "<none>", age, version].map(|cell| json!(cell));
    let wide = [
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ];
    first.into_iter().chain(wide.map(|cell| json!(cell))).collect()
}

fn event(object: &Value, now: Timestamp) -> Vec<Value> {
    let stamp =
        |paths: &[&[&str]]| paths.iter().map(|path| text(object, path)).find(|stamp| !stamp.is_empty());
    let first = stamp(&[&["firstTimestamp"], &["eventTime"]]).unwrap_or_default();
    let last = stamp(&[&["series", "lastObservedTime"], &["lastTimestamp"]]).unwrap_or(first);
    let times = [number(object, &["series", "count"]), number(object, &["count"]), 1];
    let times = times.into_iter().find(|count| *count > 0).unwrap_or(1);
    let kind = text(object, &["involvedObject", "kind"]).to_lowercase();
    let about = match text(object, &["involvedObject", "name"]) {
        "" => kind,
        about => format!("{kind}/{about}"),
    };
    let source = [text(object, &["source", "component"]), text(object, &["source", "host"])];
    let reporter = [text(object, &["reportingComponent"]), text(object, &["reportingInstance"])];
    let source = if source.iter().all(|part| part.is_empty()) { reporter } else { source };
    let source: Vec<&str> = source.into_iter().filter(|part| !part.is_empty()).collect();
    vec![
        json!(since(last, now)),
        json!(text(object, &["type"])),
        json!(text(object, &["reason"])),
        json!(about),
        json!(text(object, &["involvedObject", "fieldPath"])),
        json!(source.join(", ")),
        json!(text(object, &["message"]).trim()),
        json!(since(first, now)),
        json!(times),
        json!(name(object)),
    ]
}
