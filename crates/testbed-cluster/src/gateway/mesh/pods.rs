//! Who the pods are, as their sidecars know it: their workload and the Services that they belong to.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::controllers::Snapshot;
use crate::kinds::{POD, SERVICE};
use crate::view;

/// The label that the Deployment's controller puts on the pods of each ReplicaSet.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// The protocols that Kuma knows.
const PROTOCOLS: [&str; 6] = ["tcp", "tls", "http", "http2", "grpc", "kafka"];

/// Pods by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pods(BTreeMap<String, Pod>);

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its label `app`, empty without one.
    pub app: String,
    /// Its label `version`, empty without one.
    pub version: String,
    /// The Deployment that it is of, or whatever else controls it, or itself.
    pub workload: String,
    /// The ports of the Services that select it, by name and number.
    pub members: Vec<Member>,
}

/// A pod's part in one port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    /// The Service's name.
    pub service: String,
    /// The port's number.
    pub port: u16,
    /// Its `appProtocol` if that is one of [`PROTOCOLS`], else what the annotation `<port>.service.kuma.io/protocol`
    /// says, in lower case; empty without either.
    pub protocol: String,
}

impl Pods {
    /// Reads Pods and Services.
    pub fn read(seen: &Snapshot) -> Self {
        let services: Vec<&Value> = seen.all(SERVICE).collect();
        let pods =
            seen.all(POD).map(|pod| (view::text(pod, "/status/podIP").to_owned(), read(pod, &services)));
        Pods(pods.filter(|(ip, _)| !ip.is_empty()).collect())
    }

    /// The pod of an address.
    pub fn get(&self, ip: &str) -> Option<&Pod> {
        self.0.get(ip)
    }
}

fn read(pod: &Value, services: &[&Value]) -> Pod {
    let none = Map::new();
    let (namespace, labels) = (view::namespace(pod), view::labels(pod).unwrap_or(&none));
    let selects = |service: &&&Value| {
        let selector = view::at(service, "/spec/selector").and_then(Value::as_object);
        view::namespace(service) == namespace
            && selector.is_some_and(|wanted| !wanted.is_empty() && view::is_subset(wanted, labels))
    };
    let mut members: Vec<Member> =
        services.iter().filter(selects).flat_map(|service| members(service)).collect();
    members.sort();
    Pod {
        namespace: namespace.to_owned(),
        name: view::name(pod).to_owned(),
        app: view::label(pod, "app").to_owned(),
        version: view::label(pod, "version").to_owned(),
        workload: workload(pod).to_owned(),
        members,
    }
}

fn members(service: &Value) -> Vec<Member> {
    let member = |port: &Value| {
        let number = u16::try_from(view::number(port, "/port", -1)).ok()?;
        let hint = view::annotation(service, &format!("{number}.service.kuma.io/protocol"));
        let told = view::text(port, "/appProtocol").to_lowercase();
        let protocol = if PROTOCOLS.contains(&told.as_str()) { told } else { hint.to_lowercase() };
        let service = view::name(service).to_owned();
        Some(Member { service, port: number, protocol })
    };
    view::list(service, "/spec/ports").iter().filter_map(member).collect()
}

/// The name of a ReplicaSet is that of its Deployment with the hash of the template behind it.
fn workload(pod: &Value) -> &str {
    let owner = view::list(pod, "/metadata/ownerReferences")
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    let Some(owner) = owner.map(|owner| view::text(owner, "/name")) else { return view::name(pod) };
    let hash = view::label(pod, TEMPLATE_HASH);
    owner.strip_suffix(hash).and_then(|name| name.strip_suffix('-')).unwrap_or(owner)
}
