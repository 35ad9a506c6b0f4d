//! The kinds of metric servers. A new one is one file and one line in [`PROVIDERS`].

mod prometheus;

pub(crate) use prometheus::Prometheus;

use crate::BuildProvider;

/// Every kind there is, by the `type` that users write.
pub(crate) static PROVIDERS: [(&str, BuildProvider); 1] = [("prometheus", |spec, credentials| {
    let provider = Prometheus::of(spec, credentials)?;
    Ok(Box::new(provider))
})];

/// Why a provider block cannot be used: what its owner has to correct.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No such kind.
    #[error("metric provider type {0:?} is not supported by this version")]
    Unsupported(String),
    /// The address cannot be called.
    #[error("{provider} address {address} is not a valid URL")]
    Address {
        /// The kind.
        provider: &'static str,
        /// The address, without what may be a password.
        address: String,
    },
    /// The secret lacks an entry.
    #[error("{provider} credentials does not contain a {key}")]
    MissingKey {
        /// The kind.
        provider: &'static str,
        /// The entry.
        key: &'static str,
    },
}

/// An address for a message: what stands before an `@` may be a password.
pub(crate) fn without_user(address: &str) -> String {
    let shown = address.rsplit('@').next().unwrap_or_default();
    shown.chars().filter(|c| !c.is_control()).take(256).collect()
}
