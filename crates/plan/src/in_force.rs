//! What of a Canary stays in force while its spec is invalid: the binding and the limits that its status records.

use serde_json::Value;
use vexil_analysis::Plan;
use vexil_api::{CanaryStatus, Defect, ObjectReference};

/// The fields of `spec.service` that the Services are made from, which are created again if they are deleted.
const OF_SERVICES: [&str; 7] = ["port", "portName", "targetPort", "appProtocol", "apex", "primary", "canary"];

/// The fields of them that `status.binding.servicePort` records.
const OF_PORT: [&str; 4] = ["port", "portName", "targetPort", "appProtocol"];

/// The Canary without what may be wrong with it: without the analysis, without what has `defects` of what the Services
/// are made from and, unless `with_service`, without the service. The port of the Services is that of the binding: pods
/// may not listen on another one yet, whether it is valid or not.
pub(crate) fn reduced(live: &Value, defects: &[Defect], with_service: bool) -> Value {
    let mut canary = live.clone();
    let bound = |path: &str| live.pointer(path).cloned();
    let mut spec = serde_json::json!({
        "targetRef": { "kind": bound("/status/binding/kind"), "name": bound("/status/binding/target") },
        "service": {},
        "suspend": bound("/spec/suspend").filter(Value::is_boolean),
    });
    let more: &[&str] = if with_service { &["service", "autoscalerRef"] } else { &[] };
    let fields = more.iter().copied().chain(ObjectReference::ALL.map(ObjectReference::field));
    for field in fields {
        if let (Some(kept), Some(value)) = (spec.as_object_mut(), live.pointer(&format!("/spec/{field}"))) {
            kept.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(service) = spec.pointer_mut("/service").and_then(Value::as_object_mut) {
        let wrong = defects.iter().filter_map(|defect| field_of_service(&defect.path));
        wrong.filter(|field| OF_SERVICES.contains(field)).for_each(|field| drop(service.remove(field)));
        if let Some(Value::Object(port)) = bound("/status/binding/servicePort") {
            service.retain(|field, _| !OF_PORT.contains(&field.as_str()));
            service.extend(port.into_iter().filter(|(_, value)| !value.is_null()));
        }
        service.entry("port").or_insert_with(|| 80.into());
    }
    if let Some(object) = canary.as_object_mut() {
        object.insert("spec".to_owned(), spec);
    }
    canary
}

/// The field of `spec.service` that a path is in.
fn field_of_service(path: &str) -> Option<&str> {
    path.strip_prefix("spec.service.")?.split(['.', '[']).next()
}

/// The plan with the limits of the last valid spec.
pub(crate) fn within_limits(plan: Plan, status: &CanaryStatus) -> Plan {
    match &status.limits {
        Some(limits) => Plan {
            interval_ms: limits.interval_ms,
            deadline_ms: limits.deadline_ms,
            threshold: limits.threshold,
            ..plan
        },
        None => plan,
    }
}
