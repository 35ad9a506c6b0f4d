//! The paths (`loadtester-and-charts.md` A2): methods are not looked at, and a path that is not listed asks for a task.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::any,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    desk::{Act, Desk},
    gates::{Gate, GateKey},
    metrics::Refusal,
    payload::Payload,
    reply::Reply,
};

/// The largest body, in bytes. A command of more than half of it could not be started anyway.
pub const LARGEST_BODY: usize = 256 << 10;
/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);
/// How many bodies are read at once; the others wait.
static READERS: Semaphore = Semaphore::const_new(64);
/// What prometheus-client writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Shared = State<Arc<Desk>>;

/// All paths.
pub fn router(desk: Arc<Desk>) -> Router {
    let gate = |gate, act| any(move |desk: Shared, body: Body| ask(desk, body, gate, act));
    Router::new()
        .route("/healthz", any(async || Reply::ok("OK")))
        .route(
            "/metrics",
            any(async |State(desk): Shared| ([(CONTENT_TYPE, OPEN_METRICS)], desk.metrics.text())),
        )
        .route("/gate/approve", any(async || Reply::ok("OK")))
        .route("/gate/halt", any(async || Reply::forbidden()))
        .route("/gate/check", gate(Gate::Confirm, Act::Check))
        .route("/gate/open", gate(Gate::Confirm, Act::Open))
        .route("/gate/close", gate(Gate::Confirm, Act::Close))
        .route("/rollback/check", gate(Gate::Rollback, Act::Check))
        .route("/rollback/open", gate(Gate::Rollback, Act::Open))
        .route("/rollback/close", gate(Gate::Rollback, Act::Close))
        .fallback(task)
        .with_state(desk)
}

async fn task(State(desk): Shared, body: Body) -> Reply {
    match payload(&desk, body).await {
        Ok(payload) => desk.task(&payload).await,
        Err((reply, why)) => {
            desk.metrics.refused(why);
            reply
        }
    }
}

async fn ask(State(desk): Shared, body: Body, gate: Gate, act: Act) -> Reply {
    match payload(&desk, body).await {
        Ok(Payload { name, namespace, .. }) if name.is_empty() || namespace.is_empty() => {
            Reply::bad("payload: name and namespace say which gate is meant")
        }
        Ok(Payload { name, namespace, .. }) => desk.gate(GateKey { gate, name, namespace }, act),
        Err((reply, _)) => reply,
    }
}

/// The payload of somebody who may ask.
async fn payload(desk: &Desk, body: Body) -> Result<Payload, (Reply, Refusal)> {
    let payload = match read(body).await {
        Ok(body) => Payload::parse(&body).map_err(Reply::bad),
        Err(reply) => Err(reply),
    };
    let payload = payload.map_err(|reply| {
        tracing::warn!("call refused: {}", reply.text);
        (reply, Refusal::Invalid)
    })?;
    if desk.namespaces.allow(&payload.namespace) {
        return Ok(payload);
    }
    tracing::warn!(
        canary = payload.canary(),
        "call refused: namespace {:?} is not allowed",
        payload.namespace
    );
    Err((Reply::forbidden(), Refusal::Forbidden))
}

async fn read(body: Body) -> Result<Vec<u8>, Reply> {
    let read = async {
        // The semaphore is never closed.
        let _turn = READERS.acquire().await;
        Limited::new(body, LARGEST_BODY).collect().await
    };
    match timeout(BODY, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Reply::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("payload: larger than {LARGEST_BODY} bytes"),
        )),
        Ok(Err(_)) => Err(Reply::bad("payload: the connection broke")),
        Err(_) => Err(Reply::new(StatusCode::REQUEST_TIMEOUT, "payload: it took too long")),
    }
}

#[cfg(test)]
mod tests;
