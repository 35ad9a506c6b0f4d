//! The `-canary` Service of a Canary whose target is a Service: a copy of the target, which is the apex itself. The
//! `-primary` Service is the primary, which the workload makes.

use serde_json::{Value, json};
use vexil_object::{Change, ObjectKey, Objects, Seen, meta, service};
use vexil_routing::{Claim, RouteError, RouteTarget, declare, mark};

/// The change that makes the Service at `key` a copy of the one at `source`; none while that does not exist.
pub(crate) fn canary(
    target: &RouteTarget<'_>,
    source: &ObjectKey,
    key: ObjectKey,
    have: &Objects,
) -> Result<Option<Change>, RouteError> {
    let source = match have.get(source) {
        Seen::NotKnown => return Err(RouteError::NotKnown { object: source.to_string() }),
        Seen::Absent => return Ok(None),
        Seen::Present(source) => source.as_ref(),
    };
    Ok(match Claim::exclusive(&key, target.owner, have)? {
        Claim::Ours(live) => Change::between(key, live, &copied(target, source, live)),
        Claim::Absent | Claim::Unclaimed(_) => {
            let bare = json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {
                    "name": key.name(), "namespace": key.namespace(),
                    "ownerReferences": [target.owner.reference()],
                },
            });
            Some(Change::create(key, copied(target, source, &bare)))
        }
    })
}

/// Labels and annotations of the target are added, and never removed: others write some too.
fn copied(target: &RouteTarget<'_>, source: &Value, live: &Value) -> Value {
    let wanted = &target.spec.service;
    let mut object = live.clone();
    for map in ["labels", "annotations"] {
        let own = source.get("metadata").and_then(|metadata| metadata.get(map)).and_then(Value::as_object);
        for (key, value) in own.into_iter().flatten().filter(|(key, _)| !meta::is_tracking(key)) {
            meta::set(&mut object, &["metadata", map, key], value.clone());
        }
    }
    declare(&mut object, wanted.canary.as_ref(), wanted.unmanaged_metadata.as_ref());
    mark(&mut object);
    let mut spec = service::with_allocated(live, &service::unallocated(source));
    if let Some(distribution) = wanted.traffic_distribution.as_deref().filter(|text| !text.is_empty()) {
        meta::set(&mut spec, &["trafficDistribution"], distribution.into());
    }
    meta::set(&mut object, &["spec"], spec);
    object
}
