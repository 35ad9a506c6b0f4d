//! A gateway of the Gateway API: HTTPRoutes and GRPCRoutes with a parent of kind Gateway split, match and mirror
//! requests, and set headers of responses.
//!
//! Done as the API describes it: precedence of rules by path, method, headers and parameters; weights between backends;
//! a backend without endpoints answers 503 for its share, one that does not exist 500; header modifiers, redirects and
//! mirrors; reports on `Accepted` and `ResolvedRefs` with the generation that they are about. A request of gRPC is one
//! with its content type; the network has no HTTP/2, so streams and trailers are not there. Not done: refusing a route
//! of another kind for the same host, listeners and their limits, ReferenceGrants, timeouts, CORS, rewrites. It has no
//! series of its own: pods measure themselves.

pub(super) mod matches;
pub(super) mod reports;
mod rules;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use serde_json::Value;

use self::reports::Reporter;
use self::rules::{Rule, Rules};
use super::Gateway;
use super::request::{forwarded, host};
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "gateway.gateway-system";

const GROUP: &str = "gateway.networking.k8s.io";
pub(super) const HTTP_ROUTE: Resource = Resource::new(GROUP, "v1", "httproutes", "HTTPRoute");
pub(super) const GRPC_ROUTE: Resource = Resource::new(GROUP, "v1", "grpcroutes", "GRPCRoute");
const GATEWAY: Resource = Resource::new(GROUP, "v1", "gateways", "Gateway");

const REPORTER: Reporter = Reporter { controller: "example.com/testbed", parents: GATEWAY };

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
        vec![HTTP_ROUTE, GRPC_ROUTE, GATEWAY]
    }

    fn follow(&self, seen: &Snapshot) {
        let rules = Rules::read(seen);
        let mut known = lock(&self.rules);
        if !known.same(&rules) {
            *known = Arc::new(rules);
        }
    }

    fn reports(&self, seen: &Snapshot) -> Vec<(Target, Value)> {
        REPORTER.reports(seen)
    }

    fn metrics(&self) -> String {
        String::new()
    }
}
