//! `/healthz` and `/metrics` (`operator.md` section 4).

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use tokio::net::TcpListener;
use vexil_controller::Telemetry;

/// What prometheus-client writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until it is dropped. A port that is taken is an error at once.
pub async fn listen(port: u16, telemetry: Telemetry) -> Result<impl Future<Output = Result<()>>> {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let routes = Router::new()
        .route("/healthz", get(|| async { "OK" }))
        .route("/metrics", get(move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], telemetry.text()) }));
    Ok(async move { axum::serve(listener, routes).await.context("the HTTP server has ended") })
}
