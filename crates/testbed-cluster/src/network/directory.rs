//! What is behind a Service: its ports and ready addresses, read from Services and EndpointSlices as proxies do.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::controllers::Snapshot;
use crate::kinds::{ENDPOINT_SLICE, SERVICE};
use crate::view;

/// A pod's address and port.
pub(crate) type Address = (String, u16);

/// Services by namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory(BTreeMap<(String, String), Service>);

/// One Service: its ports in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Service(Vec<Port>);

/// One port of a Service and the ready addresses behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// Its name, empty for a single port.
    pub name: String,
    /// Its number.
    pub number: u16,
    /// Ready pods, sorted.
    pub ready: Vec<Address>,
}

/// How a port of a Service is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PortRef {
    /// By number.
    Number(u16),
    /// By name.
    Name(String),
}

impl Directory {
    /// Reads the Services and the EndpointSlices.
    pub fn read(seen: &Snapshot) -> Self {
        let mut slices: BTreeMap<(&str, &str), Vec<&Value>> = BTreeMap::new();
        for slice in seen.all(ENDPOINT_SLICE) {
            let service = view::label(slice, "kubernetes.io/service-name");
            slices.entry((view::namespace(slice), service)).or_default().push(slice);
        }
        let services = seen.all(SERVICE).map(|service| {
            let key = (view::namespace(service), view::name(service));
            let slices = slices.get(&key).map(Vec::as_slice).unwrap_or_default();
            let ports = view::list(service, "/spec/ports").iter().filter_map(|port| read_port(port, slices));
            ((key.0.to_owned(), key.1.to_owned()), Service(ports.collect()))
        });
        Directory(services.collect())
    }

    /// Whether there is a Service of that name.
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        self.0.contains_key(&(namespace.to_owned(), name.to_owned()))
    }

    /// One port of a Service.
    pub fn port(&self, namespace: &str, name: &str, port: &PortRef) -> Option<&Port> {
        let service = self.0.get(&(namespace.to_owned(), name.to_owned()))?;
        service.0.iter().find(|one| match port {
            PortRef::Number(number) => one.number == *number,
            PortRef::Name(name) => one.name == *name,
        })
    }

    /// The port of a Service that has just one.
    pub fn only_port(&self, namespace: &str, name: &str) -> Option<&Port> {
        match self.0.get(&(namespace.to_owned(), name.to_owned()))?.0.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

fn read_port(port: &Value, slices: &[&Value]) -> Option<Port> {
    let name = view::text(port, "/name");
    let number = u16::try_from(view::number(port, "/port", -1)).ok()?;
    let mut ready: Vec<Address> = slices.iter().flat_map(|slice| addresses(slice, name)).collect();
    ready.sort();
    Some(Port { name: name.to_owned(), number, ready })
}

/// The ready addresses of a slice with the number that the named port has there.
fn addresses(slice: &Value, name: &str) -> Vec<Address> {
    let port = view::list(slice, "/ports").iter().find(|port| view::text(port, "/name") == name);
    let Some(port) = port.and_then(|port| u16::try_from(view::number(port, "/port", -1)).ok()) else {
        return Vec::new();
    };
    let ready =
        |endpoint: &&Value| view::at(endpoint, "/conditions/ready").and_then(Value::as_bool) != Some(false);
    let endpoints = view::list(slice, "/endpoints").iter().filter(ready);
    let addresses = endpoints.flat_map(|endpoint| view::list(endpoint, "/addresses"));
    addresses.filter_map(|address| Some((address.as_str()?.to_owned(), port))).collect()
}
