//! Skipper as its users meet it: Ingresses whose paths it balances by an annotation and weighs by predicates.
//!
//! Modelled on Skipper with its Kubernetes data client. Services of one path of an Ingress share its requests as
//! `zalando.org/backend-weights` says, or equally without it; one without a ready pod answers 503 for its share. Of the
//! paths that match a request the one with more weight goes first (`Weight`), then the longer one. No path is 404.
//! Series are those of `-enable-prometheus-metrics` that concern routes.

mod config;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use self::config::{Backend, Config, INGRESS};
use super::Gateway;
use super::request::{forwarded, host};
use super::turns::Turns;
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};
use vexil_testbed_promql::{Histogram, Labels};

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "skipper-ingress.kube-system";

/// The buckets of its flag `-histogram-metric-buckets`, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The gateway.
#[derive(Debug)]
pub(crate) struct Skipper {
    network: Network,
    table: Mutex<Arc<Table>>,
    /// Durations of responses of backends, then of whole routes.
    series: Mutex<[Histogram; 2]>,
    turn: AtomicUsize,
}

/// A configuration at work.
#[derive(Debug, Default)]
struct Table {
    config: Config,
    /// By the place of the path: whose turn it is.
    turns: Vec<Turns>,
}

impl Skipper {
    /// A gateway that knows no paths yet and reaches pods over `network`.
    pub fn new(network: Network) -> Self {
        let series = ["skipper_response_duration_seconds", "skipper_serve_route_duration_seconds"]
            .map(|name| Histogram::new(name, "", &BUCKETS));
        Skipper { network, table: Mutex::default(), series: Mutex::new(series), turn: AtomicUsize::new(0) }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let table = Arc::clone(&lock(&self.table));
        let host = host(&request).to_ascii_lowercase();
        let found = table.config.find(&host, request.uri().path(), request.method().as_str());
        let chosen = found.and_then(|at| {
            let (path, turns) = (table.config.0.get(at)?, table.turns.get(at)?);
            path.backends.get(turns.next()?)
        });
        let Some(backend) = chosen else { return plain(StatusCode::NOT_FOUND, "Not Found\n") };
        let (begun, method) = (Instant::now(), request.method().to_string());
        let response = self.ask(backend, forwarded(request, &host)).await;
        let labels = Labels::new([
            ("code", response.status().as_str()),
            ("method", &method),
            ("route", &backend.route),
        ]);
        for series in lock(&self.series).iter_mut() {
            series.observe(labels.clone(), begun.elapsed().as_secs_f64());
        }
        response
    }

    async fn ask(&self, backend: &Backend, request: Request<Bytes>) -> Response<Bytes> {
        let at = self.turn.fetch_add(1, Ordering::Relaxed) % backend.ready.len().max(1);
        let Some((ip, port)) = backend.ready.get(at) else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable\n");
        };
        let response = self.network.deliver(ip, *port, request).await;
        response.unwrap_or_else(|Refused| plain(StatusCode::BAD_GATEWAY, "Bad Gateway\n"))
    }
}

impl Handler for Skipper {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for Skipper {
    fn kinds(&self) -> Vec<Resource> {
        vec![INGRESS]
    }

    fn follow(&self, seen: &Snapshot) {
        let config = Config::read(seen);
        let mut table = lock(&self.table);
        if table.config != config {
            let turns = config.0.iter().map(|path| Turns::new(path.backends.iter().map(|one| one.weight)));
            *table = Arc::new(Table { turns: turns.collect(), config });
        }
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        for series in lock(&self.series).iter() {
            series.render(&mut text);
        }
        text
    }
}
