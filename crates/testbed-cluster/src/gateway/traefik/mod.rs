//! Traefik as its users meet it: IngressRoutes lead to TraefikServices, which split requests between Services.
//!
//! Modelled on Traefik 3 with its Kubernetes CRD provider, in both API groups. Metrics are those of
//! `--metrics.prometheus=true` that concern services: one set of series per Service, labelled
//! `<namespace>-<service>-<port>@kubernetescrd`, none for the TraefikService above it. Entry point and router metrics
//! are not recorded.

mod balance;
mod config;
mod rule;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use self::balance::Balancer;
use self::config::{Config, KINDS, Route};
use super::Gateway;
use super::request::{forwarded, host};
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// The buckets that Traefik counts durations in, in seconds (`metrics.prometheus.buckets`).
const BUCKETS: [f64; 4] = [0.1, 0.3, 1.2, 5.0];

/// The gateway.
#[derive(Debug)]
pub(crate) struct Traefik {
    network: Network,
    table: Mutex<Arc<Table>>,
    metrics: Mutex<Metrics>,
}

/// A configuration at work.
#[derive(Debug, Default)]
struct Table {
    config: Config,
    /// By the place of the route.
    balancers: Vec<Option<Balancer>>,
}

#[derive(Debug)]
struct Metrics {
    requests: Counter,
    durations: Histogram,
}

impl Traefik {
    /// A gateway that knows no routes yet and reaches pods over `network`.
    pub fn new(network: Network) -> Self {
        let requests = Counter::new(
            "traefik_service_requests_total",
            "How many HTTP requests processed on a service, partitioned by status code, protocol, and method.",
        );
        let durations = Histogram::new(
            "traefik_service_request_duration_seconds",
            "How long it took to process the request on a service, partitioned by status code, protocol, and method.",
            &BUCKETS,
        );
        Traefik { network, table: Mutex::default(), metrics: Mutex::new(Metrics { requests, durations }) }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let table = Arc::clone(&lock(&self.table));
        let host = host(&request);
        let (path, method) = (request.uri().path(), request.method().as_str());
        let matching = |route: &Route| route.rule.matches(&host, path, method);
        let place = table.config.0.iter().position(matching);
        let Some(Some(balancer)) = place.and_then(|place| table.balancers.get(place)) else {
            return plain(StatusCode::NOT_FOUND, "404 page not found\n");
        };
        let Some((service, (ip, port))) = balancer.next() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "no available server\n");
        };
        let (begun, method) = (Instant::now(), request.method().to_string());
        let response = self.network.deliver(ip, *port, forwarded(request, &host)).await;
        let response = response.unwrap_or_else(|Refused| plain(StatusCode::BAD_GATEWAY, "Bad Gateway"));
        self.record(service, &method, response.status(), begun.elapsed().as_secs_f64());
        response
    }

    fn record(&self, service: &str, method: &str, status: StatusCode, seconds: f64) {
        let labels = Labels::new([
            ("code", status.as_str()),
            ("method", method),
            ("protocol", "http"),
            ("service", service),
        ]);
        let mut metrics = lock(&self.metrics);
        metrics.requests.add(labels.clone(), 1.0);
        metrics.durations.observe(labels, seconds);
    }
}

impl Handler for Traefik {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for Traefik {
    fn kinds(&self) -> Vec<Resource> {
        KINDS.to_vec()
    }

    fn follow(&self, seen: &Snapshot) {
        let config = Config::read(seen);
        let mut table = lock(&self.table);
        if table.config == config {
            return;
        }
        for problem in config.0.iter().filter_map(|route| route.to.as_ref().err()) {
            tracing::warn!(problem, "a route leads nowhere");
        }
        let balancers = config.0.iter().map(|route| route.to.as_ref().ok().map(Balancer::new)).collect();
        *table = Arc::new(Table { config, balancers });
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        let metrics = lock(&self.metrics);
        metrics.requests.render(&mut text);
        metrics.durations.render(&mut text);
        text
    }
}
