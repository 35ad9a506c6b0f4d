//! The HTTP clients: without redirects, retries and long-lived connections, and with checked name lookups.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url};
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

/// How many clients with certificates of a user are kept. Building one takes milliseconds.
const MOST_OWN_CA: usize = 16;

/// Clients that trust the authorities of a user alone, by the certificates of these.
#[derive(Default)]
pub(crate) struct OfAuthorities(VecDeque<(String, Client)>);

impl OfAuthorities {
    /// The client for these certificates.
    pub(crate) fn client(
        &mut self,
        ca: &str,
        builder: impl Fn() -> ClientBuilder,
    ) -> Result<Client, CallError> {
        if let Some((_, client)) = self.0.iter().find(|(of, _)| of == ca) {
            return Ok(client.clone());
        }
        let bad = |why: String| CallError::BadRequest {
            reason: format!("certificates of the authority cannot be read: {why}"),
        };
        let certificates = Certificate::from_pem_bundle(ca.as_bytes()).map_err(|e| bad(cause(&e)))?;
        if certificates.is_empty() {
            return Err(bad("there is none".to_owned()));
        }
        let client = builder().tls_certs_only(certificates).build().map_err(|e| bad(cause(&e)))?;
        self.0.truncate(MOST_OWN_CA - 1);
        self.0.push_front((ca.to_owned(), client.clone()));
        Ok(client)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_with_certificates_of_users_are_kept_and_bounded() {
        // Fails only when another test has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (mut kept, pem) = (OfAuthorities::default(), include_str!("egress/testdata/self-signed.pem"));
        for round in 0..3 * MOST_OWN_CA {
            let different = round % (MOST_OWN_CA + 3);
            assert!(kept.client(&format!("{pem}{}", "\n".repeat(different)), ClientBuilder::new).is_ok());
            assert_eq!(kept.0.len(), (round + 1).min(MOST_OWN_CA));
        }
        assert!(kept.client(pem, ClientBuilder::new).is_ok());
        assert!(kept.client(pem, || panic!("a client that is kept is not built again")).is_ok());
    }
}
