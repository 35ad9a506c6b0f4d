//! What the Ingresses mean, as data: locations that lead to the pods of a Service, each with its canary.
//!
//! Done as the product does it: of several Ingresses with one host and path the oldest has the location; a canary needs
//! a location of another Ingress with another Service, and of several canaries of a location the first one counts. Not
//! done: default backends, rewrites, regular expressions in paths, TLS, session affinity, other annotations.

use serde_json::Value;

use super::policy::Policy;
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Address, Directory, PortRef};
use crate::view;

pub(super) const INGRESS: Resource = Resource::new("networking.k8s.io", "v1", "ingresses", "Ingress");

/// The class that it serves.
const CLASS: &str = "nginx";

/// All locations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config(pub Vec<Location>);

/// A host and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// In lower case; `*.example.com` for all below, empty for every host.
    pub host: String,
    /// As it was written.
    pub path: String,
    is_exact: bool,
    /// Namespace and name of the Ingress that has it.
    pub ingress: (String, String),
    /// Where requests go.
    pub backend: Backend,
    /// What takes some of them.
    pub canary: Option<Canary>,
}

/// A canary of a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canary {
    /// Which requests it takes.
    pub policy: Policy,
    /// Where they go.
    pub backend: Backend,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// Its Service.
    pub service: String,
    /// Its name in metrics: `<namespace>-<service>-<port>`.
    pub upstream: String,
    /// Its ready pods.
    pub ready: Vec<Address>,
}

impl Config {
    /// Reads the objects.
    pub fn read(seen: &Snapshot) -> Self {
        let directory = Directory::read(seen);
        let mut all: Vec<&Value> = seen.all(INGRESS).filter(|ingress| is_served(ingress)).collect();
        all.sort_by_key(|ingress| view::text(ingress, "/metadata/creationTimestamp"));
        let mut config = Config::default();
        for ingress in all.iter().filter(|ingress| Policy::read(ingress).is_none()) {
            for location in locations(ingress, &directory) {
                if config.at(&location).is_none() {
                    config.0.push(location);
                }
            }
        }
        for ingress in &all {
            let Some(policy) = Policy::read(ingress) else { continue };
            for location in locations(ingress, &directory) {
                let Some(place) = config.at(&location) else { continue };
                if place.canary.is_none() && place.backend.upstream != location.backend.upstream {
                    place.canary = Some(Canary { policy: policy.clone(), backend: location.backend });
                }
            }
        }
        config
    }

    fn at(&mut self, like: &Location) -> Option<&mut Location> {
        let is_same = |one: &&mut Location| {
            one.host == like.host && one.path == like.path && one.is_exact == like.is_exact
        };
        self.0.iter_mut().find(is_same)
    }

    /// The place of the location of a request: a host in full wins over a wildcard, an exact path over a prefix, and a
    /// longer one over a shorter one.
    pub fn find(&self, host: &str, path: &str) -> Option<usize> {
        let fits = self.0.iter().enumerate().filter_map(|(at, location)| {
            let rank = (location.host_rank(host)?, location.takes(path)?, location.path.len());
            Some((rank, at))
        });
        fits.max_by_key(|(rank, at)| (*rank, usize::MAX - at)).map(|(_, at)| at)
    }
}

impl Location {
    fn host_rank(&self, host: &str) -> Option<usize> {
        match self.host.strip_prefix('*') {
            _ if self.host.is_empty() => Some(0),
            Some(end) => host.ends_with(end).then_some(1),
            None => (self.host == host).then_some(2),
        }
    }

    /// Whether it is this path in full.
    fn takes(&self, path: &str) -> Option<bool> {
        if self.is_exact {
            return (self.path == path).then_some(true);
        }
        let prefix = self.path.trim_end_matches('/');
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(false)
    }
}

fn is_served(ingress: &Value) -> bool {
    let class = match view::text(ingress, "/spec/ingressClassName") {
        "" => view::annotation(ingress, "kubernetes.io/ingress.class"),
        class => class,
    };
    class == CLASS
}

fn locations(ingress: &Value, directory: &Directory) -> Vec<Location> {
    let (namespace, name) = (view::namespace(ingress), view::name(ingress));
    let mut found = Vec::new();
    for rule in view::list(ingress, "/spec/rules") {
        for path in view::list(rule, "/http/paths") {
            found.push(Location {
                host: view::text(rule, "/host").to_ascii_lowercase(),
                path: Some(view::text(path, "/path"))
                    .filter(|path| !path.is_empty())
                    .unwrap_or("/")
                    .to_owned(),
                is_exact: view::text(path, "/pathType") == "Exact",
                ingress: (namespace.to_owned(), name.to_owned()),
                backend: backend(namespace, path, directory),
                canary: None,
            });
        }
    }
    found
}

fn backend(namespace: &str, path: &Value, directory: &Directory) -> Backend {
    let service = view::text(path, "/backend/service/name");
    let (port, label) = match view::text(path, "/backend/service/port/name") {
        "" => {
            let number = view::number(path, "/backend/service/port/number", 0);
            (PortRef::Number(u16::try_from(number).unwrap_or_default()), number.to_string())
        }
        name => (PortRef::Name(name.to_owned()), name.to_owned()),
    };
    let ready = directory.port(namespace, service, &port).map(|port| port.ready.clone()).unwrap_or_default();
    Backend { service: service.to_owned(), upstream: format!("{namespace}-{service}-{label}"), ready }
}
