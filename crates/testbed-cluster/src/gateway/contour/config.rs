//! What the HTTPProxies mean, as data: routes of virtual hosts that are shared by the pods of Services.
//!
//! Done as the product does it: an HTTPProxy with a virtual host is a root, whose `includes` lead to others, under the
//! conditions of both; one that no root reaches is an orphan. Of the routes that fit, an exact path goes before a longer
//! prefix, and more conditions on headers before fewer. A weight that is missing is 0 beside others, and all count the
//! same where none has a weight. Not done: conditions `regex` of the path, parameters, TLS, redirects, policies, mirrors,
//! health checks; an HTTPProxy that includes itself is not followed further.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use regex::Regex;
use serde_json::Value;

use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Address, Directory, PortRef};
use crate::view;

pub(super) const HTTP_PROXY: Resource = Resource::new("projectcontour.io", "v1", "httpproxies", "HTTPProxy");

/// All routes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Config {
    routes: Vec<Route>,
    /// Namespace and name of the HTTPProxies that a root reaches.
    reached: BTreeSet<(String, String)>,
}

/// A route of a virtual host.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    host: String,
    conditions: Vec<Value>,
    /// What shares its requests.
    pub services: Vec<Service>,
}

/// A port of a Service, and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// Relative to the others of the route.
    pub weight: u64,
    /// The name of the cluster in series.
    pub cluster: String,
    /// Its ready pods.
    pub ready: Vec<Address>,
}

impl Config {
    /// Reads the objects.
    pub fn read(seen: &Snapshot) -> Self {
        let directory = Directory::read(seen);
        let mut config = Config::default();
        for root in seen.all(HTTP_PROXY) {
            let host = view::text(root, "/spec/virtualhost/fqdn").to_ascii_lowercase();
            if !host.is_empty() {
                config.add(seen, &directory, &host, &[], root);
            }
        }
        config
    }

    fn add(&mut self, seen: &Snapshot, directory: &Directory, host: &str, outer: &[Value], proxy: &Value) {
        let (namespace, name) = (view::namespace(proxy), view::name(proxy));
        let is_first = self.reached.insert((namespace.to_owned(), name.to_owned()));
        let under = |item: &Value| [outer, view::list(item, "/conditions")].concat();
        for route in view::list(proxy, "/spec/routes") {
            let services = view::list(route, "/services").iter().filter(|one| !is_mirror(one));
            let services = services.map(|one| service(directory, namespace, one)).collect();
            self.routes.push(Route { host: host.to_owned(), conditions: under(route), services });
        }
        for include in view::list(proxy, "/spec/includes").iter().filter(|_| is_first) {
            let elsewhere = view::text(include, "/namespace");
            let namespace = if elsewhere.is_empty() { namespace } else { elsewhere };
            if let Some(child) = seen.get(HTTP_PROXY, namespace, view::text(include, "/name")) {
                self.add(seen, directory, host, &under(include), child);
            }
        }
    }

    /// Whether a root reaches an HTTPProxy.
    pub fn reaches(&self, proxy: &Value) -> bool {
        self.reached.contains(&(view::namespace(proxy).to_owned(), view::name(proxy).to_owned()))
    }

    /// All routes, in the order of the objects.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The place of the route of a request.
    pub fn find(&self, host: &str, request: &Request<Bytes>) -> Option<usize> {
        let fits = self.routes.iter().enumerate().filter(|(_, one)| one.host == host);
        let ranked = fits.filter_map(|(at, one)| Some((one.rank(request)?, usize::MAX - at, at)));
        ranked.max().map(|(_, _, at)| at)
    }
}

impl Route {
    /// How exactly it fits a request; `None` when it does not.
    fn rank(&self, request: &Request<Bytes>) -> Option<(bool, usize, usize)> {
        let texts =
            |field: &'static str| self.conditions.iter().filter_map(move |one| one.get(field)?.as_str());
        // The prefixes of includes and of the route are joined.
        let prefix: String = texts("prefix").map(|part| part.trim_end_matches('/')).collect();
        let path = request.uri().path();
        let exact = texts("exact").last();
        let on_path = match exact {
            Some(exact) => path == format!("{prefix}{exact}"),
            None => path.starts_with(&prefix),
        };
        let headers: Vec<_> = self.conditions.iter().filter_map(|one| one.get("header")).collect();
        let is_met = headers.iter().all(|condition| meets(condition, request));
        (on_path && is_met).then_some((exact.is_some(), prefix.len(), headers.len()))
    }
}

fn is_mirror(service: &Value) -> bool {
    service.get("mirror").and_then(Value::as_bool) == Some(true)
}

fn service(directory: &Directory, namespace: &str, entry: &Value) -> Service {
    let (name, port) = (view::text(entry, "/name"), view::number(entry, "/port", 0));
    let found = directory.port(namespace, name, &PortRef::Number(u16::try_from(port).unwrap_or_default()));
    Service {
        weight: u64::try_from(view::number(entry, "/weight", 0)).unwrap_or_default(),
        cluster: format!("{namespace}_{name}_{port}"),
        ready: found.map(|port| port.ready.clone()).unwrap_or_default(),
    }
}

fn meets(condition: &Value, request: &Request<Bytes>) -> bool {
    let name = view::text(condition, "/name");
    let found = request.headers().get(name).and_then(|value| value.to_str().ok());
    let all = condition.as_object().into_iter().flatten();
    all.filter(|(field, _)| *field != "name").all(|(field, wanted)| {
        let text = wanted.as_str().unwrap_or_default();
        match (field.as_str(), found) {
            ("present", found) => found.is_some(),
            ("notpresent", found) => found.is_none(),
            ("exact", Some(found)) => found == text,
            ("contains", Some(found)) => found.contains(text),
            ("notexact", Some(found)) => found != text,
            ("notcontains", Some(found)) => !found.contains(text),
            ("regex", Some(found)) => {
                Regex::new(&format!("^(?:{text})$")).is_ok_and(|pattern| pattern.is_match(found))
            }
            _ => false,
        }
    })
}
