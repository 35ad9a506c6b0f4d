//! What is special about single kinds: their shape, defaults, checks, and what the server fills in.

mod config;
pub(crate) mod events;
mod fixed;
pub(crate) mod names;
mod pod;
mod service;
mod small;
mod workload;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    errors::{Cause, Reply, Status},
    json::{at, list, put_default, text},
    managed::Root,
    registry::Resource,
    schema::{
        custom,
        decode::{self, Findings},
        node::Node,
        types::Shape,
        validate,
    },
    state::{Call, Part, State, Unknown},
};

/// The shape of every object's metadata.
pub(crate) static METADATA: std::sync::LazyLock<Shape> =
    std::sync::LazyLock::new(|| Shape::Type("ObjectMeta".to_owned()));

/// Reads an object into the shape of its kind. Fields that the kind does not have fall away, with a warning or a
/// refusal as the client wished.
///
/// # Errors
/// 400 for values of a wrong type, and for unknown fields when the client is strict.
pub(crate) fn read(call: &mut Call, object: &Value) -> Reply<Value> {
    let resource = call.resource.clone();
    let mut findings = Findings::default();
    let read = match &resource.custom {
        Some(served) => custom::read(&served.schema, served.preserve, object, &mut findings),
        None => decode::read(resource.wire_name(), object, &mut findings),
    };
    let refuse = |why: &str| {
        let (kind, version) = (&resource.kind, &resource.version);
        match call.is_patch && resource.custom.is_none() {
            true => Status::invalid_patch(&object.to_string(), why),
            false => Status::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"
            )),
        }
    };
    let mut read = read.map_err(|why| refuse(&why))?;
    if resource.is("events.k8s.io", "Event") {
        read = tidy(&resource, &events::to_core(&read));
    }
    findings.unknown.sort();
    let unknown: Vec<String> =
        findings.unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    match call.unknown {
        Unknown::Ignore => {}
        Unknown::Warn => call.warnings.extend(unknown),
        Unknown::Strict if unknown.is_empty() => {}
        Unknown::Strict => {
            let why = format!("strict decoding error: {}", unknown.join(", "));
            return Err(match call.is_patch {
                true => Status::invalid_patch(&object.to_string(), &why),
                false => refuse(&why),
            });
        }
    }
    Ok(read)
}

/// Reads what is not a client's, such as a patched object of which the client has heard all there is to say.
pub(crate) fn tidy(resource: &Resource, object: &Value) -> Value {
    let mut findings = Findings::default();
    let read = match &resource.custom {
        Some(served) => custom::read(&served.schema, served.preserve, object, &mut findings),
        None => decode::read(resource.type_name(), object, &mut findings),
    };
    read.unwrap_or_else(|_| object.clone())
}

/// Fills in the defaults of the kind.
pub(crate) fn default(resource: &Resource, object: &mut Value) {
    let (group, kind) = (resource.group.as_str(), resource.kind.as_str());
    match &resource.custom {
        Some(served) => {
            custom::default(&served.schema, object);
            return;
        }
        None if group == "apps" => workload::default(kind, object),
        None if resource.is("", "Service") => service::default(object),
        None if resource.is("", "Pod") => {
            if let Some(spec) = object.get_mut("spec") {
                pod::default_spec(spec);
            }
            pod::default_pod(object);
        }
        None if resource.is("batch", "Job") => {
            if let Some(spec) = object.get_mut("spec").and_then(|s| s.get_mut("template")?.get_mut("spec")) {
                pod::default_spec(spec);
            }
        }
        None => small::default(group, kind, object),
    }
    *object = tidy(resource, object);
}

/// What the server itself puts into a new object, which no client owns.
pub(crate) fn begin(resource: &Resource, object: &mut Value) {
    if resource.is("", "Namespace") {
        put_default(object, &["spec", "finalizers"], json!(["kubernetes"]));
    } else if resource.is("", "Pod") {
        pod::begin(object);
        *object = tidy(resource, object);
    }
}

/// What an update leaves out and the server has decided before.
pub(crate) fn carry(resource: &Resource, old: &Value, new: &mut Value) {
    if resource.is("", "Service") {
        service::carry(old, new);
    }
}

/// What is wrong with the object.
pub(crate) fn check(call: &Call, object: &Value, old: Option<&Arc<Value>>) -> Vec<Cause> {
    let resource = &call.resource;
    let old = old.map(|old| old.as_ref());
    match &resource.custom {
        Some(served) => {
            let mut causes = match call.part {
                Part::Status => validate::check_status(&served.schema, object),
                _ => validate::check(&served.schema, object),
            };
            causes.extend(validate::untried_rules(&served.schema, &causes));
            let scale = resource.scale.as_ref().map(|scale| [&scale.spec, &scale.status]);
            let counts = scale.into_iter().flatten();
            causes.extend(counts.filter_map(|pointer| validate::check_count(object, pointer)));
            causes
        }
        None if call.part == Part::Status && resource.is("", "Service") => {
            fixed::check_service_status(object)
        }
        None if call.part == Part::Status => Vec::new(),
        None if resource.group == "apps" && resource.kind != "ControllerRevision" => {
            workload::check(call, object, old)
        }
        None if resource.is("", "Service") => service::check(object, old),
        None if resource.is("", "Pod") => {
            let mut causes = pod::check_spec(at(object, &["spec"]).unwrap_or(&Value::Null), "spec");
            causes.extend(old.map(|old| fixed::check_pod(object, old)).unwrap_or_default());
            causes
        }
        None if resource.is("discovery.k8s.io", "EndpointSlice") => fixed::check_slice(object, old),
        None if resource.kind == "CustomResourceDefinition" => fixed::check_definition(object, old),
        None if resource.is("", "ConfigMap") || resource.is("", "Secret") => {
            let mut causes = config::check(&resource.kind, object, old);
            causes.extend(small::check(&resource.group, &resource.kind, object));
            causes
        }
        None => small::check(&resource.group, &resource.kind, object),
    }
}

/// Gives the object what is scarce in the cluster: addresses.
///
/// # Errors
/// 422 when what it asks for cannot be had.
pub(crate) fn allocate(state: &State, call: &Call, object: &mut Value) -> Reply<()> {
    if call.resource.is("", "Service") { service::allocate(state, call, object) } else { Ok(()) }
}

/// The schema of the kind, for the managers of its fields.
pub(crate) fn root(resource: &Resource) -> Root<'_> {
    let node = match &resource.custom {
        Some(served) => Node::Custom(&served.schema),
        None => Node::Table(&resource.shape),
    };
    Root { node, meta: &METADATA }
}

/// An object of the kind with nothing in it: what a new object is compared with.
pub(crate) fn blank(resource: &Resource) -> Value {
    match resource.custom {
        Some(_) => json!({}),
        None => tidy(resource, &json!({})),
    }
}

/// Whether an update must say which version it was computed from.
pub(crate) fn needs_version(resource: &Resource) -> bool {
    resource.custom.is_some()
        || matches!(resource.kind.as_str(), "Lease" | "EndpointSlice" | "CustomResourceDefinition")
}

/// Seconds between the request to delete an object and its end: only pods are given some.
pub(crate) fn grace(resource: &Resource, object: &Value, asked: Option<i64>) -> i64 {
    if !resource.is("", "Pod") {
        return 0;
    }
    let own = at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    let grace = asked.or(own).unwrap_or(30);
    let unscheduled = text(object, &["spec", "nodeName"]).is_empty();
    let over = matches!(text(object, &["status", "phase"]), "Succeeded" | "Failed");
    if unscheduled || over { 0 } else { grace.max(0) }
}

/// Whether something beside finalizers holds the object: a namespace's own finalizers.
pub(crate) fn is_held(resource: &Resource, object: &Value) -> bool {
    resource.is("", "Namespace") && !list(object, &["spec", "finalizers"]).is_empty()
}
