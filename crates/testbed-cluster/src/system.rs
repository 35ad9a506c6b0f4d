//! What splits traffic in a cluster, and all that is installed of it.
//!
//! A new system is a folder in `gateway` with its [`Gateway`], a word here, and an entry in `system/entries.rs`: its
//! definitions, the namespace and objects of its installation, the name of its metric server, and how it is started.

mod entries;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use serde_json::Value;

use self::entries::{
    APISIX, CONTOUR, Entry, GATEWAY_API, GLOO, ISTIO, KNATIVE, KUBERNETES, KUMA, LINKERD, NGINX,
    NGINX_AND_GATEWAY_API, SKIPPER, SMI_ISTIO, TRAEFIK,
};
use super::gateway::Gateway;
use super::network::{Network, lock};
use super::view;

/// Name of Traefik on the cluster's network.
pub const GATEWAY: &str = "traefik.traefik";
/// Name of the load tester on the cluster's network.
pub const LOAD_TESTER: &str = "flagger-loadtester.test";
/// Name and port of the metric server on the network of a cluster with Traefik.
pub const METRIC_SERVER: &str = "flagger-prometheus.traefik:9090";

/// The domain of the guides' application, which its owner has pointed at the ingress.
pub(super) const DOMAIN: &str = "app.example.com";

/// The definition of KEDA's ScaledObject, for `Cluster::apply_yaml` in a cluster of any system. Nothing acts on these
/// objects.
pub const KEDA: &str = include_str!("../crds/keda.sh.yaml");

/// What splits traffic in a cluster. The words beside some of them select what of their definitions is served, by API
/// group, kind or version; no words select everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Traefik as ingress. Words: the API groups `traefik.io` and `traefik.containo.us`.
    Traefik(&'static [&'static str]),
    /// Apache APISIX as ingress.
    Apisix,
    /// ingress-nginx.
    Nginx,
    /// Contour as ingress.
    Contour,
    /// Gloo as ingress.
    Gloo,
    /// Skipper as ingress.
    Skipper,
    /// Knative Serving, with Kourier.
    Knative,
    /// ingress-nginx, and beside it a gateway of the Gateway API, as while moving from one to the other.
    NginxAndGatewayApi,
    /// A gateway of the Gateway API, `gateway-system/public`. Words: the kinds `HTTPRoute`, `GRPCRoute` and `Gateway`.
    GatewayApi(&'static [&'static str]),
    /// Kuma as mesh. Words: the kinds `TrafficRoute` (Kuma 1 and 2) and `MeshHTTPRoute` (2.3 and later).
    Kuma(&'static [&'static str]),
    /// Istio as mesh and ingress.
    Istio,
    /// Istio as mesh, configured by the SMI adapter. Words: the versions `v1alpha1`, `v1alpha2`, `v1alpha3`.
    SmiIstio(&'static [&'static str]),
    /// Linkerd as mesh. Words: the versions `v1alpha1`, `v1alpha2`, `v1alpha3` with its SMI extension, and the kinds
    /// `HTTPRoute` and `GRPCRoute`.
    Linkerd(&'static [&'static str]),
    /// No gateway and no mesh: Services lead to pods, and the pods measure themselves.
    Kubernetes,
}

impl Default for System {
    /// Traefik 3.
    fn default() -> Self {
        System::Traefik(&["traefik.io"])
    }
}

impl System {
    fn entry(self) -> (&'static Entry, &'static [&'static str]) {
        match self {
            System::Traefik(groups) => (&TRAEFIK, groups),
            System::Apisix => (&APISIX, &[]),
            System::Nginx => (&NGINX, &[]),
            System::Contour => (&CONTOUR, &[]),
            System::Gloo => (&GLOO, &[]),
            System::Skipper => (&SKIPPER, &[]),
            System::Knative => (&KNATIVE, &[]),
            System::NginxAndGatewayApi => (&NGINX_AND_GATEWAY_API, &[]),
            System::GatewayApi(kinds) => (&GATEWAY_API, kinds),
            System::Kuma(kinds) => (&KUMA, kinds),
            System::Istio => (&ISTIO, &[]),
            System::SmiIstio(versions) => (&SMI_ISTIO, versions),
            System::Linkerd(words) => (&LINKERD, words),
            System::Kubernetes => (&KUBERNETES, &[]),
        }
    }

    /// The namespace that its guide installs the operator in.
    pub fn namespace(self) -> &'static str {
        self.entry().0.namespaces.first().copied().unwrap_or("default")
    }

    /// The name on the cluster's network where requests from outside arrive; meshes and plain clusters may have none.
    pub fn gateway(self) -> Option<&'static str> {
        self.entry().0.gateway
    }

    /// Name and port of the metric server on the cluster's network, as its guide has it. From the namespace of the
    /// operator the name is also found without the namespace.
    pub fn metric_server(self) -> &'static str {
        self.entry().0.metric_server
    }

    /// All its namespaces.
    pub(super) fn namespaces(self) -> &'static [&'static str] {
        self.entry().0.namespaces
    }

    /// The objects that its installation makes, of the kinds that are served.
    ///
    /// # Errors
    /// When a text of this crate is no YAML.
    pub(super) fn objects(self) -> anyhow::Result<Vec<Value>> {
        let entry = self.entry().0;
        let mut all = parse(&[entry.objects])?;
        let mut absent = parse(entry.definitions)?;
        let present = self.definitions()?;
        absent.retain(|one| !present.iter().any(|other| view::name(other) == view::name(one)));
        let kind = |one: &Value| view::text(one, "/spec/names/kind").to_owned();
        all.retain(|object| !absent.iter().any(|one| kind(one) == view::text(object, "/kind")));
        Ok(all)
    }

    /// The definitions that are served of it.
    ///
    /// # Errors
    /// When a text of this crate is no YAML.
    pub(super) fn definitions(self) -> anyhow::Result<Vec<Value>> {
        let (entry, words) = self.entry();
        let mut all = parse(entry.definitions)?;
        if !words.is_empty() {
            all.retain_mut(|definition| select(definition, words));
        }
        all.extend(parse(entry.always)?);
        Ok(all)
    }

    /// Starts what splits its traffic.
    pub(super) fn start(self, network: &Network) -> Arc<dyn Gateway> {
        (self.entry().0.start)(network)
    }
}

fn parse(texts: &[&'static str]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for text in texts {
        all.extend(parsed(text)?.iter().cloned());
    }
    Ok(all)
}

/// The objects of a text of this crate, which is read once: tests make many clusters in one process.
fn parsed(text: &'static str) -> anyhow::Result<Arc<Vec<Value>>> {
    static READ: Mutex<BTreeMap<&str, Arc<Vec<Value>>>> = Mutex::new(BTreeMap::new());
    if let Some(known) = lock(&READ).get(text) {
        return Ok(Arc::clone(known));
    }
    let mut found: Vec<Value> = serde_saphyr::from_multiple(text).context("a manifest here is not YAML")?;
    found.retain(|one| !one.is_null());
    let found = Arc::new(found);
    lock(&READ).insert(text, Arc::clone(&found));
    Ok(found)
}

/// Whether one of the words names a definition's group or kind, or some of its versions, which are then the only ones
/// that are served.
fn select(definition: &mut Value, words: &[&str]) -> bool {
    let named = |pointer: &str| words.contains(&view::text(definition, pointer));
    if named("/spec/group") || named("/spec/names/kind") {
        return true;
    }
    let versions = definition.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    let mut any = false;
    for version in versions.into_iter().flatten().filter_map(Value::as_object_mut) {
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default();
        let served = words.contains(&name);
        version.insert("served".to_owned(), served.into());
        any |= served;
    }
    any
}
