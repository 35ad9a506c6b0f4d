//! Envoy with the routes of a product on it: Contour, Gloo.
//!
//! A Service without a ready pod answers 503 for its share; a request that no route fits gets 404. A weight that is
//! missing is 0 beside others, and all count the same where none has a weight. Series are those of Envoy that concern
//! the clusters, as Prometheus stores them: the code is a label of the counter, and durations are in milliseconds.

pub(super) mod config;
pub(crate) mod contour;
pub(crate) mod gloo;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use self::config::{Config, Service};
use super::Gateway;
use super::mesh::BUCKETS_MS;
use super::request::{forwarded, host};
use super::turns::Turns;
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// What a product says in its objects.
#[derive(Debug)]
pub(crate) struct Product {
    pub(super) kinds: &'static [Resource],
    pub(super) read: fn(&Snapshot) -> Config,
    /// What it has to say in the status of its objects.
    pub(super) reports: fn(&Snapshot) -> Vec<(Target, Value)>,
}

/// The gateway.
#[derive(Debug)]
pub(crate) struct Envoy {
    product: &'static Product,
    network: Network,
    table: Mutex<Arc<Table>>,
    series: Mutex<Series>,
    turn: AtomicUsize,
}

/// A configuration at work.
#[derive(Debug, Default)]
struct Table {
    config: Config,
    /// By the place of the route: whose turn it is.
    turns: Vec<Turns>,
}

#[derive(Debug)]
struct Series {
    requests: Counter,
    durations: Histogram,
}

impl Envoy {
    /// A gateway that knows no routes yet and reaches pods over `network`.
    pub fn new(product: &'static Product, network: Network) -> Self {
        let series = Series {
            requests: Counter::new("envoy_cluster_upstream_rq", ""),
            durations: Histogram::new("envoy_cluster_upstream_rq_time", "", &BUCKETS_MS),
        };
        Envoy {
            product,
            network,
            table: Mutex::default(),
            series: Mutex::new(series),
            turn: AtomicUsize::new(0),
        }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let table = Arc::clone(&lock(&self.table));
        let host = host(&request).to_ascii_lowercase();
        let Some(at) = table.config.find(&host, &request) else {
            return plain(StatusCode::NOT_FOUND, "");
        };
        let chosen = table.config.routes.get(at).zip(table.turns.get(at));
        let chosen = chosen.and_then(|(route, turns)| route.services.get(turns.next()?));
        let Some(service) = chosen else { return plain(StatusCode::SERVICE_UNAVAILABLE, "") };
        let begun = Instant::now();
        let (response, is_answered) = self.ask(service, forwarded(request, &host)).await;
        let labels = Labels::new([("envoy_cluster_name", &service.cluster)]);
        let mut series = lock(&self.series);
        series.requests.add(labels.clone().with("envoy_response_code", response.status().as_str()), 1.0);
        if is_answered {
            series.durations.observe(labels, begun.elapsed().as_secs_f64() * 1_000.0);
        }
        response
    }

    async fn ask(&self, service: &Service, request: Request<Bytes>) -> (Response<Bytes>, bool) {
        let at = self.turn.fetch_add(1, Ordering::Relaxed) % service.ready.len().max(1);
        let Some((ip, port)) = service.ready.get(at) else {
            return (plain(StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream"), false);
        };
        match self.network.deliver(ip, *port, request).await {
            Ok(response) => (response, true),
            Err(Refused) => (plain(StatusCode::SERVICE_UNAVAILABLE, "upstream connect error"), false),
        }
    }
}

impl Handler for Envoy {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for Envoy {
    fn kinds(&self) -> Vec<Resource> {
        self.product.kinds.to_vec()
    }

    fn follow(&self, seen: &Snapshot) {
        let config = (self.product.read)(seen);
        let mut table = lock(&self.table);
        if table.config != config {
            let turns = config.routes.iter().map(|route| {
                let none_has_weight = route.services.iter().all(|one| one.weight == 0);
                Turns::new(route.services.iter().map(|one| if none_has_weight { 1 } else { one.weight }))
            });
            *table = Arc::new(Table { turns: turns.collect(), config });
        }
    }

    fn reports(&self, seen: &Snapshot) -> Vec<(Target, Value)> {
        (self.product.reports)(seen)
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        let series = lock(&self.series);
        series.requests.render(&mut text);
        series.durations.render(&mut text);
        text
    }
}
