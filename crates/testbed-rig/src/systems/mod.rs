//! One record per system that splits traffic: everything in which two of them differ, for the demo, the guides, the
//! suite on a real API server, `traffic`, `torture` and `bench` alike.
//!
//! A new system is one file here and one gateway in `testbed-cluster`.

mod apisix;
mod contour;
mod gateway_api;
mod gloo;
mod ingress;
mod istio;
mod knative;
mod kubernetes;
mod kuma;
mod linkerd;
mod nginx;
mod skipper;
mod smi;
#[cfg(test)]
mod tests;
mod traefik;

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

pub use self::{
    apisix::{APISIX, ROUTES as APISIX_ROUTES, users_route as apisix_route},
    contour::CONTOUR,
    gateway_api::{GATEWAY_API, GATEWAY_API_ALONE},
    gloo::GLOO,
    istio::ISTIO,
    knative::KNATIVE,
    kubernetes::KUBERNETES,
    kuma::{KUMA, KUMA_BY_NAME, KUMA_MESH, KUMA_SYSTEM},
    linkerd::{LINKERD, LINKERD_ROUTES},
    nginx::NGINX,
    skipper::SKIPPER,
    smi::{SMI_ISTIO, SMI_V1ALPHA1, SMI_V1ALPHA2, SMI_V1ALPHA3},
    traefik::{TRAEFIK, TRAEFIK_CONTAINO},
};
use crate::{
    api::Resource,
    cast::Cast,
    guide::Guide,
    route::RouteKind,
    target::{DEPLOYMENT, Target},
};

/// A system that splits traffic, or none.
#[derive(Debug)]
pub struct System {
    /// What scenes call it.
    pub name: &'static str,
    /// What is installed of it in a cluster of the testbed, and what splits the traffic there.
    pub cluster: cluster::System,
    /// Its provider.
    pub provider: &'static str,
    /// Whether the Canary leaves the provider to the operator's flag, because the CRD does not take its name.
    pub by_flag: bool,
    /// Further flags of the operator.
    pub flags: &'static [&'static str],
    /// What the target of its Canaries is.
    pub target: &'static Target,
    /// What it splits traffic with; `None` for Blue/Green.
    pub route: Option<RouteKind>,
    /// The CRDs of what else its routes and its guide need.
    pub definitions: &'static [&'static str],
    /// What its guide has in the spec of a Canary beyond the others'; merged.
    pub spec: fn(&Cast) -> Value,
    /// What its guide has the user make before the Canary.
    pub before: fn(&Cast) -> Vec<(Resource, Value)>,
    /// What leads clients of an ingress to an apex, where neither the Canary nor [`System::before`] does.
    pub site: Option<fn(&str) -> Value>,
    /// URL and host of clients; `{apex}` and `{port}` stand for what the Canary says.
    pub entrance: (&'static str, &'static str),
}

impl System {
    /// What systems have in common: the provider is their name, and nothing is special.
    const fn named(name: &'static str, cluster: cluster::System, route: Option<RouteKind>) -> Self {
        System {
            name,
            cluster,
            provider: name,
            by_flag: false,
            flags: &[],
            target: &DEPLOYMENT,
            route,
            definitions: &[],
            spec: |_| json!({}),
            before: |_| Vec::new(),
            site: None,
            entrance: ("http://{apex}.test:{port}/", "{apex}.test"),
        }
    }

    /// URL and host by which clients reach an apex.
    pub fn entrance(&self, apex: &str, port: u64) -> (String, String) {
        let fill = |text: &str| text.replace("{apex}", apex).replace("{port}", &port.to_string());
        (fill(self.entrance.0), fill(self.entrance.1))
    }
}

/// Every system.
pub static ALL: [&System; 19] = [
    &TRAEFIK,
    &TRAEFIK_CONTAINO,
    &ISTIO,
    &SMI_V1ALPHA1,
    &SMI_V1ALPHA2,
    &SMI_V1ALPHA3,
    &SMI_ISTIO,
    &APISIX,
    &NGINX,
    &CONTOUR,
    &GLOO,
    &SKIPPER,
    &GATEWAY_API,
    &KUMA,
    &KUMA_MESH,
    &LINKERD,
    &LINKERD_ROUTES,
    &KNATIVE,
    &KUBERNETES,
];

/// All guides, in the order in which they are played.
pub static GUIDES: [&Guide; 13] = [
    &kuma::GUIDE,
    &istio::GUIDE,
    &gateway_api::GUIDE,
    &linkerd::GUIDE,
    &smi::GUIDE,
    &traefik::GUIDE,
    &apisix::GUIDE,
    &nginx::GUIDE,
    &contour::GUIDE,
    &gloo::GUIDE,
    &skipper::GUIDE,
    &knative::GUIDE,
    &kubernetes::GUIDE,
];

/// The guide that is played when none is named.
pub static USUAL: &Guide = &traefik::GUIDE;

/// The word for all guides.
pub const ALL_GUIDES: &str = "all";

/// The guides that a name stands for: one, all, or none for an unknown name.
pub fn guides(name: &str) -> Vec<&'static Guide> {
    GUIDES.into_iter().filter(|guide| name == ALL_GUIDES || guide.name == name).collect()
}

/// The names that [`guides`] knows.
pub fn guide_names() -> Vec<&'static str> {
    GUIDES.iter().map(|guide| guide.name).chain([ALL_GUIDES]).collect()
}

/// The manifests of a folder in `examples/`, with their texts.
macro_rules! manifests {
    ($folder:literal: $($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/", $folder, "/", $file)
        ))),+]
    };
}
use manifests;
