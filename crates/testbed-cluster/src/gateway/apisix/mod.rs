//! APISIX as its users meet it: ApisixRoutes, which its ingress controller brings to it, split requests between
//! Services.
//!
//! Modelled on APISIX 2.15 with controller 1.5, the oldest that the guide allows. A route whose chosen backend has no
//! ready pod answers 503 ("no valid upstream node" in its log), whatever the other backend has: no other node takes its
//! place. A pod that does not answer is passed over for the next one of the same Service (`retries`), and 502 when none
//! answers. No route is 404.

mod choose;
mod rule;
mod series;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use self::choose::Turns;
use self::rule::Rule;
use self::series::{Series, Served};
use super::Gateway;
use super::request::{forwarded, host};
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Address, Directory, Handler, Network, Refused, lock, plain};
use crate::view;

const ROUTE: Resource = Resource::new("apisix.apache.org", "v2", "apisixroutes", "ApisixRoute");

/// The gateway with its controller.
#[derive(Debug)]
pub(crate) struct Apisix {
    network: Network,
    /// What was taken over, by namespace and name of the ApisixRoute.
    taken: Mutex<BTreeMap<(String, String), Taken>>,
    routes: Mutex<Arc<Vec<Arc<Route>>>>,
    series: Series,
}

/// The spec of an ApisixRoute, and what it means.
#[derive(Debug)]
struct Taken {
    spec: Value,
    rules: Vec<Rule>,
}

/// A rule at work.
#[derive(Debug)]
struct Route {
    rule: Rule,
    turns: Arc<Mutex<Turns>>,
    /// The ready pods of each backend, and whose turn it is.
    pools: Vec<(Vec<Address>, AtomicUsize)>,
}

impl Route {
    /// A rule with the pods of this moment. Who had a turn is remembered as long as the rule stays the same.
    fn new(rule: Rule, directory: &Directory, before: &[Arc<Route>]) -> Arc<Self> {
        let nodes = rule.backends.iter().map(|backend| {
            let (namespace, name) = &backend.service;
            let port = directory.port(namespace, name, &backend.port);
            port.map(|port| port.ready.clone()).unwrap_or_default()
        });
        let nodes: Vec<Vec<Address>> = nodes.collect();
        let before = before.iter().find(|route| route.rule == rule);
        if let Some(same) = before.filter(|route| route.pools.iter().map(|pool| &pool.0).eq(&nodes)) {
            return Arc::clone(same);
        }
        let fresh = || Turns::new(rule.backends.iter().map(|backend| backend.weight).collect());
        let turns = before.map_or_else(|| Arc::new(Mutex::new(fresh())), |route| Arc::clone(&route.turns));
        let pools = nodes.into_iter().map(|nodes| (nodes, AtomicUsize::new(0))).collect();
        Arc::new(Route { rule, turns, pools })
    }

    /// The pods to ask, in this order; none when the backend whose turn it is has none.
    fn nodes(&self) -> Vec<&Address> {
        let chosen = lock(&self.turns).take().and_then(|place| self.pools.get(place));
        let Some((nodes, turn)) = chosen else { return Vec::new() };
        let first = turn.fetch_add(1, Ordering::Relaxed) % nodes.len().max(1);
        nodes.iter().cycle().skip(first).take(nodes.len()).collect()
    }
}

impl Apisix {
    /// A gateway that knows no routes yet and reaches pods over `network`.
    pub fn new(network: Network) -> Self {
        Apisix { network, taken: Mutex::default(), routes: Mutex::default(), series: Series::new() }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let routes = Arc::clone(&lock(&self.routes));
        let host = host(&request).to_ascii_lowercase();
        let (path, method) = (request.uri().path(), request.method().as_str());
        let rules = routes.iter().map(|route| &route.rule);
        let found = choose::find(rules, &host, path, method);
        let Some((found, route)) =
            found.and_then(|found| routes.get(found.place).map(|route| (found, route)))
        else {
            return plain(StatusCode::NOT_FOUND, "{\"error_msg\":\"404 Route Not Found\"}\n");
        };
        let begun = Instant::now();
        let (node, response) = self.ask(&route.nodes(), forwarded(request, &host)).await;
        if let Some(name) = &route.rule.measured_as {
            let (uri, host) = (found.path, found.host.as_str());
            let (code, took) = (response.status(), begun.elapsed());
            self.series.record(&Served { route: name, uri, host, node: &node, code, took });
        }
        response
    }

    /// Asks one pod after the other; the one that was asked last and the answer.
    async fn ask(&self, nodes: &[&Address], request: Request<Bytes>) -> (String, Response<Bytes>) {
        let mut last = "";
        for (ip, port) in nodes {
            last = ip;
            match self.network.deliver(ip, *port, request.clone()).await {
                Ok(response) => return (ip.clone(), response),
                // It may have been carried out all the same.
                Err(Refused) if matches!(*request.method(), Method::POST | Method::PATCH) => break,
                Err(Refused) => {}
            }
        }
        let (status, text) = match last {
            "" => (StatusCode::SERVICE_UNAVAILABLE, "503 Service Temporarily Unavailable\n"),
            _ => (StatusCode::BAD_GATEWAY, "502 Bad Gateway\n"),
        };
        (last.to_owned(), plain(status, text))
    }
}

impl Handler for Apisix {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for Apisix {
    fn kinds(&self) -> Vec<Resource> {
        vec![ROUTE]
    }

    fn follow(&self, seen: &Snapshot) {
        let directory = Directory::read(seen);
        let mut taken = lock(&self.taken);
        let key = |route: &Value| (view::namespace(route).to_owned(), view::name(route).to_owned());
        let live: BTreeMap<(String, String), &Value> =
            seen.all(ROUTE).map(|route| (key(route), route)).collect();
        taken.retain(|key, _| live.contains_key(key));
        for (key, route) in live {
            let spec = route.get("spec").cloned().unwrap_or_default();
            if taken.get(&key).is_some_and(|before| before.spec == spec) {
                continue;
            }
            match rule::read(route, &directory) {
                Ok(rules) => drop(taken.insert(key, Taken { spec, rules })),
                Err(problem) => {
                    tracing::warn!(route = view::name(route), problem, "an ApisixRoute is not taken over");
                }
            }
        }
        let mut routes = lock(&self.routes);
        let rules = taken.values().flat_map(|taken| taken.rules.iter().cloned());
        *routes = Arc::new(rules.map(|rule| Route::new(rule, &directory, &routes)).collect());
    }

    fn metrics(&self) -> String {
        self.series.text()
    }
}
