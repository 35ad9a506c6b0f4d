//! A Service as it shall be, made from the one that is there.

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_object::{ObjectKey, meta};
use vexil_routing::{RouteError, RouteTarget, declare, mark, unmark};

use crate::{
    beside::{self, Beside},
    ports,
};

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

    /// The labels that select its pods. Labels that the primary's pods have only since their last rollout are selected
    /// by when that is complete: before, the pods without them are those that serve. A Service that selects by them
    /// already goes on to do so in the rollouts that follow.
    fn selector(self, target: &RouteTarget<'_>, live: Option<&Value>) -> Value {
        let labels = &target.selector;
        match self {
            Role::Canary => json!(labels.canary),
            Role::Apex | Role::Primary => {
                let whole = json!(labels.primary);
                if labels.settled || live == Some(&whole) { whole } else { json!(labels.always) }
            }
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
    meta::set(&mut object, &["metadata", "labels", target.selector.key], role.name(target).into());
    mark(&mut object);
    select(&mut object, selector(role, target, live)?, ports::wanted(target)?);
    Ok(object)
}

/// A user's own: the Canary's ports beside those that it has, the selector and the markers.
pub(crate) fn adopted(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let mut object = live.clone();
    mark(&mut object);
    let beside = published(target, live)?;
    beside::remember(&mut object, &beside.added);
    select(&mut object, selector(role, target, live)?, beside.ports);
    Ok(object)
}

/// The ports of a user's own apex.
pub(crate) fn published(target: &RouteTarget<'_>, live: &Value) -> Result<Beside, RouteError> {
    let is_named = target.spec.service.port_name.as_deref().is_some_and(|name| !name.is_empty());
    Ok(beside::beside(live, ports::wanted(target)?, is_named))
}

fn selector(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let selector = role.selector(target, live.pointer("/spec/selector"));
    // A Service without a selector would keep whatever addresses it has.
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(RouteError::NotKnown {
            object: format!("which pods Service {} selects", role.name(target)),
        });
    }
    Ok(selector)
}

/// A user's apex, given back (`routing.md` 4.5): as its user applied it with kubectl, else with the target's own pods
/// behind it.
pub(crate) fn released(key: &ObjectKey, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let applied = applied(key, live)?;
    let applied = |pointer: &str| applied.as_ref().and_then(|manifest| manifest.pointer(pointer));
    let selector = applied("/spec/selector").filter(|selector| selector.is_object()).cloned();
    let ports =
        |list: Option<&Value>| list.and_then(Value::as_array).filter(|ports| !ports.is_empty()).cloned();
    // Clients use the ports that there are by now, whoever wanted them first.
    let ports = match ports(applied("/spec/ports")).or_else(|| ports(live.pointer("/spec/ports"))) {
        Some(ports) => ports,
        None => ports::wanted(target)?,
    };
    let mut object = live.clone();
    select(&mut object, selector.unwrap_or_else(|| Role::Canary.selector(target, None)), ports);
    let annotations = applied("/metadata/annotations").cloned().unwrap_or_default();
    beside::forget(&mut object);
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
