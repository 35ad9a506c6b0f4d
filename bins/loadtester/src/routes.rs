//! The paths. As in Flagger's load tester, methods are ignored, and a path that is not listed starts a task.

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
    gates::{Gate, GateKey},
    handlers::{Act, Handlers},
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

type Shared = State<Arc<Handlers>>;

/// All paths.
pub fn router(handlers: Arc<Handlers>) -> Router {
    let gate = |gate, act| any(move |handlers: Shared, body: Body| ask(handlers, body, gate, act));
    Router::new()
        .route("/healthz", any(async || Reply::ok("OK")))
        .route(
            "/metrics",
            any(async |State(handlers): Shared| ([(CONTENT_TYPE, OPEN_METRICS)], handlers.metrics.text())),
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
        .with_state(handlers)
}

async fn task(State(handlers): Shared, body: Body) -> Reply {
    match payload(&handlers, body).await {
        Ok(payload) => handlers.task(&payload).await,
        Err((reply, why)) => {
            handlers.metrics.refused(why);
            reply
        }
    }
}

async fn ask(State(handlers): Shared, body: Body, gate: Gate, act: Act) -> Reply {
    match payload(&handlers, body).await {
        Ok(Payload { name, namespace, .. }) if name.is_empty() || namespace.is_empty() => {
            Reply::bad("payload: name and namespace say which gate is meant")
        }
        Ok(Payload { name, namespace, .. }) => handlers.gate(GateKey { gate, name, namespace }, act),
        Err((reply, _)) => reply,
    }
}

/// The payload of a caller whose namespace may call.
async fn payload(handlers: &Handlers, body: Body) -> Result<Payload, (Reply, Refusal)> {
    let payload = match read(body).await {
        Ok(body) => Payload::parse(&body).map_err(Reply::bad),
        Err(reply) => Err(reply),
    };
    let payload = payload.map_err(|reply| {
        tracing::warn!("call refused: {}", reply.text);
        (reply, Refusal::Invalid)
    })?;
    if handlers.namespaces.allow(&payload.namespace) {
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
