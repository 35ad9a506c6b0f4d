//! The restricted pod security standard, held against every pod template.
//!
//! Source: Kubernetes documentation, "Pod Security Standards", profile Restricted (which includes Baseline).

use serde_json::Value;

/// Volume types that the standard allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// What is wrong with the pods of an object; empty for one that has none.
pub fn defects(object: &Value) -> Vec<String> {
    let Some(pod) = object.pointer("/spec/template/spec") else { return Vec::new() };
    let mut defects = Vec::new();
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod.get(field).is_some_and(|value| value != false) {
            defects.push(format!("{field} is set"));
        }
    }
    for volume in list(pod, "volumes") {
        let types = volume.as_object().into_iter().flat_map(|fields| fields.keys());
        defects.extend(
            types
                .filter(|key| *key != "name" && !VOLUMES.contains(&key.as_str()))
                .map(|key| format!("volume of {key}")),
        );
    }
    for container in list(pod, "initContainers").chain(list(pod, "containers")) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        defects
            .extend(container_defects(pod, container).into_iter().map(|defect| format!("{name}: {defect}")));
    }
    defects
}

fn container_defects(pod: &Value, container: &Value) -> Vec<String> {
    let own = |field: &str| container.pointer(&format!("/securityContext/{field}"));
    // What the container does not say, the pod says.
    let either = |field: &str| own(field).or_else(|| pod.pointer(&format!("/securityContext/{field}")));
    let drops = own("capabilities/drop").and_then(Value::as_array);
    let adds = own("capabilities/add").and_then(Value::as_array);
    let profile = either("seccompProfile/type").and_then(Value::as_str);
    let ports = list(container, "ports").any(|port| port.get("hostPort").is_some());
    [
        ("allowPrivilegeEscalation is not false", own("allowPrivilegeEscalation") != Some(&false.into())),
        ("privileged", own("privileged").is_some_and(|value| value != false)),
        ("capabilities are not dropped", !drops.is_some_and(|drop| drop.contains(&"ALL".into()))),
        ("capabilities are added", adds.is_some_and(|add| add.iter().any(|name| name != "NET_BIND_SERVICE"))),
        ("runAsNonRoot is not true", either("runAsNonRoot") != Some(&true.into())),
        ("runAsUser is 0", either("runAsUser") == Some(&0.into())),
        ("no seccompProfile", !matches!(profile, Some("RuntimeDefault" | "Localhost"))),
        ("a port of the host", ports),
    ]
    .into_iter()
    .filter(|(_, found)| *found)
    .map(|(defect, _)| defect.to_owned())
    .collect()
}

fn list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object.get(field).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(spec: Value, want: &[&str]) {
        assert_eq!(defects(&json!({"spec": {"template": {"spec": spec}}})), want);
    }

    fn good() -> Value {
        json!({
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
            "seccompProfile": {"type": "RuntimeDefault"},
        })
    }

    #[test]
    fn a_pod_that_may_more_than_the_standard_is_found() {
        check(json!({"containers": [{"name": "a", "securityContext": good()}]}), &[]);
        check(
            json!({"hostPID": true, "volumes": [{"name": "v", "hostPath": {}}], "containers": []}),
            &["hostPID is set", "volume of hostPath"],
        );
        check(
            json!({"containers": [{"name": "a", "ports": [{"hostPort": 80}]}]}),
            &[
                "a: allowPrivilegeEscalation is not false",
                "a: capabilities are not dropped",
                "a: runAsNonRoot is not true",
                "a: no seccompProfile",
                "a: a port of the host",
            ],
        );
    }

    #[test]
    fn what_the_container_does_not_say_the_pod_says() {
        let own = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        let pod = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        check(json!({"securityContext": pod, "containers": [{"name": "a", "securityContext": own}]}), &[]);
    }
}
