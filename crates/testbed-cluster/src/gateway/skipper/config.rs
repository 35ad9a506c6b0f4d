//! What the Ingresses mean, as data: paths that are shared by the pods of Services.
//!
//! Done as the product does it: paths of one Ingress with one host and path are one route with several backends; a path
//! with the predicate `False()` takes nothing. Of other predicates `Weight` and `Method` are known. Not done:
//! RouteGroups, filters, default backends, further routes, path modes, fading in and out of pods.

use serde_json::Value;

use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Address, Directory, PortRef};
use crate::view;

pub(super) const INGRESS: Resource = Resource::new("networking.k8s.io", "v1", "ingresses", "Ingress");

/// All paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config(pub Vec<Path>);

/// A host and path of an Ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    host: String,
    path: String,
    is_exact: bool,
    weight: u64,
    method: Option<String>,
    /// What shares its requests.
    pub backends: Vec<Backend>,
}

/// A port of a Service, and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// Relative to the others of the path.
    pub weight: u64,
    /// The name of the route in series.
    pub route: String,
    /// Its ready pods.
    pub ready: Vec<Address>,
}

impl Config {
    /// Reads the objects.
    pub fn read(seen: &Snapshot) -> Self {
        let directory = Directory::read(seen);
        let mut config = Config::default();
        for ingress in seen.all(INGRESS) {
            let predicates = view::annotation(ingress, "zalando.org/skipper-predicate");
            let terms: Vec<&str> = predicates.split(" && ").collect();
            if terms.contains(&"False()") {
                continue;
            }
            let argument = |name: &str| {
                let found = terms
                    .iter()
                    .find_map(|term| term.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')'));
                found.map(|text| text.trim_matches('"').to_owned())
            };
            let first = config.0.len();
            for rule in view::list(ingress, "/spec/rules") {
                for entry in view::list(rule, "/http/paths") {
                    let new = Path {
                        host: view::text(rule, "/host").to_ascii_lowercase(),
                        path: view::text(entry, "/path").to_owned(),
                        is_exact: view::text(entry, "/pathType") == "Exact",
                        weight: argument("Weight").and_then(|text| text.parse().ok()).unwrap_or_default(),
                        method: argument("Method"),
                        backends: Vec::new(),
                    };
                    let backend = backend(ingress, &new, entry, &directory);
                    let own = config.0.iter_mut().skip(first);
                    let mut same = own.filter(|path| (&path.host, &path.path) == (&new.host, &new.path));
                    match same.next() {
                        Some(path) => path.backends.push(backend),
                        None => config.0.push(Path { backends: vec![backend], ..new }),
                    }
                }
            }
        }
        config
    }

    /// The place of the path of a request.
    pub fn find(&self, host: &str, path: &str, method: &str) -> Option<usize> {
        let fits = self.0.iter().enumerate().filter(|(_, one)| {
            let prefix = one.path.trim_end_matches('/');
            let rest = path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            let on_path = if one.is_exact { one.path == path } else { rest.is_some() };
            let on_host = one.host.is_empty() || one.host == host;
            on_path && on_host && one.method.as_deref().is_none_or(|own| own == method)
        });
        fits.max_by_key(|(at, one)| (one.weight, one.path.len(), usize::MAX - at)).map(|(at, _)| at)
    }
}

fn backend(ingress: &Value, of: &Path, entry: &Value, directory: &Directory) -> Backend {
    let (namespace, name) = (view::namespace(ingress), view::name(ingress));
    let service = view::text(entry, "/backend/service/name");
    let port = match view::text(entry, "/backend/service/port/name") {
        "" => {
            let number = view::number(entry, "/backend/service/port/number", 0);
            PortRef::Number(u16::try_from(number).unwrap_or_default())
        }
        name => PortRef::Name(name.to_owned()),
    };
    let shares: Value =
        serde_json::from_str(view::annotation(ingress, "zalando.org/backend-weights")).unwrap_or_default();
    let weight =
        if shares.is_object() { shares.get(service).and_then(Value::as_u64).unwrap_or(0) } else { 1 };
    let route = format!("kube_{namespace}__{name}__{}__{}__{service}", of.host, of.path);
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let route = route.chars().map(|one| if is_word(one) { one } else { '_' }).collect();
    let ready = directory.port(namespace, service, &port).map(|port| port.ready.clone()).unwrap_or_default();
    Backend { weight, route, ready }
}
