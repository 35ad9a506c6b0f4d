//! A gateway of the Gateway API: HTTPRoutes with a parent of kind Gateway split, match and mirror requests, and set
//! headers of responses.
//!
//! Done as the API describes it: precedence of rules by path, method, headers and parameters; weights between backends;
//! a backend without endpoints answers 503 for its share, one that does not exist 500; header modifiers, redirects and
//! mirrors; reports on `Accepted` and `ResolvedRefs` with the generation that they are about. Not done: GRPCRoutes (the
//! network has no HTTP/2), listeners and their limits, ReferenceGrants, timeouts, CORS, rewrites. It has no series of
//! its own: pods measure themselves.

mod matches;
mod rules;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use self::rules::{Rule, Rules};
use super::Gateway;
use super::request::{forwarded, host};
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};
use crate::view;

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "gateway.gateway-system";

const GROUP: &str = "gateway.networking.k8s.io";
pub(super) const HTTP_ROUTE: Resource = Resource::new(GROUP, "v1", "httproutes", "HTTPRoute");
const GATEWAY: Resource = Resource::new(GROUP, "v1", "gateways", "Gateway");

/// The gateway.
#[derive(Debug)]
pub(crate) struct GatewayApi {
    network: Network,
    rules: Mutex<Arc<Rules>>,
}

impl GatewayApi {
    /// A gateway that knows no routes yet and reaches pods over `network`.
    pub fn new(network: Network) -> Self {
        GatewayApi { network, rules: Mutex::default() }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let rules = Arc::clone(&lock(&self.rules));
        let host = host(&request);
        let Some(rule) = rules.find(&host, &request) else {
            return plain(StatusCode::NOT_FOUND, "no route\n");
        };
        if let Some(status) = rule.redirect {
            return plain(status, "moved\n");
        }
        let request = forwarded(request, &host);
        self.mirror(rule, &request);
        let Some(backend) = rule.next() else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "no backend\n");
        };
        let mut response = match backend.next() {
            None => plain(StatusCode::SERVICE_UNAVAILABLE, "no endpoints\n"),
            Some((ip, port)) => {
                let answer = self.network.deliver(ip, *port, request).await;
                answer.unwrap_or_else(|Refused| plain(StatusCode::BAD_GATEWAY, "refused\n"))
            }
        };
        for (name, value) in rule.headers.iter().chain(&backend.headers) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    /// Sends a copy to each mirror whose turn it is; their responses are discarded.
    fn mirror(&self, rule: &Rule, request: &Request<Bytes>) {
        for (ip, port) in rule.copies() {
            let (network, copy) = (self.network.clone(), request.clone());
            tokio::spawn(async move { drop(network.deliver(&ip, port, copy).await) });
        }
    }
}

impl Handler for GatewayApi {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for GatewayApi {
    fn kinds(&self) -> Vec<Resource> {
        vec![HTTP_ROUTE, GATEWAY]
    }

    fn follow(&self, seen: &Snapshot) {
        let rules = Rules::read(seen);
        let mut known = lock(&self.rules);
        if !known.same(&rules) {
            *known = Arc::new(rules);
        }
    }

    fn reports(&self, seen: &Snapshot) -> Vec<(Target, Value)> {
        seen.all(HTTP_ROUTE).filter_map(|route| report(seen, route)).collect()
    }

    fn metrics(&self) -> String {
        String::new()
    }
}

/// What the gateway writes to the status of a route, if it says something else.
fn report(seen: &Snapshot, route: &Value) -> Option<(Target, Value)> {
    let generation = view::number(route, "/metadata/generation", 0);
    let missing = rules::missing_backend(seen, route);
    let parents: Vec<Value> = view::list(route, "/spec/parentRefs")
        .iter()
        .filter(|parent| matches!(view::text(parent, "/kind"), "" | "Gateway"))
        .map(|parent| {
            let named = view::text(parent, "/namespace");
            let namespace = if named.is_empty() { view::namespace(route) } else { named };
            let exists = seen.get(GATEWAY, namespace, view::text(parent, "/name")).is_some();
            let condition = |kind: &str, problem: Option<(&str, String)>| {
                let (status, reason, message) = match problem {
                    None => ("True", kind, String::new()),
                    Some((reason, message)) => ("False", reason, message),
                };
                json!({
                    "type": kind, "status": status, "reason": reason, "message": message,
                    "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
                })
            };
            let no_gateway = (!exists).then(|| ("NoMatchingParent", "there is no such Gateway".to_owned()));
            let unresolved =
                missing.clone().map(|name| ("BackendNotFound", format!("Service {name} does not exist")));
            json!({
                "parentRef": parent, "controllerName": "example.com/testbed",
                "conditions": [condition("Accepted", no_gateway), condition("ResolvedRefs", unresolved)],
            })
        })
        .collect();
    let live = route.pointer("/status/parents").cloned().unwrap_or_else(|| json!([]));
    (live != json!(parents))
        .then(|| (Target::new(HTTP_ROUTE, route), json!({"status": {"parents": parents}})))
}
