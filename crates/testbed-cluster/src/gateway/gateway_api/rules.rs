//! The rules of all routes, as data.

use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;

use super::matches::{Match, foremost};
use super::{GRPC_ROUTE, HTTP_ROUTE};
use crate::controllers::Snapshot;
use crate::gateway::turns::Turns;
use crate::kinds::Resource;
use crate::network::{Address, Directory, PortRef, lock};
use crate::view;

/// The rules of all routes, with what they were read from.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    specs: Vec<Value>,
    directory: Directory,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    hosts: Vec<String>,
    matches: Vec<Match>,
    /// The status of a redirect.
    pub redirect: Option<StatusCode>,
    /// Headers that are added to responses.
    pub headers: Vec<(String, String)>,
    backends: Vec<Backend>,
    turns: Turns,
    mirrors: Vec<(Backend, Turns)>,
}

/// One backend.
#[derive(Debug)]
pub(super) struct Backend {
    addresses: Vec<Address>,
    turn: Mutex<usize>,
    /// Headers that are added to its responses.
    pub headers: Vec<(String, String)>,
}

impl Rules {
    /// Reads all routes.
    pub fn read(seen: &Snapshot) -> Self {
        let directory = Directory::read(seen);
        let of = |kind| seen.all(kind).map(move |route| (kind, route));
        let routes: Vec<(Resource, &Value)> = of(HTTP_ROUTE).chain(of(GRPC_ROUTE)).collect();
        let rules = routes.iter().flat_map(|(kind, route)| {
            let hosts: Vec<String> = view::list(route, "/spec/hostnames")
                .iter()
                .filter_map(|host| host.as_str().map(str::to_owned))
                .collect();
            let attached = view::list(route, "/spec/parentRefs")
                .iter()
                .any(|parent| matches!(view::text(parent, "/kind"), "" | "Gateway"));
            let rules = view::list(route, "/spec/rules").iter().filter(move |_| attached);
            rules
                .map(|rule| Rule::read(&directory, (*kind, view::namespace(route)), hosts.clone(), rule))
                .collect::<Vec<_>>()
        });
        let rules = rules.collect();
        let specs = routes.iter().map(|(_, route)| route.get("spec").cloned().unwrap_or_default()).collect();
        Rules { rules, specs, directory }
    }

    /// Whether nothing has changed: turns then go on as they are.
    pub fn same(&self, other: &Rules) -> bool {
        self.specs == other.specs && self.directory == other.directory
    }

    /// The rule that takes a request: of those that do, the one with the highest rank, then the first.
    pub fn find(&self, host: &str, request: &Request<Bytes>) -> Option<&Rule> {
        let of_host =
            self.rules.iter().filter(|rule| rule.hosts.is_empty() || rule.hosts.iter().any(|of| of == host));
        foremost(of_host.map(|rule| (rule.matches.as_slice(), rule)), request)
    }
}

impl Rule {
    fn read(
        directory: &Directory,
        (kind, namespace): (Resource, &str),
        hosts: Vec<String>,
        rule: &Value,
    ) -> Self {
        let refs = view::list(rule, "/backendRefs");
        let filters = || view::list(rule, "/filters").iter();
        let of_kind =
            |kind: &'static str| filters().filter(move |filter| view::text(filter, "/type") == kind);
        let redirect = of_kind("RequestRedirect").next().map(|filter| {
            let code = u16::try_from(view::number(filter, "/requestRedirect/statusCode", 302)).unwrap_or(302);
            StatusCode::from_u16(code).unwrap_or(StatusCode::FOUND)
        });
        let mirrors = of_kind("RequestMirror").map(|filter| {
            let percent = u64::try_from(view::number(filter, "/requestMirror/percent", 100)).unwrap_or(0);
            let to = filter.pointer("/requestMirror/backendRef").unwrap_or(&Value::Null);
            (Backend::read(directory, namespace, to), Turns::new([100 - percent.min(100), percent.min(100)]))
        });
        Rule {
            hosts,
            matches: Match::all(kind, rule),
            redirect,
            headers: headers(rule),
            backends: refs.iter().map(|of| Backend::read(directory, namespace, of)).collect(),
            turns: Turns::new(
                refs.iter().map(|of| u64::try_from(view::number(of, "/weight", 1)).unwrap_or(0)),
            ),
            mirrors: mirrors.collect(),
        }
    }

    /// The backend of the next request; `None` when there is none with weight.
    pub fn next(&self) -> Option<&Backend> {
        self.backends.get(self.turns.next()?)
    }

    /// The pods that get a copy of the next request.
    pub fn copies(&self) -> Vec<Address> {
        let due = self.mirrors.iter().filter(|(_, turns)| turns.next() == Some(1));
        due.filter_map(|(to, _)| to.next().cloned()).collect()
    }
}

impl Backend {
    fn read(directory: &Directory, namespace: &str, of: &Value) -> Self {
        let port = u16::try_from(view::number(of, "/port", 0)).unwrap_or(0);
        let found = directory.port(namespace, view::text(of, "/name"), &PortRef::Number(port));
        let addresses = found.map(|port| port.ready.clone()).unwrap_or_default();
        Backend { addresses, turn: Mutex::new(0), headers: headers(of) }
    }

    /// The pod of the next request.
    pub fn next(&self) -> Option<&Address> {
        let mut turn = lock(&self.turn);
        let address = self.addresses.get(*turn % self.addresses.len().max(1))?;
        *turn = turn.wrapping_add(1);
        Some(address)
    }
}

/// The headers that the filters of a rule or a backend add to responses.
fn headers(of: &Value) -> Vec<(String, String)> {
    let filters = view::list(of, "/filters").iter();
    let added = filters.flat_map(|filter| view::list(filter, "/responseHeaderModifier/add"));
    added.map(|one| (view::text(one, "/name").to_owned(), view::text(one, "/value").to_owned())).collect()
}
