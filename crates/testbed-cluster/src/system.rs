//! What splits traffic in a cluster, and all that is installed of it.
//!
//! A new system is a folder in `gateway` with its [`Gateway`], and an entry here: its definitions, the namespace and
//! objects of its installation, the name of its metric server, and how it is started.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use serde_json::Value;

use super::gateway::{Gateway, apisix, gateway_api, istio, kuma, smi, traefik};
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
    /// A gateway of the Gateway API, `gateway-system/public`. Words: the kinds `HTTPRoute`, `GRPCRoute` and `Gateway`.
    GatewayApi(&'static [&'static str]),
    /// Kuma as mesh. Words: the kinds `TrafficRoute` (Kuma 1 and 2) and `MeshHTTPRoute` (2.3 and later).
    Kuma(&'static [&'static str]),
    /// Istio as mesh and ingress.
    Istio,
    /// Istio as mesh, configured by the SMI adapter. Words: the versions `v1alpha1`, `v1alpha2`, `v1alpha3`.
    SmiIstio(&'static [&'static str]),
    /// No gateway and no mesh: Services lead to pods, and the pods measure themselves.
    Kubernetes,
}

impl Default for System {
    /// Traefik 3.
    fn default() -> Self {
        System::Traefik(&["traefik.io"])
    }
}

/// What is installed of a system.
struct Entry {
    /// Texts of its CustomResourceDefinitions.
    definitions: &'static [&'static str],
    /// Further ones, which are there whatever of the others is served.
    always: &'static [&'static str],
    /// Namespaces of the product and of the operator beside it. In the first of them the guide installs the operator.
    namespaces: &'static [&'static str],
    /// Objects that the product's installation makes, with their own definitions.
    objects: &'static str,
    /// Where requests from outside arrive.
    gateway: Option<&'static str>,
    /// Name and port of the metric server.
    metric_server: &'static str,
    /// Starts what splits the traffic, and puts it in its place on the network.
    start: fn(&Network) -> Arc<dyn Gateway>,
}

const TRAEFIK: Entry = Entry {
    definitions: &[include_str!("../crds/traefik.io.yaml"), include_str!("../crds/traefik.containo.us.yaml")],
    always: &[],
    namespaces: &["traefik"],
    objects: "",
    gateway: Some(GATEWAY),
    metric_server: METRIC_SERVER,
    start: |network| {
        let gateway = Arc::new(traefik::Traefik::new(network.clone()));
        network.register(GATEWAY, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

const APISIX: Entry = Entry {
    definitions: &[include_str!("../crds/apisix.apache.org.yaml")],
    always: &[],
    namespaces: &["apisix"],
    objects: "",
    gateway: Some("apisix-gateway.apisix"),
    metric_server: "flagger-prometheus.apisix:9090",
    start: |network| {
        let gateway = Arc::new(apisix::Apisix::new(network.clone()));
        network.register("apisix-gateway.apisix", Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

const GATEWAY_API_OBJECTS: &str = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: gateway-system}
spec: {gatewayClassName: testbed, listeners: [{name: http, port: 80, protocol: HTTP}]}
"#;

const GATEWAY_API: Entry = Entry {
    definitions: &[include_str!("../crds/gateway.networking.k8s.io.yaml")],
    always: &[],
    namespaces: &["gateway-system"],
    objects: GATEWAY_API_OBJECTS,
    gateway: Some(gateway_api::NAME),
    metric_server: "flagger-prometheus.gateway-system:9090",
    start: |network| {
        let gateway = Arc::new(gateway_api::GatewayApi::new(network.clone()));
        network.register(gateway_api::NAME, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

/// The mesh that Kuma makes, and the route of its own that it had until 2.6.
const KUMA_OBJECTS: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: test, labels: {kuma.io/sidecar-injection: enabled}}}
---
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: default}
spec: {metrics: {enabledBackend: prometheus-1, backends: [{name: prometheus-1, type: prometheus}]}}
---
apiVersion: kuma.io/v1alpha1
kind: TrafficRoute
mesh: default
metadata: {name: route-all-default}
spec:
  sources: [{match: {kuma.io/service: "*"}}]
  destinations: [{match: {kuma.io/service: "*"}}]
  conf: {destination: {kuma.io/service: "*"}}
"#;

const KUMA: Entry = Entry {
    definitions: &[include_str!("../crds/kuma.io.yaml")],
    always: &[include_str!("../crds/kuma.io-mesh.yaml")],
    namespaces: &["kuma-system", "mesh-observability"],
    objects: KUMA_OBJECTS,
    gateway: None,
    metric_server: "prometheus-server.mesh-observability:80",
    start: kuma::start,
};

const ISTIO_OBJECTS: &str =
    "{apiVersion: v1, kind: Namespace, metadata: {name: test, labels: {istio-injection: enabled}}}";

const ISTIO: Entry = Entry {
    definitions: &[include_str!("../crds/networking.istio.io-routes.yaml")],
    always: &[include_str!("../crds/networking.istio.io.yaml")],
    namespaces: &["istio-system"],
    objects: ISTIO_OBJECTS,
    gateway: Some(istio::INGRESS),
    metric_server: "prometheus.istio-system:9090",
    start: istio::start,
};

const SMI_ISTIO: Entry = Entry {
    definitions: &[include_str!("../crds/split.smi-spec.io.yaml")],
    always: &[include_str!("../crds/networking.istio.io.yaml")],
    namespaces: &["istio-system"],
    objects: ISTIO_OBJECTS,
    gateway: Some(istio::INGRESS),
    metric_server: "prometheus.istio-system:9090",
    start: smi::start,
};

const KUBERNETES: Entry = Entry {
    definitions: &[],
    always: &[],
    namespaces: &["flagger-system"],
    objects: "",
    gateway: None,
    metric_server: "flagger-prometheus.flagger-system:9090",
    start: |_| Arc::new(super::gateway::Nothing),
};

impl System {
    fn entry(self) -> (&'static Entry, &'static [&'static str]) {
        match self {
            System::Traefik(groups) => (&TRAEFIK, groups),
            System::Apisix => (&APISIX, &[]),
            System::GatewayApi(kinds) => (&GATEWAY_API, kinds),
            System::Kuma(kinds) => (&KUMA, kinds),
            System::Istio => (&ISTIO, &[]),
            System::SmiIstio(versions) => (&SMI_ISTIO, versions),
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
