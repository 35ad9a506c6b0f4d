//! Datadog: timeseries points of the API v1.

use serde::Deserialize;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request};

use super::{
    ProviderError, lookup_key,
    server::{Server, address},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "datadog";
/// The site US1; the other sites are addresses of the template.
const ADDRESS: &str = "https://api.datadoghq.com";

pub(super) struct Datadog(Server);

impl Datadog {
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let server = Server::of(NAME, address(spec).unwrap_or(ADDRESS), spec, credentials)?;
        let key = |key| lookup_key(NAME, credentials, key, key);
        let (api, application) = (key("datadog_api_key")?, key("datadog_application_key")?);
        let server = server.credential("DD-API-KEY", api.expose().to_owned(), &api);
        Ok(Datadog(server.credential("DD-APPLICATION-KEY", application.expose().to_owned(), &application)))
    }
}

impl HttpProvider for Datadog {
    fn request(&self, query: &Query<'_>) -> Request {
        let (from, to) = query.window_s();
        let mut url = self.0.url("/api/v1/query");
        url.query_pairs_mut()
            .append_pair("query", query.text)
            .append_pair("from", &from.to_string())
            .append_pair("to", &to.to_string());
        self.0.get(url)
    }

    /// The oldest point: the newest one is of a time that has not ended. A time without data has `null`.
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let answer: Answer = self.0.json(reply)?;
        if answer.status.as_deref() == Some("error") {
            return Err(self.0.refused(&answer.error.unwrap_or_default()));
        }
        let first = |series: &Series| series.pointlist.iter().find_map(|(_, value)| *value);
        let values: Vec<f64> = answer.series.iter().filter_map(first).collect();
        match values.as_slice() {
            [] => Err(QueryError::NoValues),
            [value] => Ok(*value),
            many => Err(QueryError::ManySeries(many.len())),
        }
    }

    fn probe(&self) -> Request {
        self.0.get(self.0.url("/api/v1/validate"))
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        self.0.body(reply).map(|_| ())
    }
}

#[derive(Deserialize)]
struct Answer {
    status: Option<String>,
    error: Option<String>,
    #[serde(default)]
    series: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    pointlist: Vec<(Option<f64>, Option<f64>)>,
}
