//! The cluster's metric server: keeps what is scraped of gateway and pods, and answers Prometheus' HTTP API.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use tokio::task::JoinSet;

use super::gateway::Gateway;
use super::network::{Handler, Network, Refused, lock};
use vexil_testbed_apiserver::Clock;
use vexil_testbed_promql::{Labels, MetricStore, QueryError, QueryValue, handle};

/// How long samples are kept, in milliseconds.
const RETENTION_MS: i64 = 2 * 60 * 60 * 1000;

/// The store with its clock; clones are the same store.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    store: Arc<Mutex<MetricStore>>,
    clock: Clock,
}

impl Metrics {
    /// An empty store.
    pub fn new(clock: Clock) -> Self {
        Metrics { store: Arc::new(Mutex::new(MetricStore::new(RETENTION_MS))), clock }
    }

    /// Answers on the network under `name:port`, and from the same namespace under its first word; where it listens.
    pub fn register(&self, network: &Network, address: &str) -> String {
        let (name, _) = address.split_once(':').unwrap_or((address, ""));
        let short = name.split('.').next().unwrap_or(name);
        network.register(short, Arc::new(self.clone()));
        let listens = network.register(name, Arc::new(self.clone()));
        listens.map_or_else(|| address.to_owned(), |at| at.to_string())
    }

    /// Scrapes a gateway again and again; ends when what is answered is dropped.
    pub fn scrape(&self, gateway: Arc<dyn Gateway>, every: Duration) -> JoinSet<()> {
        let metrics = self.clone();
        let target = Labels::new([("job", "gateway"), ("instance", "gateway:9100")]);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                metrics.ingest(Some(&gateway.metrics()), &target);
                tokio::time::sleep(every).await;
            }
        });
        task
    }

    /// Stores what a target answered to a scrape now; `None` when it did not answer.
    pub fn ingest(&self, text: Option<&str>, target: &Labels) {
        let (mut store, now) = (lock(&self.store), self.now_ms());
        let Some(text) = text else { return store.scrape_failed(target, now) };
        if let Err(error) = store.ingest_text(text, target, now) {
            tracing::warn!(%target, %error, "a target's metrics cannot be read");
        }
    }

    /// Evaluates a query now.
    pub fn query(&self, query: &str) -> Result<QueryValue, QueryError> {
        lock(&self.store).query(query, self.now_ms())
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let store = lock(&self.store);
        let answer = handle(&store, request.method().as_str(), target, request.body(), self.now_ms());
        let mut response = Response::new(Bytes::from(answer.body));
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        response
    }
}

impl Handler for Metrics {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        async move { Ok(self.answer(&request)) }.boxed()
    }
}
