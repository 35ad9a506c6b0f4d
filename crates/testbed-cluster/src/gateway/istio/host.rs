//! Hosts and gateways as Istio's objects name them.

use serde_json::Value;

use super::GATEWAY;
use crate::controllers::Snapshot;
use crate::gateway::mesh::{Asked, Target};
use crate::view;

/// The word for the sidecars in a list of gateways.
pub(crate) const MESH: &str = "mesh";
/// What every name of the cluster may end in.
const DOMAIN: &str = ".svc.cluster.local";

/// Whose requests it is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Host {
    /// A Service's, by namespace and name.
    Service(String, String),
    /// Those for exactly this host.
    Named(String),
}

impl Host {
    /// Reads a host: a name without a dot is a Service of the same namespace.
    pub fn read(text: &str, namespace: &str) -> Self {
        match text.strip_suffix(DOMAIN).and_then(|service| service.split_once('.')) {
            Some((name, namespace)) => Host::Service(namespace.to_owned(), name.to_owned()),
            None if !text.contains('.') => Host::Service(namespace.to_owned(), text.to_owned()),
            None => Host::Named(text.to_owned()),
        }
    }

    /// Whether a request is for it.
    pub fn means(&self, asked: &Asked<'_>) -> bool {
        match self {
            Host::Named(name) => asked.host == name,
            Host::Service(namespace, name) => match asked.service {
                Some(service) => service.namespace == *namespace && service.name == *name,
                None => asked.host == format!("{name}.{namespace}{DOMAIN}"),
            },
        }
    }

    /// It as the target of a route.
    pub fn target(self, port: Option<u16>) -> Target {
        match self {
            Host::Service(namespace, name) => Target { namespace, name, port },
            // Not in this cluster, and so without endpoints.
            Host::Named(name) => Target { namespace: String::new(), name, port },
        }
    }
}

/// The hosts that a gateway is open for; none when there is no such gateway. Names are `<name>` in the same namespace,
/// `<namespace>/<name>`, and the older `<name>.<namespace>.svc.cluster.local`.
pub(crate) fn open_for(reference: &str, namespace: &str, seen: &Snapshot) -> Vec<String> {
    let older = reference.strip_suffix(DOMAIN).unwrap_or(reference);
    let (namespace, name) = match (reference.split_once('/'), older.split_once('.')) {
        (Some(parts), _) => parts,
        (None, Some((name, namespace))) => (namespace, name),
        (None, None) => (namespace, reference),
    };
    let Some(gateway) = seen.get(GATEWAY, namespace, name) else { return Vec::new() };
    let hosts = view::list(gateway, "/spec/servers").iter().flat_map(|server| view::list(server, "/hosts"));
    hosts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a gateway's host is this one: `*`, `*.example.com`, `app.example.com`, each also behind a namespace.
pub(crate) fn fits(open: &str, host: &str) -> bool {
    let open = open.split_once('/').map_or(open, |(_, host)| host);
    match open.strip_prefix('*') {
        Some(rest) => host.ends_with(rest),
        None => open == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_are_open_for_what_their_servers_list() {
        let check =
            |open: &str, host: &str, expect: bool| assert_eq!(fits(open, host), expect, "{open} {host}");
        check("*", "app.example.com", true);
        check("*.example.com", "app.example.com", true);
        check("*.example.com", "example.org", false);
        check("test/app.example.com", "app.example.com", true);
        check("app.example.com", "www.example.com", false);
    }
}
