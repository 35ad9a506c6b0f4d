//! Contour as its users meet it: HTTPProxies whose routes its Envoy splits, and what Contour reports in their status.
//!
//! A Service without a ready pod answers 503 for its share; a request that no route fits gets 404. Series are those of
//! Envoy that concern the clusters, `<namespace>_<service>_<port>`, as Prometheus stores them: the code is a label of the
//! counter, and durations are in milliseconds.

mod config;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::config::{Config, HTTP_PROXY, Service};
use super::Gateway;
use super::mesh::BUCKETS_MS;
use super::request::{forwarded, host};
use super::turns::Turns;
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;
use crate::network::{Handler, Network, Refused, lock, plain};
use crate::view;
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "envoy.projectcontour";

/// The gateway.
#[derive(Debug)]
pub(crate) struct Contour {
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

impl Contour {
    /// A gateway that knows no routes yet and reaches pods over `network`.
    pub fn new(network: Network) -> Self {
        let series = Series {
            requests: Counter::new("envoy_cluster_upstream_rq", ""),
            durations: Histogram::new("envoy_cluster_upstream_rq_time", "", &BUCKETS_MS),
        };
        Contour { network, table: Mutex::default(), series: Mutex::new(series), turn: AtomicUsize::new(0) }
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let table = Arc::clone(&lock(&self.table));
        let host = host(&request).to_ascii_lowercase();
        let Some(at) = table.config.find(&host, &request) else {
            return plain(StatusCode::NOT_FOUND, "");
        };
        let chosen = table.config.routes().get(at).zip(table.turns.get(at));
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

impl Handler for Contour {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.route(request).map(Ok).boxed()
    }
}

impl Gateway for Contour {
    fn kinds(&self) -> Vec<Resource> {
        vec![HTTP_PROXY]
    }

    fn follow(&self, seen: &Snapshot) {
        let config = Config::read(seen);
        let mut table = lock(&self.table);
        if table.config != config {
            let turns = config.routes().iter().map(|route| {
                let none_has_weight = route.services.iter().all(|one| one.weight == 0);
                Turns::new(route.services.iter().map(|one| if none_has_weight { 1 } else { one.weight }))
            });
            *table = Arc::new(Table { turns: turns.collect(), config });
        }
    }

    fn reports(&self, seen: &Snapshot) -> Vec<(Target, Value)> {
        let config = Config::read(seen);
        seen.all(HTTP_PROXY).filter_map(|proxy| report(&config, proxy)).collect()
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        let series = lock(&self.series);
        series.requests.render(&mut text);
        series.durations.render(&mut text);
        text
    }
}

/// What Contour writes to the status of an HTTPProxy, if it says something else.
fn report(config: &Config, proxy: &Value) -> Option<(Target, Value)> {
    let generation = view::generation(proxy);
    let (word, status, reason, message, errors) = if config.reaches(proxy) {
        ("valid", "True", "Valid", "Valid HTTPProxy", json!([]))
    } else {
        let message = "this HTTPProxy is not part of a delegation chain from a root HTTPProxy";
        let error = json!({"type": "Orphaned", "status": "True", "reason": "Orphaned", "message": message});
        (
            "orphaned",
            "False",
            "ErrorPresent",
            "At least one error present, see Errors for details",
            json!([error]),
        )
    };
    let condition = json!({
        "type": "Valid", "status": status, "reason": reason, "message": message, "errors": errors,
        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!({"currentStatus": word, "description": message, "conditions": [condition]});
    (proxy.get("status") != Some(&status))
        .then(|| (Target::new(HTTP_PROXY, proxy), json!({"status": status})))
}
