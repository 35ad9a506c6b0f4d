//! `/healthz` and `/metrics`, on a thread of their own, so that reconciles cannot delay them.

use anyhow::{Context as _, Result};
use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use vexil_controller::Telemetry;
use vexil_program::{Limits, on_a_thread_of_its_own};

/// What prometheus-client writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until it is dropped. A port that is taken is an error at once.
pub fn listen(port: u16, telemetry: Telemetry) -> Result<impl Future<Output = ()>> {
    let routes = Router::new()
        .route("/healthz", get(|| async { "OK" }))
        .route("/metrics", get(move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], telemetry.text()) }));
    on_a_thread_of_its_own(port, routes, Limits::default())
        .with_context(|| format!("cannot listen on port {port}"))
}
