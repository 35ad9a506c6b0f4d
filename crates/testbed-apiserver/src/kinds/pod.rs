//! Pods and pod templates: defaults and checks.

use serde_json::{Value, json};

use super::{
    super::{
        errors::{Cause, Fault},
        json::{at, list, list_mut, put, put_default, text},
        schema::quantity,
    },
    names,
};

/// Defaults of a pod's specification, wherever it is.
pub(super) fn default_spec(spec: &mut Value) {
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
    ] {
        put_default(spec, &[field], value);
    }
    let account = text(spec, &["serviceAccountName"]).to_owned();
    if !account.is_empty() {
        put(spec, &["serviceAccount"], json!(account));
    }
    for field in ["initContainers", "containers"] {
        list_mut(spec, &[field]).iter_mut().for_each(default_container);
    }
    list_mut(spec, &["volumes"]).iter_mut().for_each(default_volume);
}

/// Defaults that only real pods get, not templates.
pub(super) fn default_pod(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec") else { return };
    put_default(spec, &["enableServiceLinks"], json!(true));
    for field in ["initContainers", "containers"] {
        for container in list_mut(spec, &[field]) {
            let limits = at(container, &["resources", "limits"]).and_then(Value::as_object).cloned();
            for (name, amount) in limits.into_iter().flatten() {
                put_default(container, &["resources", "requests", &name], amount);
            }
        }
    }
}

/// What admission adds to a new pod, and the status that it begins with.
pub(super) fn begin(pod: &mut Value) {
    let class = quality(pod);
    if let Some(spec) = pod.get_mut("spec") {
        put_default(spec, &["priority"], json!(0));
        put_default(spec, &["preemptionPolicy"], json!("PreemptLowerPriority"));
        put_default(spec, &["serviceAccountName"], json!(""));
        let mut tolerations = list(spec, &["tolerations"]).to_vec();
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            if !tolerations.iter().any(|have| text(have, &["key"]) == key) {
                tolerations.push(json!({
                    "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
                }));
            }
        }
        put(spec, &["tolerations"], json!(tolerations));
    }
    put(pod, &["status"], json!({"phase": "Pending", "qosClass": class}));
}

fn quality(pod: &Value) -> &'static str {
    let containers = list(pod, &["spec", "containers"]);
    let amount = |container: &Value, kind: &str, name: &str| {
        quantity::value(text(container, &["resources", kind, name]))
    };
    let asks = |container: &Value| {
        ["requests", "limits"].iter().any(|kind| {
            at(container, &["resources", kind]).and_then(Value::as_object).is_some_and(|all| !all.is_empty())
        })
    };
    let firm = |container: &Value| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = amount(container, "limits", name);
            limit.is_some() && amount(container, "requests", name) == limit
        })
    };
    match (containers.iter().any(asks), containers.iter().all(firm)) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn default_container(container: &mut Value) {
    let image = text(container, &["image"]).to_owned();
    let tag = image.rsplit('/').next().unwrap_or_default().split_once(':').map(|(_, tag)| tag);
    let pull =
        if image.contains('@') || tag.is_some_and(|tag| tag != "latest") { "IfNotPresent" } else { "Always" };
    put_default(container, &["terminationMessagePath"], json!("/dev/termination-log"));
    put_default(container, &["terminationMessagePolicy"], json!("File"));
    put_default(container, &["imagePullPolicy"], json!(pull));
    for port in list_mut(container, &["ports"]) {
        put_default(port, &["protocol"], json!("TCP"));
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) {
            default_probe(probe);
        }
    }
    for hook in ["postStart", "preStop"] {
        let found = container.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(hook));
        if let Some(get) = found.and_then(|hook| hook.get_mut("httpGet")).filter(|get| get.is_object()) {
            default_get(get);
        }
    }
    for variable in list_mut(container, &["env"]) {
        if at(variable, &["valueFrom", "fieldRef"]).is_some() {
            put_default(variable, &["valueFrom", "fieldRef", "apiVersion"], json!("v1"));
        }
    }
}

fn default_probe(probe: &mut Value) {
    for (field, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        put_default(probe, &[field], json!(value));
    }
    if let Some(get) = probe.get_mut("httpGet").filter(|get| get.is_object()) {
        default_get(get);
    }
    if at(probe, &["grpc"]).is_some() {
        put_default(probe, &["grpc", "service"], json!(""));
    }
}

fn default_get(get: &mut Value) {
    put_default(get, &["path"], json!("/"));
    put_default(get, &["scheme"], json!("HTTP"));
}

fn default_volume(volume: &mut Value) {
    for kind in ["configMap", "secret", "projected", "downwardAPI"] {
        if volume.get(kind).is_some_and(Value::is_object) {
            put_default(volume, &[kind, "defaultMode"], json!(420));
        }
    }
    if volume.get("hostPath").is_some_and(Value::is_object) {
        put_default(volume, &["hostPath", "type"], json!(""));
    }
    if volume.as_object().is_some_and(|members| members.len() <= 1) {
        put(volume, &["emptyDir"], json!({}));
    }
}

/// What is wrong with a pod's specification at `path`.
pub(super) fn check_spec(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let volumes: Vec<&str> = list(spec, &["volumes"]).iter().map(|volume| text(volume, &["name"])).collect();
    let mut seen: Vec<&str> = Vec::new();
    if list(spec, &["containers"]).is_empty() {
        causes.push(Cause::new(format!("{path}.containers"), Fault::Required, ""));
    }
    for field in ["containers", "initContainers"] {
        for (index, container) in list(spec, &[field]).iter().enumerate() {
            let path = format!("{path}.{field}[{index}]");
            let name = text(container, &["name"]);
            if name.is_empty() {
                causes.push(Cause::new(format!("{path}.name"), Fault::Required, ""));
            } else if seen.contains(&name) {
                causes.push(Cause::new(format!("{path}.name"), Fault::Duplicate(json!(name)), ""));
            } else {
                causes.extend(names::label_1123(name, &format!("{path}.name")));
            }
            seen.push(name);
            check_container(container, &path, &volumes, &mut causes);
        }
    }
    one_of(
        spec,
        &["restartPolicy"],
        &["Always", "Never", "OnFailure"],
        &format!("{path}.restartPolicy"),
        &mut causes,
    );
    causes
}

fn check_container(container: &Value, path: &str, volumes: &[&str], causes: &mut Vec<Cause>) {
    if text(container, &["image"]).is_empty() {
        causes.push(Cause::new(format!("{path}.image"), Fault::Required, ""));
    }
    for (index, port) in list(container, &["ports"]).iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        let name = text(port, &["name"]);
        if name.len() > 15 {
            let detail = "must be no more than 15 characters";
            causes.push(Cause::new(format!("{path}.name"), Fault::Invalid(json!(name)), detail));
        }
        match port.get("containerPort").and_then(Value::as_i64).unwrap_or_default() {
            0 => causes.push(Cause::new(format!("{path}.containerPort"), Fault::Required, "")),
            number => causes.extend(names::port(number, &format!("{path}.containerPort"))),
        }
    }
    for (index, variable) in list(container, &["env"]).iter().enumerate() {
        if text(variable, &["name"]).is_empty() {
            causes.push(Cause::new(format!("{path}.env[{index}].name"), Fault::Required, ""));
        }
    }
    for (index, mount) in list(container, &["volumeMounts"]).iter().enumerate() {
        let name = text(mount, &["name"]);
        if !volumes.contains(&name) {
            let path = format!("{path}.volumeMounts[{index}].name");
            causes.push(Cause::new(path, Fault::NotFound(json!(name)), ""));
        }
    }
    let requests = at(container, &["resources", "requests"]).and_then(Value::as_object);
    for (name, asked) in requests.into_iter().flatten() {
        let limit = text(container, &["resources", "limits", name]);
        let (have, most) = (asked.as_str().and_then(quantity::value), quantity::value(limit));
        if most.is_some() && have > most {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            let path = format!("{path}.resources.requests");
            causes.push(Cause::new(path, Fault::Invalid(asked.clone()), detail));
        }
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    one_of(container, &["imagePullPolicy"], &policies, &format!("{path}.imagePullPolicy"), causes);
}

/// Refuses a text that is not one of those allowed.
pub(super) fn one_of(object: &Value, at: &[&str], allowed: &[&str], path: &str, causes: &mut Vec<Cause>) {
    let have = text(object, at);
    if !allowed.contains(&have) {
        let allowed: Vec<String> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
        let detail = format!("supported values: {}", allowed.join(", "));
        causes.push(Cause::new(path, Fault::NotSupported(json!(have)), detail));
    }
}
