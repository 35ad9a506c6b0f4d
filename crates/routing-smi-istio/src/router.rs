//! The TrafficSplit of a Canary: its version, which backends are ours, and how they are written.

use serde_json::{Value, json};
use vexil_object::{Kind, meta};
use vexil_routing::{
    Capabilities, Entries, OF_ISTIO, OF_LINKERD, Provider, QuerySet, RouteContext, RouteError, RouteObject,
    RouteRequest, Routes, Side, Weight, omit, put,
};

use crate::provider::{Mesh, Version, parse};

const SERVICE: &str = "spec.service";
const BACKENDS: &str = "spec.backends";
/// The annotation in which Istio's adapter finds the gateways of its VirtualService: a JSON list of names.
const GATEWAYS: &str = "VirtualService.v1alpha3.networking.istio.io/spec.gateways";

/// Routes traffic with the TrafficSplit that has the name of the apex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smi {
    version: Version,
    mesh: Mesh,
}

impl Smi {
    /// A router for each version: for Istio's adapter, for Linkerd, and for any other mesh.
    pub fn all() -> Vec<Smi> {
        let of = |version| [Mesh::Istio, Mesh::Linkerd, Mesh::Other].map(|mesh| Smi { version, mesh });
        Version::ALL.into_iter().flat_map(of).collect()
    }

    /// The router of a provider: `smi:istio`, `smi:v1alpha2`. `None` for a name that is not of this crate.
    pub fn for_provider(provider: &str) -> Option<Self> {
        parse(provider).map(|(version, mesh)| Smi { version, mesh })
    }
}

impl Provider for Smi {
    fn name(&self) -> &'static str {
        match (self.version, self.mesh) {
            (Version::V1Alpha1, Mesh::Istio) => "smi:istio",
            (Version::V1Alpha1, Mesh::Linkerd) => "linkerd",
            (Version::V1Alpha1, Mesh::Other) => "smi:v1alpha1",
            (Version::V1Alpha2, Mesh::Istio) => "smi:v1alpha2:istio",
            (Version::V1Alpha2, Mesh::Linkerd) => "smi:v1alpha2:linkerd",
            (Version::V1Alpha2, Mesh::Other) => "smi:v1alpha2",
            (Version::V1Alpha3, Mesh::Istio) => "smi:v1alpha3:istio",
            (Version::V1Alpha3, Mesh::Linkerd) => "smi:v1alpha3:linkerd",
            (Version::V1Alpha3, Mesh::Other) => "smi:v1alpha3",
        }
    }

    fn serves(&self, provider: &str) -> bool {
        Smi::for_provider(provider) == Some(*self)
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        match self.mesh {
            Mesh::Linkerd => Some(&OF_LINKERD),
            Mesh::Istio | Mesh::Other => Some(&OF_ISTIO),
        }
    }

    /// Linkerd's proxies count every request, also one that another router has split.
    fn measures_all(&self) -> bool {
        self.mesh == Mesh::Linkerd
    }
}

impl RouteObject for Smi {
    fn product(&self) -> &'static str {
        "the Service Mesh Interface"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![self.version.kind()]
    }

    /// Linkerd follows no route of the Gateway API as long as a split is there. That of Istio's adapter may be what
    /// leads clients of a gateway to the application.
    fn is_dispensable(&self) -> bool {
        self.mesh == Mesh::Linkerd
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        entries(route, live)?.all_named()
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        entries(route, live)?.routes(|weight| self.version.percent(weight))
    }

    /// The host and the gateways are ours too, and follow the spec.
    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let service = &route.target.spec.service;
        let host = service.hosts.first().map(String::as_str).filter(|host| !host.is_empty());
        let mut object = self.adopted(route, want, live)?;
        put(&mut object, SERVICE, host.unwrap_or(route.target.apex).into());
        if self.mesh == Mesh::Istio && !service.gateways.is_empty() {
            let list = json!(service.gateways).to_string();
            meta::set(&mut object, &["metadata", "annotations", GATEWAYS], list.into());
        } else if meta::annotation(&object, GATEWAYS).is_some() {
            meta::set(&mut object, &["metadata", "annotations", GATEWAYS], Value::Null);
        }
        Ok(object)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let entry = |side: Side, weight: Weight, mut entry: Value| {
            put(&mut entry, "service", route.target.service(side).into());
            put(&mut entry, "weight", self.version.weight(weight.percent()));
            entry
        };
        let list = entries(route, live)?.written([Side::Canary, Side::Primary], want, entry);
        let mut object = live.clone();
        put(&mut object, BACKENDS, list.into());
        Ok(object)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        let mut object = live.clone();
        match listed(route, live).ok().filter(Entries::has_ours).map(|entries| entries.others()) {
            None => {}
            Some(others) if others.is_empty() => omit(&mut object, BACKENDS),
            Some(others) => put(&mut object, BACKENDS, others.into()),
        }
        object
    }
}

fn entries<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Entries<'a>, RouteError> {
    let is_nameless = |entry: &Value| entry.get("service").is_none_or(Value::is_null);
    Ok(listed(route, live)?.without_nameless(is_nameless))
}

fn listed<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Entries<'a>, RouteError> {
    let side = |entry: &Value| route.target.side(entry.get("service")?.as_str()?);
    Entries::at(&route.key, live, BACKENDS, side)
}
