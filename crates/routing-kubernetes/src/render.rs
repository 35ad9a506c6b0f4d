//! The Service as wanted, made from the live one.

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_object::{ObjectKey, meta};
use vexil_routing::{RouteError, RouteTarget, declare, mark, unmark};

use crate::{
    ports,
    user_ports::{self, UserPorts},
};

/// The annotation with the manifest that kubectl applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// One of the three Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The Service that clients call.
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

    /// The labels that select its pods. Labels that the primary's pods get with their current rollout are used when
    /// that is complete: until then, pods without them serve. A Service that selects by them already keeps them
    /// during later rollouts.
    fn selector(self, target: &RouteTarget<'_>, live: Option<&Value>) -> Value {
        let labels = &target.selector;
        match self {
            Role::Canary => json!(labels.canary),
            Role::Apex | Role::Primary => {
                let all = json!(labels.primary);
                if labels.settled || live == Some(&all) { all } else { json!(labels.always) }
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

/// A new Service, which the Canary owns. Type, headlessness and traffic distribution are set only here, as Flagger
/// does: an existing Service keeps its own.
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

/// A Service that the Canary owns: its metadata is ours too.
pub(crate) fn owned(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let mut object = live.clone();
    declare(&mut object, role.metadata(target), target.spec.service.unmanaged_metadata.as_ref());
    meta::set(&mut object, &["metadata", "labels", target.selector.key], role.name(target).into());
    mark(&mut object);
    select(&mut object, selector(role, target, live)?, ports::wanted(target)?);
    Ok(object)
}

/// A Service of the user: only the Canary's ports, the selector and the markers are written.
pub(crate) fn adopted(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let mut object = live.clone();
    mark(&mut object);
    let merged = user_ports(target, live)?;
    user_ports::record(&mut object, &merged.added);
    select(&mut object, selector(role, target, live)?, merged.ports);
    Ok(object)
}

/// The ports of an apex of the user.
pub(crate) fn user_ports(target: &RouteTarget<'_>, live: &Value) -> Result<UserPorts, RouteError> {
    let is_named = target.spec.service.port_name.as_deref().is_some_and(|name| !name.is_empty());
    Ok(user_ports::merged(live, ports::wanted(target)?, is_named))
}

fn selector(role: Role, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let selector = role.selector(target, live.pointer("/spec/selector"));
    // Kubernetes does not update the endpoints of a Service without a selector.
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(RouteError::NotKnown {
            object: format!("which pods Service {} selects", role.name(target)),
        });
    }
    Ok(selector)
}

/// An apex of the user that is released: as the user applied it with kubectl, else selecting the target's pods.
pub(crate) fn released(key: &ObjectKey, target: &RouteTarget<'_>, live: &Value) -> Result<Value, RouteError> {
    let applied = applied(key, live)?;
    let applied = |pointer: &str| applied.as_ref().and_then(|manifest| manifest.pointer(pointer));
    let selector = applied("/spec/selector").filter(|selector| selector.is_object()).cloned();
    let ports =
        |list: Option<&Value>| list.and_then(Value::as_array).filter(|ports| !ports.is_empty()).cloned();
    // Clients use the current ports, whichever controller or user added them.
    let ports = match ports(applied("/spec/ports")).or_else(|| ports(live.pointer("/spec/ports"))) {
        Some(ports) => ports,
        None => ports::wanted(target)?,
    };
    let mut object = live.clone();
    select(&mut object, selector.unwrap_or_else(|| Role::Canary.selector(target, None)), ports);
    let annotations = applied("/metadata/annotations").cloned().unwrap_or_default();
    user_ports::remove_record(&mut object);
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
