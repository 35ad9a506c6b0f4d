//! Dynatrace: metric data points of the Environment API v2.

use serde::Deserialize;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request};

use super::{
    ProviderError, lookup_key,
    server::{Server, address},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "dynatrace";

pub(super) struct Dynatrace(Server);

impl Dynatrace {
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let address = address(spec).ok_or(ProviderError::NoAddress { provider: NAME })?;
        let server = Server::of(NAME, address, spec, credentials)?;
        let token = lookup_key(NAME, credentials, "dynatrace_token", "dynatrace_token")?;
        Ok(Dynatrace(server.credential("Authorization", format!("Api-Token {}", token.expose()), &token)))
    }
}

impl HttpProvider for Dynatrace {
    fn request(&self, query: &Query<'_>) -> Request {
        let (from, to) = query.window_s();
        let ms = |seconds: u64| seconds.saturating_mul(1_000).to_string();
        let mut url = self.0.url("/api/v2/metrics/query");
        url.query_pairs_mut()
            .append_pair("metricSelector", query.text)
            .append_pair("resolution", "Inf")
            .append_pair("from", &ms(from))
            .append_pair("to", &ms(to));
        self.0.get(url)
    }

    /// With the resolution `Inf` a series has one value. Entries without dimensions are one series; its last is used.
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let answer: Answer = self.0.json(reply)?;
        let Some(result) = answer.result.first() else { return Err(QueryError::NoValues) };
        let with_dimensions = result.data.iter().filter(|series| !series.dimensions.is_empty()).count();
        if with_dimensions > 1 {
            return Err(QueryError::ManySeries(with_dimensions));
        }
        let value = result.data.last().and_then(|series| *series.values.first()?);
        value.ok_or(QueryError::NoValues)
    }

    fn probe(&self) -> Request {
        let mut url = self.0.url("/api/v2/metrics");
        url.query_pairs_mut().append_pair("pageSize", "1");
        self.0.get(url)
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        self.0.body(reply).map(|_| ())
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    data: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    dimensions: Vec<serde_json::Value>,
    #[serde(default)]
    values: Vec<Option<f64>>,
}
