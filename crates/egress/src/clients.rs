//! The HTTP clients: without redirects, retries and long-lived connections, and with checked name lookups.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, ClientBuilder, Proxy, Url};
use rustls::{ClientConfig, RootCertStore};

use crate::{CallError, error::cause, resolve::Checked};

/// How long a connection waits for the next call of the same reconcile. Longer would risk meeting a server that closes
/// it in that moment, and the calls of different reconciles are seconds apart.
const IDLE_MS: u64 = 1_000;

/// The settings of every client.
pub(crate) fn builder(resolver: &Arc<Checked>) -> ClientBuilder {
    ClientBuilder::new()
        .user_agent(concat!("vexil/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_idle_timeout(Duration::from_millis(IDLE_MS))
        .pool_max_idle_per_host(2)
        .dns_resolver(Arc::clone(resolver))
}

/// A client that verifies certificates.
pub(crate) fn verifying(builder: impl Fn() -> ClientBuilder) -> reqwest::Result<Client> {
    match builder().build() {
        Ok(client) => Ok(client),
        Err(error) => {
            // An image without CA certificates must still reach the cluster's plain http services.
            tracing::warn!(error = %cause(&error), "no https peer will be trusted");
            let no_roots =
                ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
            builder().tls_backend_preconfigured(no_roots).build()
        }
    }
}

/// A client that accepts any certificate.
pub(crate) fn trusting(builder: impl Fn() -> ClientBuilder) -> reqwest::Result<Client> {
    builder().tls_danger_accept_invalid_certs(true).build()
}

/// A client for a proxy that a user names. Calls through one are rare, so it is not kept.
pub(crate) fn through(proxy: &Url, resolver: &Arc<Checked>, skip_verify: bool) -> Result<Client, CallError> {
    let bad = |error: reqwest::Error| CallError::BadRequest {
        reason: format!("proxy cannot be used: {}", cause(&error)),
    };
    let proxy = Proxy::all(proxy.clone()).map_err(bad)?;
    let builder = || builder(resolver).proxy(proxy.clone());
    if skip_verify { trusting(builder) } else { verifying(builder) }.map_err(bad)
}
