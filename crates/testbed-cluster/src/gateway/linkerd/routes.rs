//! The routes of the Gateway API whose parent is a Service, as the proxies of its clients follow them.
//!
//! Once a Service has a route, a request that no rule takes gets 404. Not done: routes in another namespace than the
//! Service, which count for clients of that namespace alone, filters, timeouts, retries.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;

use crate::controllers::Snapshot;
use crate::gateway::gateway_api::matches::{Match, foremost};
use crate::gateway::gateway_api::{GRPC_ROUTE, HTTP_ROUTE};
use crate::gateway::mesh::{Split, Target, To};
use crate::kinds::Resource;
use crate::view;

/// All of these routes, with what they were read from.
#[derive(Debug, Default)]
pub(super) struct OfServices {
    rules: Vec<Rule>,
    specs: Vec<Value>,
}

/// A rule, for requests to one of its parents.
#[derive(Debug)]
struct Rule {
    parent: Target,
    matches: Vec<Match>,
    split: Split,
}

/// A rule is what its route says.
impl PartialEq for OfServices {
    fn eq(&self, other: &Self) -> bool {
        self.specs == other.specs
    }
}

impl OfServices {
    /// Reads the objects.
    pub fn read(seen: &Snapshot) -> Self {
        let of = |kind| seen.all(kind).map(move |route| (kind, route));
        let (mut rules, mut specs) = (Vec::new(), Vec::new());
        for (kind, route) in of(HTTP_ROUTE).chain(of(GRPC_ROUTE)) {
            let namespace = view::namespace(route);
            specs.push(serde_json::json!([namespace, route.get("spec")]));
            for parent in
                view::list(route, "/spec/parentRefs").iter().filter_map(|one| parent(namespace, one))
            {
                let of_parent = view::list(route, "/spec/rules").iter();
                rules.extend(of_parent.map(|rule| Rule::read((kind, namespace), &parent, rule)));
            }
        }
        OfServices { rules, specs }
    }

    /// Where a request to a Service goes.
    pub fn route(&self, service: &Target, request: &Request<Bytes>) -> To<'_> {
        let is_of = |parent: &Target| {
            (&parent.namespace, &parent.name) == (&service.namespace, &service.name)
                && (parent.port.is_none() || parent.port == service.port)
        };
        let mut rules = self.rules.iter().filter(|rule| is_of(&rule.parent)).peekable();
        if rules.peek().is_none() {
            return To::Asked;
        }
        let found = foremost(rules.map(|rule| (rule.matches.as_slice(), rule)), request);
        found.map_or(To::Nowhere(StatusCode::NOT_FOUND, ""), |rule| To::Split(&rule.split))
    }
}

impl Rule {
    fn read((kind, namespace): (Resource, &str), parent: &Target, rule: &Value) -> Self {
        let backends = view::list(rule, "/backendRefs").iter();
        let split = backends.map(|backend| {
            let weight = u64::try_from(view::number(backend, "/weight", 1)).unwrap_or(0);
            let target = Target {
                namespace: namespace.to_owned(),
                name: view::text(backend, "/name").to_owned(),
                port: port(backend),
            };
            (weight, target)
        });
        Rule { parent: parent.clone(), matches: Match::all(kind, rule), split: split.collect() }
    }
}

/// The Service that a reference to a parent names, if it is one of the route's namespace.
fn parent(namespace: &str, of: &Value) -> Option<Target> {
    let is_here = ["", namespace].contains(&view::text(of, "/namespace"));
    (view::text(of, "/kind") == "Service" && is_here).then(|| Target {
        namespace: namespace.to_owned(),
        name: view::text(of, "/name").to_owned(),
        port: port(of),
    })
}

fn port(of: &Value) -> Option<u16> {
    u16::try_from(view::number(of, "/port", 0)).ok().filter(|port| *port > 0)
}
