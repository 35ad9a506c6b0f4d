//! What the operator asks: hooks of every name, and a metric server that knows the answers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures::future::pending;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use vexil_testbed_cluster::{FromFn, Network, plain};

use super::features::{ALERTS, usual_answer};

/// Statuses that hooks answer with, by name; none for 0.
pub type Hooks = Arc<Mutex<BTreeMap<String, u16>>>;
/// The alerts that their receiver has accepted.
pub type Alerts = Arc<Mutex<Vec<Value>>>;

/// Hooks of every name at `http://hooks.test/<name>`.
pub fn answer_hooks(network: &Network, answers: Hooks, accepted: Alerts) {
    let handler = FromFn(move |request: Request<Bytes>| {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let asked_for = answers.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        let status = asked_for.unwrap_or_else(|| usual_answer(&name));
        if status == 200 && name == ALERTS {
            let body = serde_json::from_slice(request.body()).unwrap_or_default();
            accepted.lock().unwrap_or_else(PoisonError::into_inner).push(body);
        }
        async move {
            match status {
                0 => pending().await,
                status => plain(StatusCode::from_u16(status).unwrap_or_default(), ""),
            }
        }
    });
    network.register("hooks.test", Arc::new(handler));
}

/// Prometheus, which says what is so of the version that was pushed last.
pub fn answer_queries(network: &Network, bad: Arc<AtomicBool>) {
    let handler = FromFn(move |request: Request<Bytes>| {
        let value = match request.uri().query().unwrap_or_default() {
            query if query.contains("histogram_quantile") => "0.1",
            query if query.contains("vector") => "1",
            _ if bad.load(Ordering::Relaxed) => "50",
            _ => "100",
        };
        let body = json!({
            "status": "success",
            "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, value]}]},
        });
        async move { plain(StatusCode::OK, body.to_string()) }
    });
    network.register("metrics.test", Arc::new(handler));
}
