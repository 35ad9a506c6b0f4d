//! What the caches keep of the kinds that workloads are made of: a cluster has many that are not ours.

use serde_json::{Map, Value, json};
use vexil_object::{Kind, Projection, Wanted, kinds, meta};

use crate::{
    ConfigReferences, configs, digests, endpoints,
    metadata::{LAST_APPLIED, is_toolkit},
    pods::shortened,
    revision::FLAGGER_ID,
    scaler,
};

/// Keeps of a Deployment what every decision but a copy needs, under 1 KiB for an ordinary one. The pod template is
/// replaced by its digests.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentProjection;

impl Projection for DeploymentProjection {
    fn kind(&self) -> Kind {
        kinds::DEPLOYMENT
    }

    fn keep(&self, mut object: Value) -> Value {
        if digests::is_reduced(&object) {
            return object;
        }
        let configs = object.pointer_mut("/spec/template/spec").map(ConfigReferences::of).unwrap_or_default();
        let mut kept = json!({
            "metadata": metadata(&object, &["generation", "deletionTimestamp"]),
            "spec": picked(object.get("spec"), &["replicas", "selector", "paused", "progressDeadlineSeconds"]),
            "status": status(&object),
        });
        if let Some(template) = object.pointer("/spec/template") {
            let containers = template.pointer("/spec/containers").and_then(Value::as_array);
            let containers: Vec<_> = containers.into_iter().flatten().map(ports).collect();
            meta::set(&mut kept, &["spec", "template", "spec", "containers"], containers.into());
            if let Some(id) = template.pointer("/metadata/annotations").and_then(|all| all.get(FLAGGER_ID)) {
                meta::set(
                    &mut kept,
                    &["spec", "template", "metadata", "annotations", FLAGGER_ID],
                    id.clone(),
                );
            }
            if let Some(labels) = template.pointer("/metadata/labels") {
                meta::set(&mut kept, &["spec", "template", "metadata", "labels"], labels.clone());
            }
            digests::keep(&mut kept, template, &configs);
        }
        kept
    }
}

/// Keeps of an EndpointSlice the Service that it belongs to and the ready endpoints.
#[derive(Clone, Copy, Debug)]
pub struct EndpointSliceProjection;

impl Projection for EndpointSliceProjection {
    fn kind(&self) -> Kind {
        kinds::ENDPOINT_SLICE
    }

    fn keep(&self, object: Value) -> Value {
        endpoints::reduced(&object, identity(&object))
    }

    /// By their Service: [`BY_SERVICE`].
    fn index(&self, kept: &Value) -> Vec<(&'static str, String)> {
        let service = endpoints::service_of(kept).map(|service| (BY_SERVICE, service.to_owned()));
        service.into_iter().collect()
    }
}

/// Keeps scalers without their status, which moves all the time and decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct ScalerProjection(pub Kind);

impl Projection for ScalerProjection {
    fn kind(&self) -> Kind {
        self.0
    }

    fn keep(&self, object: Value) -> Value {
        let mut kept = Wanted(self.0).keep(object);
        if let Some(annotations) = kept.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
        kept
    }

    /// By the Deployment that they scale, [`BY_SCALED`], and by the uid of their controller, [`BY_CONTROLLER`].
    fn index(&self, kept: &Value) -> Vec<(&'static str, String)> {
        let scaled = scaler::scaled(kept).map(|name| (BY_SCALED, name.to_owned()));
        let controller = meta::controller(kept).map(|by| (BY_CONTROLLER, meta::text(by, "/uid").to_owned()));
        scaled.into_iter().chain(controller).collect()
    }
}

/// Keeps of ConfigMaps and Secrets the metadata, and asks for nothing else: their content is read when a Canary depends
/// on it, and not kept.
#[derive(Clone, Copy, Debug)]
pub struct ConfigProjection(pub Kind);

impl Projection for ConfigProjection {
    fn kind(&self) -> Kind {
        self.0
    }

    fn keep(&self, object: Value) -> Value {
        let mut metadata = identity(&object);
        metadata.extend(picked(object.get("metadata"), &["ownerReferences"]));
        if configs::opted_out(&object) {
            metadata.extend(picked(object.get("metadata"), &["annotations"]));
        }
        // Two versions of an object look the same to the cache if all that is kept of them is the same.
        json!({"metadata": metadata, "version": meta::resource_version(&object)})
    }

    fn metadata_only(&self) -> bool {
        true
    }

    /// By the uid of each owner: [`BY_OWNER`].
    fn index(&self, kept: &Value) -> Vec<(&'static str, String)> {
        let owners =
            kept.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
        owners.map(|owner| (BY_OWNER, meta::text(owner, "/uid").to_owned())).collect()
    }
}

/// The index of ConfigMaps and Secrets by the uids of their owners.
pub const BY_OWNER: &str = "owner";
/// The index of EndpointSlices by the Service that they belong to.
pub const BY_SERVICE: &str = "service";
/// The index of scalers by the Deployment that they scale.
pub const BY_SCALED: &str = "scaled";
/// The index of scalers by the uid of their controller.
pub const BY_CONTROLLER: &str = "controller";

/// Keeps Services whole but for the bookkeeping of the API server and of kubectl.
#[derive(Clone, Copy, Debug)]
pub struct ServiceProjection;

impl Projection for ServiceProjection {
    fn kind(&self) -> Kind {
        kinds::SERVICE
    }

    fn keep(&self, mut object: Value) -> Value {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(LAST_APPLIED);
            }
        }
        object
    }
}

/// What [`Projection`] says must survive.
pub(crate) fn identity(object: &Value) -> Map<String, Value> {
    picked(object.get("metadata"), &["name", "namespace", "uid", "resourceVersion"])
}

/// The identity, the owners, the labels and annotations that may be copied, and the fields that are named.
fn metadata(object: &Value, fields: &[&str]) -> Map<String, Value> {
    let mut kept = identity(object);
    kept.extend(picked(object.get("metadata"), fields));
    kept.extend(picked(object.get("metadata"), &["labels", "annotations", "ownerReferences"]));
    for map in ["labels", "annotations"] {
        if let Some(pairs) = kept.get_mut(map).and_then(Value::as_object_mut) {
            pairs.retain(|key, _| key != LAST_APPLIED && !is_toolkit(key));
        }
    }
    kept
}

/// The counters, and the conditions that readiness reads.
fn status(object: &Value) -> Map<String, Value> {
    let counters =
        ["observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
    let mut kept = picked(object.get("status"), &counters);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let conditions: Vec<_> = conditions
        .filter_map(|condition| match meta::text(condition, "/type") {
            "Progressing" => Some(picked(Some(condition), &["type", "status", "reason"])),
            "Available" => Some(picked(Some(condition), &["type", "status", "reason", "lastUpdateTime"])),
            "ReplicaFailure" => {
                let mut kept = picked(Some(condition), &["type", "status", "reason"]);
                kept.insert("message".to_owned(), shortened(meta::text(condition, "/message")).into());
                Some(kept)
            }
            _ => None,
        })
        .collect();
    if !conditions.is_empty() {
        kept.insert("conditions".to_owned(), json!(conditions));
    }
    kept
}

/// A container's name and ports, without the protocol where it is the API server's default.
fn ports(container: &Value) -> Value {
    let mut kept = picked(Some(container), &["name"]);
    if let Some(ports) = container.get("ports").and_then(Value::as_array) {
        let port = |port: &Value| {
            let mut kept = picked(Some(port), &["name", "containerPort", "protocol"]);
            kept.retain(|field, value| field != "protocol" || value != "TCP");
            kept
        };
        kept.insert("ports".to_owned(), ports.iter().map(port).collect());
    }
    Value::Object(kept)
}

pub(crate) fn picked(object: Option<&Value>, fields: &[&str]) -> Map<String, Value> {
    let field = |name: &&str| Some(((*name).to_owned(), object?.get(*name)?.clone()));
    fields.iter().filter_map(field).collect()
}
