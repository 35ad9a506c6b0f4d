//! MeshHTTPRoute, as Kuma 3 reads it: Services are selected by the labels of their MeshServices.
//!
//! A route in Kuma's own namespace is about all proxies; one in the namespace of the Service that it is about is a
//! producer's and so is about all too; one elsewhere is a consumer's, about the proxies of that namespace. The rules of
//! all routes for a Service are one list, the more specific match first. Where no rule matches the answer is 404; where
//! none of a rule's backends can be resolved (no such Service or port) it is 500; a rule without backends sends to the
//! Service itself. Sources: Kuma's policy reference and its notes on migrating to 3.0. Not done: filters, matches by
//! header and query parameter (rules with one are left out), `targetRef` of some dataplanes only, MeshExternalService,
//! MeshMultiZoneService.

use std::cmp::Reverse;

use bytes::Bytes;
use http::{Request, StatusCode};
use regex::Regex;
use serde_json::Value;

use super::{DEFAULT_MESH, MESH_HTTP_ROUTE, Place, Port, Rule};
use crate::controllers::Snapshot;
use crate::gateway::mesh::CALLER;
use crate::view;

/// The namespace of Kuma's control plane.
const SYSTEM_NAMESPACE: &str = "kuma-system";

/// Which requests a rule takes.
#[derive(Clone, Debug)]
pub(super) struct Match {
    path: Path,
    method: Option<String>,
}

#[derive(Clone, Debug)]
enum Path {
    Exact(String),
    Prefix(String),
    Pattern(Regex),
}

impl Match {
    /// Whether it takes a request.
    pub fn takes(&self, request: &Request<Bytes>) -> bool {
        let path = request.uri().path();
        let fits = match &self.path {
            Path::Exact(exact) => path == exact,
            Path::Prefix(prefix) => {
                let rest = path.strip_prefix(prefix.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Path::Pattern(pattern) => pattern.is_match(path),
        };
        fits && self.method.as_deref().is_none_or(|method| method == request.method().as_str())
    }

    fn read(written: &Value) -> Option<Self> {
        if ["headers", "queryParams"].iter().any(|list| written.get(*list).is_some()) {
            tracing::warn!("a MeshHTTPRoute's rule that looks at headers or parameters is left out");
            return None;
        }
        let value = view::text(written, "/path/value").to_owned();
        let path = match view::text(written, "/path/type") {
            "" => Path::Prefix("/".to_owned()),
            "PathPrefix" => Path::Prefix(value),
            "Exact" => Path::Exact(value),
            _ => Path::Pattern(Regex::new(&format!("^(?:{value})$")).ok()?),
        };
        let method = Some(view::text(written, "/method")).filter(|method| !method.is_empty());
        Some(Match { path, method: method.map(str::to_owned) })
    }

    /// The more, the more specific.
    fn rank(&self) -> (u8, usize, bool) {
        let (kind, length) = match &self.path {
            Path::Exact(path) => (2, path.len()),
            Path::Prefix(path) => (1, path.len()),
            Path::Pattern(_) => (0, 0),
        };
        (kind, length, self.method.is_some())
    }

    fn parts(&self) -> (u8, &str, Option<&str>) {
        let (kind, text) = match &self.path {
            Path::Exact(path) => (0, path.as_str()),
            Path::Prefix(path) => (1, path.as_str()),
            Path::Pattern(pattern) => (2, pattern.as_str()),
        };
        (kind, text, self.method.as_deref())
    }
}

impl PartialEq for Match {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

/// The rules for a port; `None` when no route is about it. `all` are the ports that backends can be resolved to.
pub(super) fn rules(seen: &Snapshot, port: &Port<'_>, all: &[Port<'_>]) -> Option<Vec<Rule>> {
    let mut rules = Vec::new();
    let mut concerned = false;
    for route in seen.all(MESH_HTTP_ROUTE).filter(|route| is_effective(route, port)) {
        let items = view::list(route, "/spec/to").iter();
        for item in items.filter(|item| refers(item.get("targetRef"), port)) {
            concerned = true;
            for rule in view::list(item, "/rules") {
                let to = place(rule, all);
                let matches = view::list(rule, "/matches").iter().filter_map(Match::read);
                rules.extend(matches.map(|one| Rule { matches: Some(one), to: to.clone() }));
            }
        }
    }
    rules.sort_by_key(|rule| Reverse(rule.matches.as_ref().map(Match::rank)));
    concerned.then_some(rules)
}

/// Whether the caller's proxy heeds a route about this port.
fn is_effective(route: &Value, port: &Port<'_>) -> bool {
    let mesh = view::label(route, "kuma.io/mesh");
    let namespace = view::namespace(route);
    matches!(mesh, "" | DEFAULT_MESH)
        && matches!(view::text(route, "/spec/targetRef/kind"), "" | "Mesh")
        && [SYSTEM_NAMESPACE, CALLER.1, port.target.namespace.as_str()].contains(&namespace)
}

/// Whether a reference is about a port: by kind, labels, and the name or number of the section.
fn refers(reference: Option<&Value>, port: &Port<'_>) -> bool {
    let Some(reference) = reference else { return false };
    match view::text(reference, "/kind") {
        "Mesh" => true,
        "MeshService" => {
            let section = view::text(reference, "/sectionName");
            let number = view::number(reference, "/port", i64::from(port.number));
            labelled(reference, port)
                && (section.is_empty() || section == port.name || section == port.number.to_string())
                && number == i64::from(port.number)
        }
        _ => false,
    }
}

/// A MeshService has the labels of its Service, and these.
fn labelled(reference: &Value, port: &Port<'_>) -> bool {
    let label = |key: &str| match key {
        "kuma.io/display-name" | "k8s.kuma.io/service-name" => port.target.name.as_str(),
        "k8s.kuma.io/namespace" => &port.target.namespace,
        "kuma.io/mesh" => DEFAULT_MESH,
        other => view::label(port.service, other),
    };
    let labels = reference.get("labels").and_then(Value::as_object).filter(|labels| !labels.is_empty());
    labels.is_some_and(|labels| labels.iter().all(|(key, value)| value.as_str() == Some(label(key))))
}

fn place(rule: &Value, all: &[Port<'_>]) -> Place {
    let backends = view::list(rule, "/default/backendRefs");
    if backends.is_empty() {
        return Place::Asked;
    }
    let mut split = Vec::new();
    for backend in backends {
        let weight = u64::try_from(view::number(backend, "/weight", 1)).unwrap_or(0);
        let found = all.iter().find(|port| refers(Some(backend), port));
        split.extend(found.map(|port| (weight, port.target.clone())));
    }
    Place::split(split, Place::Nowhere(StatusCode::INTERNAL_SERVER_ERROR, ""))
}
