//! The kinds of metric servers. A new one is one file and one line in [`PROVIDERS`].

mod cloudwatch;
mod datadog;
mod dynatrace;
mod external_metrics;
mod graphite;
mod influxdb;
mod keptn;
mod new_relic;
mod prometheus;
mod server;
mod splunk;
mod stackdriver;

pub(crate) use prometheus::Prometheus;

use vexil_egress::Secret;

use crate::{BuildProvider, Credentials};

/// Every kind there is, by the `type` that users write.
pub(crate) static PROVIDERS: [(&str, BuildProvider); 11] = [
    ("prometheus", |spec, credentials| Ok(Box::new(Prometheus::of(spec, credentials)?))),
    ("cloudwatch", |spec, credentials| Ok(Box::new(cloudwatch::CloudWatch::of(spec, credentials)?))),
    ("datadog", |spec, credentials| Ok(Box::new(datadog::Datadog::of(spec, credentials)?))),
    ("dynatrace", |spec, credentials| Ok(Box::new(dynatrace::Dynatrace::of(spec, credentials)?))),
    ("externalmetrics", external_metrics::build),
    ("graphite", |spec, credentials| Ok(Box::new(graphite::Graphite::of(spec, credentials)?))),
    ("influxdb", |spec, credentials| Ok(Box::new(influxdb::InfluxDb::of(spec, credentials)?))),
    ("keptn", |_, _| Ok(Box::new(keptn::Keptn))),
    ("newrelic", |spec, credentials| Ok(Box::new(new_relic::NewRelic::of(spec, credentials)?))),
    ("splunk", |spec, credentials| Ok(Box::new(splunk::Splunk::of(spec, credentials)?))),
    ("stackdriver", |spec, credentials| Ok(Box::new(stackdriver::Stackdriver::of(spec, credentials)?))),
];

/// Why a provider block cannot be used: what its owner has to correct.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No such kind.
    #[error("metric provider type {0:?} is not supported by this version")]
    Unsupported(String),
    /// The address is missing.
    #[error("{provider} endpoint is not set")]
    NoAddress {
        /// The kind.
        provider: &'static str,
    },
    /// The address cannot be called.
    #[error("{provider} address {address} is not a valid URL")]
    Address {
        /// The kind.
        provider: &'static str,
        /// The address, without what may be a password.
        address: String,
    },
    /// The secret lacks an entry.
    #[error("{provider} credentials does not contain {what}")]
    MissingKey {
        /// The kind.
        provider: &'static str,
        /// The entry.
        what: &'static str,
    },
    /// The entry `ca.crt` of the secret is no certificate.
    #[error("{provider} credentials have a ca.crt that is no certificate in PEM form")]
    NoCertificate {
        /// The kind.
        provider: &'static str,
    },
    /// Another field, or an entry of the secret, cannot be used.
    #[error("{0}")]
    Setting(&'static str),
}

/// An entry that the secret must have; `what` is how Flagger's message names it.
fn lookup_key(
    provider: &'static str,
    credentials: Option<&Credentials>,
    key: &str,
    what: &'static str,
) -> Result<Secret, ProviderError> {
    let entry = credentials.and_then(|entries| entries.get(key)).cloned();
    entry.ok_or(ProviderError::MissingKey { provider, what })
}

/// An address for a message: what is before an `@` may be a password.
pub(crate) fn without_user(address: &str) -> String {
    let shown = address.rsplit('@').next().unwrap_or_default();
    shown.chars().filter(|c| !c.is_control()).take(256).collect()
}

#[cfg(test)]
pub(crate) mod tests;
