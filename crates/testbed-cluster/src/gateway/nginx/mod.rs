//! ingress-nginx as its users meet it: Ingresses, and others that are their canaries.
//!
//! Modelled on ingress-nginx 1.x. A canary is merged into the location with the same host and path, of which it takes
//! requests: those with its header, then those with its cookie, then a share. While its Service has no ready pod it
//! takes none; while the Service of the location has none, every request is answered 503, the canary's too. A pod that
//! does not answer is passed over for the next one of the same Service, and 502 when none answers. No location is 404.

mod config;
mod policy;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use self::config::{Backend, Config, INGRESS, Location};
use super::Gateway;
use super::request::{forwarded, host};
use super::turns::Turns;
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "ingress-nginx-controller.ingress-nginx";

/// The exporter's default buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The gateway.
#[derive(Debug)]
pub(crate) struct Nginx {
    network: Network,
    table: Mutex<Arc<Table>>,
    metrics: Mutex<Metrics>,
    turn: AtomicUsize,
}

/// A configuration at work.
#[derive(Debug, Default)]
struct Table {
    config: Config,
    /// By the place of the location: the share of its canary.
    shares: Vec<Turns>,
}

#[derive(Debug)]
struct Metrics {
    requests: Counter,
    durations: Histogram,
}

impl Nginx {
    /// A gateway that knows no locations yet and reaches pods over `network`.
    pub fn new(network: Network) -> Self {
        let requests =
            Counter::new("nginx_ingress_controller_requests", "The total number of client requests");
        let durations = Histogram::new(
            "nginx_ingress_controller_response_duration_seconds",
            "The time spent on receiving the response from the upstream server",
            &BUCKETS,
        );
        let metrics = Mutex::new(Metrics { requests, durations });
        Nginx { network, table: Mutex::default(), metrics, turn: AtomicUsize::new(0) }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let table = Arc::clone(&lock(&self.table));
        let host = host(&request).to_ascii_lowercase();
        let found = table.config.find(&host, request.uri().path());
        let Some((location, share)) = found.and_then(|at| table.config.0.get(at).zip(table.shares.get(at)))
        else {
            return plain(StatusCode::NOT_FOUND, "<center><h1>404 Not Found</h1></center>\n");
        };
        let canary = location.canary.as_ref().filter(|canary| {
            let ready = !location.backend.ready.is_empty() && !canary.backend.ready.is_empty();
            ready && canary.policy.takes(&request).unwrap_or_else(|| share.next() == Some(1))
        });
        let backend = canary.map_or(&location.backend, |canary| &canary.backend);
        let (begun, method) = (Instant::now(), request.method().to_string());
        let response = self.ask(backend, forwarded(request, &host)).await;
        let seconds = begun.elapsed().as_secs_f64();
        self.record(location, canary.map(|canary| &canary.backend), &method, response.status(), seconds);
        response
    }

    /// Asks one pod after the other.
    async fn ask(&self, backend: &Backend, request: Request<Bytes>) -> Response<Bytes> {
        let count = backend.ready.len();
        if count == 0 {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "503 Service Temporarily Unavailable\n");
        }
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % count;
        for (ip, port) in backend.ready.iter().cycle().skip(first).take(count) {
            if let Ok(response) = self.network.deliver(ip, *port, request.clone()).await {
                return response;
            }
        }
        plain(StatusCode::BAD_GATEWAY, "502 Bad Gateway\n")
    }

    /// `canary` is empty for requests that no canary took. Those that no pod took have no duration.
    fn record(&self, of: &Location, canary: Option<&Backend>, method: &str, code: StatusCode, seconds: f64) {
        let (namespace, ingress) = &of.ingress;
        let labels = Labels::new([
            ("status", code.as_str()),
            ("method", method),
            ("path", &of.path),
            ("host", &of.host),
            ("namespace", namespace),
            ("ingress", ingress),
            ("service", &of.backend.service),
            ("canary", canary.map_or("", |canary| &canary.upstream)),
        ]);
        let mut metrics = lock(&self.metrics);
        metrics.requests.add(labels.clone(), 1.0);
        if code != StatusCode::SERVICE_UNAVAILABLE {
            metrics.durations.observe(labels, seconds);
        }
    }
}

impl Handler for Nginx {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for Nginx {
    fn kinds(&self) -> Vec<Resource> {
        vec![INGRESS]
    }

    fn follow(&self, seen: &Snapshot) {
        let config = Config::read(seen);
        let mut table = lock(&self.table);
        if table.config != config {
            let share = |location: &Location| {
                location.canary.as_ref().map_or(0, |canary| canary.policy.weight.min(100))
            };
            let shares = config.0.iter().map(|location| Turns::new([100 - share(location), share(location)]));
            *table = Arc::new(Table { shares: shares.collect(), config });
        }
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        let metrics = lock(&self.metrics);
        metrics.requests.render(&mut text);
        metrics.durations.render(&mut text);
        text
    }
}
