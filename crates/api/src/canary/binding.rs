//! The binding of a Canary in its status: what traffic depends on.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::service::{CanaryService, int_or_string};

/// Objects that traffic depends on, or will depend on while the phase is `Initializing`: the names are stored before
/// the objects are created, so that none is created that the status does not name. `route` is set when the route object
/// exists.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Binding {
    /// Kind of the target.
    pub kind: String,
    /// Name of the target.
    pub target: String,
    /// Name of the primary workload.
    pub primary: String,
    /// Name of the apex Service, which clients call.
    pub apex: String,
    /// Mesh or ingress that splits the traffic.
    pub provider: String,
    /// Port of the generated Services in the last valid spec.
    pub service_port: Option<ServicePort>,
    /// Other settings that select the route: the object that `ingressRef`, `routeRef` or `upstreamRef` names, and
    /// annotations of the mesh.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, String>,
    /// Route object that splits the traffic.
    pub route: Option<RouteObject>,
    /// Labels that select the pods of the target.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
}

/// Port of a generated Service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePort {
    /// Port number.
    pub port: Option<i64>,
    /// Name of the port.
    pub port_name: Option<String>,
    /// Container port, as a number or a name.
    #[schemars(schema_with = "int_or_string")]
    pub target_port: Option<IntOrString>,
    /// Application protocol of the port.
    pub app_protocol: Option<String>,
}

impl ServicePort {
    /// The port that `spec.service` asks for.
    pub fn of(service: &CanaryService) -> Self {
        ServicePort {
            port: service.port,
            port_name: service.port_name.clone(),
            target_port: service.target_port.clone(),
            app_protocol: service.app_protocol.clone(),
        }
    }
}

/// Reference to a route object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteObject {
    /// API version of the referent.
    pub api_version: String,
    /// Kind of the referent.
    pub kind: String,
    /// Namespace of the referent. Empty if it is cluster-scoped.
    pub namespace: String,
    /// Name of the referent.
    pub name: String,
}
