//! What the IngressRoutes and TraefikServices mean, as data: routes that lead to balanced addresses.
//!
//! As the product does: a TraefikService of which one child cannot be built is not built at all, and a route to it is a
//! route to nothing. A child cannot be built when its Service or port does not exist, or when it has no ready endpoint,
//! whatever its weight. A child in another namespace is refused (`allowCrossNamespace` is off by default).
//!
//! Not done: mirroring, sticky sessions, middlewares, TLS routes, entry points (there is one), `nativeLB`,
//! ExternalName Services, health checks, `ServersTransport`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rule::Rule;
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Address, Directory, PortRef};
use crate::view;

const GROUPS: [&str; 2] = ["traefik.io", "traefik.containo.us"];

/// TraefikServices and IngressRoutes of both groups.
pub(super) const KINDS: [Resource; 4] = [
    Resource::new("traefik.io", "v1alpha1", "traefikservices", "TraefikService"),
    Resource::new("traefik.containo.us", "v1alpha1", "traefikservices", "TraefikService"),
    Resource::new("traefik.io", "v1alpha1", "ingressroutes", "IngressRoute"),
    Resource::new("traefik.containo.us", "v1alpha1", "ingressroutes", "IngressRoute"),
];

/// Routes, the first that matches wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config(pub Vec<Route>);

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Which requests it takes.
    pub rule: Rule,
    /// Where they go; `Err` says why nowhere.
    pub to: Result<Backend, String>,
    priority: i64,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    /// To the pods of one Service.
    Service {
        /// The name in metrics: `<namespace>-<service>-<port>@kubernetescrd`.
        label: String,
        /// Ready pods; never empty.
        addresses: Vec<Address>,
    },
    /// To several of them by weight.
    Weighted(Vec<(u64, Backend)>),
}

impl Config {
    /// Reads the objects.
    pub fn read(seen: &Snapshot) -> Self {
        let directory = Directory::read(seen);
        let reader = Reader { seen, directory: &directory };
        let mut routes: Vec<Route> = Vec::new();
        for group in GROUPS {
            let kind = KINDS.iter().find(|kind| kind.group == group && kind.kind == "IngressRoute");
            for route in kind.into_iter().flat_map(|kind| seen.all(*kind)) {
                routes.extend(
                    view::list(route, "/spec/routes")
                        .iter()
                        .filter_map(|rule| reader.route(group, route, rule)),
                );
            }
        }
        // The longer rule first, unless a priority says otherwise; otherwise by name, so that chance decides nothing.
        routes.sort_by_key(|route| std::cmp::Reverse(route.priority));
        Config(routes)
    }
}

struct Reader<'a> {
    seen: &'a Snapshot,
    directory: &'a Directory,
}

impl Reader<'_> {
    fn route(&self, group: &str, object: &Value, route: &Value) -> Option<Route> {
        let text = view::text(route, "/match");
        let rule = match Rule::parse(text) {
            Ok(rule) => rule,
            Err(problem) => {
                tracing::warn!(route = view::name(object), problem, "an IngressRoute's rule is left out");
                return None;
            }
        };
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let priority = match view::number(route, "/priority", 0) {
            0 => length,
            set => set,
        };
        let to =
            self.children(group, view::namespace(object), view::list(route, "/services"), &BTreeSet::new());
        Some(Route { rule, to, priority })
    }

    /// Children of a route or of a TraefikService. A single one needs no balancing.
    fn children(
        &self,
        group: &str,
        namespace: &str,
        children: &[Value],
        above: &BTreeSet<String>,
    ) -> Result<Backend, String> {
        let mut built = Vec::new();
        for child in children {
            // A missing weight is 1 (Traefik, "Weighted Round Robin").
            let weight = u64::try_from(view::number(child, "/weight", 1)).unwrap_or(0);
            built.push((weight, self.child(group, namespace, child, above)?));
        }
        match built.len() {
            0 => Err("no services".to_owned()),
            1 if above.is_empty() => built.pop().map(|(_, only)| only).ok_or_else(String::new),
            _ => Ok(Backend::Weighted(built)),
        }
    }

    fn child(
        &self,
        group: &str,
        namespace: &str,
        child: &Value,
        above: &BTreeSet<String>,
    ) -> Result<Backend, String> {
        let name = view::text(child, "/name");
        let elsewhere = view::text(child, "/namespace");
        if !elsewhere.is_empty() && elsewhere != namespace {
            return Err(format!("{elsewhere}/{name} is in another namespace"));
        }
        match view::text(child, "/kind") {
            "TraefikService" => self.traefik_service(group, namespace, name, above),
            _ => self.service(namespace, name, child),
        }
    }

    fn traefik_service(
        &self,
        group: &str,
        namespace: &str,
        name: &str,
        above: &BTreeSet<String>,
    ) -> Result<Backend, String> {
        if above.contains(name) {
            return Err(format!("TraefikService {namespace}/{name} contains itself"));
        }
        let kind = KINDS.iter().find(|kind| kind.group == group && kind.kind == "TraefikService");
        let object = kind.and_then(|kind| self.seen.get(*kind, namespace, name));
        let object = object.ok_or_else(|| format!("TraefikService {namespace}/{name} does not exist"))?;
        let mut above = above.clone();
        above.insert(name.to_owned());
        self.children(group, namespace, view::list(object, "/spec/weighted/services"), &above)
    }

    fn service(&self, namespace: &str, name: &str, child: &Value) -> Result<Backend, String> {
        let (port, written) = match child.get("port") {
            Some(Value::String(name)) => (PortRef::Name(name.clone()), name.clone()),
            Some(Value::Number(number)) => {
                let number = number.as_u64().and_then(|number| u16::try_from(number).ok());
                (PortRef::Number(number.unwrap_or(0)), number.unwrap_or(0).to_string())
            }
            _ => return Err(format!("service {namespace}/{name} is listed without a port")),
        };
        if !self.directory.has(namespace, name) {
            return Err(format!("service {namespace}/{name} does not exist"));
        }
        let found = self.directory.port(namespace, name, &port);
        let found = found.ok_or_else(|| format!("service {namespace}/{name} has no port {written}"))?;
        if found.ready.is_empty() {
            return Err(format!("service {namespace}/{name} has no ready endpoints"));
        }
        let label = format!("{namespace}-{name}-{written}@kubernetescrd");
        Ok(Backend::Service { label, addresses: found.ready.clone() })
    }
}
