//! A Service as it shall be, made from the one that is there.

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_object::{ObjectKey, meta};
use vexil_routing::{RouteError, RouteTarget, declare, mark, unmark};

use crate::ports;

/// Where kubectl keeps the manifest that its user applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// One of the three Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What clients call.
    Apex,
    /// The primary's pods.
    Primary,
    /// The target's own pods.
    Canary,
}

impl Role {
    pub(crate) fn name(self, target: &RouteTarget<'_>) -> String {
        match self {
            Role::Apex => target.apex.to_owned(),
            Role::Primary => target.primary(),
            Role::Canary => target.canary(),
        }
    }

    fn selector(self, target: &RouteTarget<'_>) -> Value {
        let (label, value) = target.selector;
        match self {
            Role::Apex | Role::Primary => json!({label: format!("{value}-primary")}),
            Role::Canary => json!({label: value}),
        }
    }

    fn metadata<'a>(self, target: &RouteTarget<'a>) -> Option<&'a MetadataBlock> {
        let service = &target.spec.service;
        match self {
            Role::Apex => service.apex.as_ref(),
            Role::Primary => service.primary.as_ref(),
            Role::Canary => service.canary.as_ref(),
        }
    }
}

/// A new one, which the Canary owns. Type, headlessness and traffic distribution are said here and never again
/// (`routing.md` 4.4): an existing Service keeps its own.
pub(crate) fn created(role: Role, target: &RouteTarget<'_>) -> Result<Value, RouteError> {
    let service = &target.spec.service;
    let mut spec = json!({"type": "ClusterIP"});
    if service.headless.unwrap_or(false) {
        meta::set(&mut spec, &["clusterIP"], "None".into());
    }
    if let Some(distribution) = service.traffic_distribution.as_deref().filter(|text| !text.is_empty()) {
        meta::set(&mut spec, &["trafficDistribution"], distribution.into());
    }
    let bare = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": role.name(target),
            "namespace": target.namespace,
            "ownerReferences": [target.owner.reference()],
        },
        "spec": spec,
    });
    owned(role, target, &bare)
}

/// One that the Canary owns: its metadata is ours too.
pub(crate) fn owned(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let mut object = live.clone();
    declare(&mut object, role.metadata(target), target.spec.service.unmanaged_metadata.as_ref());
    let (label, _) = target.selector;
    meta::set(&mut object, &["metadata", "labels", label], role.name(target).into());
    adopted(role, target, &object)
}

/// A user's own: ports, selector and the markers.
pub(crate) fn adopted(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let mut object = live.clone();
    mark(&mut object);
    select(&mut object, role.selector(target), ports::wanted(target)?);
    Ok(object)
}

/// A user's apex, given back (`routing.md` 4.5): as its user applied it with kubectl, else with the target's own pods
/// behind it.
pub(crate) fn released(key: &ObjectKey, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let applied = applied(key, live)?;
    let applied = |pointer: &str| applied.as_ref().and_then(|manifest| manifest.pointer(pointer));
    let selector = applied("/spec/selector").filter(|selector| selector.is_object()).cloned();
    let ports = match applied("/spec/ports").and_then(Value::as_array) {
        Some(ports) => ports.clone(),
        None => ports::wanted(target)?,
    };
    let mut object = live.clone();
    select(&mut object, selector.unwrap_or_else(|| Role::Canary.selector(target)), ports);
    let annotations = applied("/metadata/annotations").cloned().unwrap_or_default();
    unmark(&mut object, |key| annotations.get(key).is_some());
    Ok(object)
}

fn applied(key: &ObjectKey, live: &Value) -> Result<Option<Value>, RouteError> {
    let text = meta::annotation(live, LAST_APPLIED);
    text.map(serde_json::from_str).transpose().map_err(|error| RouteError::Malformed {
        object: key.to_string(),
        path: format!("metadata.annotations[{LAST_APPLIED}]"),
        problem: format!("is not JSON: {error}"),
    })
}

fn select(object: &mut Value, selector: Value, ports: Vec<Value>) {
    let ports = ports::over(object.pointer("/spec/ports"), ports);
    meta::set(object, &["spec", "ports"], ports);
    meta::set(object, &["spec", "selector"], selector);
}
