//! Fields of the smaller kinds that have few values, or cannot change once they are set.

use serde_json::{Value, json};

use super::{
    super::{
        errors::{Cause, Fault},
        json::{at, list, list_mut, name, take, text},
    },
    pod,
};

/// What is wrong with an EndpointSlice.
pub(super) fn check_slice(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let families = ["FQDN", "IPv4", "IPv6"];
    pod::one_of(object, &["addressType"], &families, "addressType", &mut causes);
    causes.extend(unchanged(object, old, &["addressType"], "addressType"));
    causes
}

/// What is wrong with a CustomResourceDefinition, of what people get wrong.
pub(super) fn check_definition(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let wanted =
        format!("{}.{}", text(object, &["spec", "names", "plural"]), text(object, &["spec", "group"]));
    if name(object) != wanted {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::new("metadata.name", Fault::Invalid(json!(name(object))), detail));
    }
    pod::one_of(object, &["spec", "scope"], &["Cluster", "Namespaced"], "spec.scope", &mut causes);
    for (index, version) in list(object, &["spec", "versions"]).iter().enumerate() {
        if at(version, &["schema", "openAPIV3Schema"]).is_none_or(Value::is_null) {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(Cause::new(field, Fault::Required, ""));
        }
    }
    causes.extend(unchanged(object, old, &["spec", "scope"], "spec.scope"));
    causes
}

/// What is wrong with the status of a Service.
pub(super) fn check_service_status(object: &Value) -> Vec<Cause> {
    let given = !list(object, &["status", "loadBalancer", "ingress"]).is_empty();
    let refused = given && text(object, &["spec", "type"]) != "LoadBalancer";
    let detail = "may only be used when `spec.type` is 'LoadBalancer'";
    let cause = Cause::new("status.loadBalancer.ingress", Fault::Forbidden, detail);
    refused.then_some(cause).into_iter().collect()
}

/// What is wrong with a change of a pod's specification: next to nothing of it can be changed.
pub(super) fn check_pod(object: &Value, old: &Value) -> Vec<Cause> {
    let rest = |pod: &Value| {
        let mut spec = at(pod, &["spec"]).cloned().unwrap_or_default();
        for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
            take(&mut spec, &[field]);
        }
        // A node takes an unscheduled pod by this write: there is no subresource `binding` here.
        if text(old, &["spec", "nodeName"]).is_empty() {
            take(&mut spec, &["nodeName"]);
        }
        for containers in ["initContainers", "containers"] {
            list_mut(&mut spec, &[containers]).iter_mut().for_each(|container| {
                take(container, &["image"]);
            });
        }
        spec
    };
    let detail = "pod updates may not change fields other than `spec.containers[*].image`,\
        `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
        existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
        previously negative)";
    match rest(object) == rest(old) {
        true => Vec::new(),
        false => vec![Cause::new("spec", Fault::Forbidden, detail)],
    }
}

fn unchanged(object: &Value, old: Option<&Value>, path: &[&str], field: &str) -> Option<Cause> {
    let before = old.map(|old| text(old, path))?;
    let now = text(object, path);
    (before != now).then(|| Cause::new(field, Fault::Invalid(json!(now)), "field is immutable"))
}
