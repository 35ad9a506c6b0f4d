//! What an implementation of the Gateway API writes to the status of the routes that have a parent of its own.

use serde_json::{Value, json};

use super::{GRPC_ROUTE, HTTP_ROUTE};
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;
use crate::network::Directory;
use crate::view;

/// Who reports.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Reporter {
    /// Its name in reports.
    pub controller: &'static str,
    /// What its parents are.
    pub parents: Resource,
}

impl Reporter {
    /// What it has to say of all routes whose status says something else.
    pub fn reports(self, seen: &Snapshot) -> Vec<(Target, Value)> {
        let directory = Directory::read(seen);
        let of = |kind| seen.all(kind).map(move |route| (kind, route));
        let routes = of(HTTP_ROUTE).chain(of(GRPC_ROUTE));
        routes.filter_map(|(kind, route)| self.report(seen, &directory, (kind, route))).collect()
    }

    fn report(
        self,
        seen: &Snapshot,
        directory: &Directory,
        (kind, route): (Resource, &Value),
    ) -> Option<(Target, Value)> {
        let live = view::list(route, "/status/parents");
        let of_others = |entry: &&Value| view::text(entry, "/controllerName") != self.controller;
        let mut parents: Vec<Value> = live.iter().filter(of_others).cloned().collect();
        let missing = missing_backend(directory, route);
        let own = view::list(route, "/spec/parentRefs").iter().filter(|parent| self.is_of(parent));
        parents.extend(own.map(|parent| {
            let named = view::text(parent, "/namespace");
            let namespace = if named.is_empty() { view::namespace(route) } else { named };
            let exists = seen.get(self.parents, namespace, view::text(parent, "/name")).is_some();
            let no_parent = || ("NoMatchingParent", format!("there is no such {}", self.parents.kind));
            let unresolved = |name: &&str| ("BackendNotFound", format!("Service {name} does not exist"));
            let accepted = condition(route, "Accepted", (!exists).then(no_parent));
            let resolved = condition(route, "ResolvedRefs", missing.as_ref().map(unresolved));
            json!({
                "parentRef": parent, "controllerName": self.controller, "conditions": [accepted, resolved],
            })
        }));
        (live != parents).then(|| (Target::new(kind, route), json!({"status": {"parents": parents}})))
    }

    fn is_of(self, parent: &Value) -> bool {
        match view::text(parent, "/kind") {
            "" => self.parents.kind == "Gateway",
            kind => kind == self.parents.kind,
        }
    }
}

fn condition(route: &Value, kind: &str, problem: Option<(&str, String)>) -> Value {
    let (status, reason, message) = match problem {
        None => ("True", kind, String::new()),
        Some((reason, message)) => ("False", reason, message),
    };
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "observedGeneration": view::generation(route), "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

/// A Service that a route names and that does not exist.
fn missing_backend<'r>(directory: &Directory, route: &'r Value) -> Option<&'r str> {
    let namespace = view::namespace(route);
    let rules = view::list(route, "/spec/rules").iter();
    let mut names = rules.flat_map(|rule| view::list(rule, "/backendRefs")).map(|of| view::text(of, "/name"));
    names.find(|name| !directory.has(namespace, name))
}
