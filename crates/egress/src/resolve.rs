//! Name lookups that check every resolved address. The connection is made to exactly the addresses that passed, so a
//! name that changes its answer between check and use gains nothing.

use std::{error::Error, io, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{
    allow_list::{Allowed, UNLISTED},
    policy::forbidden,
};

/// Turns a name into addresses; tests answer from a table.
#[async_trait::async_trait]
pub(crate) trait Lookup: Send + Sync + 'static {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver, search domains of the cluster included.
pub(crate) struct System;

#[async_trait::async_trait]
impl Lookup for System {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// A lookup that fails if any resolved address is forbidden.
pub(crate) struct Checked {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) allowed: Arc<Allowed>,
    /// Hosts of the environment's proxies, which the administrator need not list. [`Allowed::check`] keeps users from
    /// them.
    pub(crate) proxies: Vec<String>,
}

/// A name led to an address that the policy forbids.
#[derive(Debug, thiserror::Error)]
#[error("{name} leads to {address}, and {rule}")]
pub(crate) struct Forbidden {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) rule: &'static str,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        let is_proxy = self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(name.as_str()));
        let allowed = if is_proxy { Arc::default() } else { Arc::clone(&self.allowed) };
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "name has no address").into());
            }
            for address in &found {
                let listed = allowed.may_lead(name.as_str(), address.ip());
                if let Some(rule) = forbidden(address.ip()).or((!listed).then_some(UNLISTED)) {
                    let (name, address) = (name.as_str().to_owned(), address.ip().to_string());
                    return Err(Box::new(Forbidden { name, address, rule }) as Box<dyn Error + Send + Sync>);
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
