//! Routes of virtual hosts that are shared by the pods of Services, whatever product's objects say so.
//!
//! Conditions are objects with one field: `prefix` or `exact` of the path, `method` with a list, or `header` with a
//! `name` and what its value has to be. A prefix is joined to those before it.

use bytes::Bytes;
use http::Request;
use regex::Regex;
use serde_json::Value;

use crate::network::{Address, Directory, PortRef};
use crate::view;

/// All routes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Config {
    /// In the order of the objects.
    pub routes: Vec<Route>,
    /// Whether the first one that fits is taken, and not the one that fits best: an exact path goes before a longer
    /// prefix, and more conditions on headers before fewer.
    pub is_in_order: bool,
}

/// A route of a virtual host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    /// `*` for every host.
    pub host: String,
    /// All of them have to be met.
    pub conditions: Vec<Value>,
    /// What shares its requests.
    pub services: Vec<Service>,
}

/// A port of a Service, and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Relative to the others of the route.
    pub weight: u64,
    /// The name of the cluster in series.
    pub cluster: String,
    /// Its ready pods.
    pub ready: Vec<Address>,
}

impl Service {
    /// What the cluster of this name leads to.
    pub fn new(
        directory: &Directory,
        cluster: String,
        weight: i64,
        (namespace, name, port): (&str, &str, i64),
    ) -> Self {
        let found =
            directory.port(namespace, name, &PortRef::Number(u16::try_from(port).unwrap_or_default()));
        let ready = found.map(|port| port.ready.clone()).unwrap_or_default();
        Service { weight: u64::try_from(weight).unwrap_or_default(), cluster, ready }
    }
}

impl Config {
    /// The place of the route of a request.
    pub fn find(&self, host: &str, request: &Request<Bytes>) -> Option<usize> {
        let on_host = |one: &Route| one.host == host || one.host == "*";
        let mut fits = self.routes.iter().enumerate().filter(|(_, one)| on_host(one));
        if self.is_in_order {
            return fits.find(|(_, one)| one.rank(request).is_some()).map(|(at, _)| at);
        }
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
        let exact = texts("exact").next_back();
        let on_path = match exact {
            Some(exact) => path == format!("{prefix}{exact}"),
            None => path.starts_with(&prefix),
        };
        let methods = self.conditions.iter().filter_map(|one| one.get("method")?.as_array());
        let on_method =
            methods.into_iter().all(|list| list.iter().any(|one| one == request.method().as_str()));
        let headers: Vec<_> = self.conditions.iter().filter_map(|one| one.get("header")).collect();
        let is_met = headers.iter().all(|condition| meets(condition, request));
        (on_path && on_method && is_met).then_some((exact.is_some(), prefix.len(), headers.len()))
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
