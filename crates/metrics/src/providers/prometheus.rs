//! Prometheus, and every server with its HTTP API.

use serde::Deserialize;
use serde_json::Value;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Secret};

use super::{
    ProviderError, lookup_key,
    server::{Server, address, collapsed},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "prometheus";

/// A Prometheus server.
#[derive(Clone, Debug)]
pub(crate) struct Prometheus(Server);

impl Prometheus {
    /// The server at an address, without credentials.
    pub(crate) fn at(address: &str) -> Result<Self, ProviderError> {
        Server::at(NAME, address).map(Prometheus)
    }

    /// The server of a MetricTemplate. A token wins over user and password. A Secret with only the certificates of
    /// the server has neither.
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let server = Server::of(NAME, address(spec).unwrap_or_default(), spec, credentials)?;
        let Some(credentials) = credentials else { return Ok(Prometheus(server)) };
        if let Some(token) = credentials.get("token") {
            return Ok(Prometheus(server.credential(
                "Authorization",
                format!("Bearer {}", token.expose()),
                token,
            )));
        }
        let names = ["username", "password"].map(|key| credentials.get(key));
        if names == [None, None] && credentials.get("ca.crt").is_some() {
            return Ok(Prometheus(server));
        }
        let key = |key, what| lookup_key(NAME, Some(credentials), key, what);
        let (username, password): (Secret, Secret) =
            (key("username", "a username")?, key("password", "a password")?);
        Ok(Prometheus(server.basic(&username, &password)))
    }
}

impl HttpProvider for Prometheus {
    fn request(&self, query: &Query<'_>) -> Request {
        self.instant(query.text)
    }

    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let Prometheus(server) = self;
        let malformed = |problem: &str| server.malformed(reply, problem);
        let answer: Answer = server.json(reply)?;
        if answer.status.as_deref() == Some("error") {
            let (kind, error) = (answer.error_type.unwrap_or_default(), answer.error.unwrap_or_default());
            return Err(server.refused(&format!("{kind}: {error}")));
        }
        let data = answer.data.ok_or_else(|| malformed("reply has no data"))?;
        let Value::Array(series) = &data.result else { return Err(malformed("data has no list of results")) };
        if matches!(data.result_type.as_deref(), Some("scalar" | "string")) {
            return Err(malformed("result is no vector"));
        }
        match series.as_slice() {
            [] => Err(QueryError::NoValues),
            [one] if one.get("values").is_some() => Err(QueryError::ManyValues),
            [one] => sample(one).map_err(|problem| malformed(&problem)),
            many => Err(QueryError::ManySeries(many.len())),
        }
    }

    fn probe(&self) -> Request {
        self.instant("vector(1)")
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        match self.parse(reply) {
            Ok(1.0) => Ok(()),
            Ok(_) => Err(QueryError::Offline("value is not 1 for query: vector(1)".to_owned())),
            Err(error) => Err(QueryError::Offline(format!("running query failed: {error}"))),
        }
    }
}

impl Prometheus {
    fn instant(&self, query: &str) -> Request {
        let mut url = self.0.url("/api/v1/query");
        url.query_pairs_mut().append_pair("query", &collapsed(query));
        self.0.get(url)
    }
}

/// The documented shape of an answer, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: Option<String>,
    error_type: Option<String>,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: Option<String>,
    result: Value,
}

/// The number of one series: `"value": [<time>, "<number>"]`.
fn sample(series: &Value) -> Result<f64, String> {
    let value = series.get("value").and_then(|value| value.get(1)).and_then(Value::as_str);
    let text = value.ok_or("series has no value")?;
    text.parse().map_err(|_| format!("value {text:?} is no number"))
}

#[cfg(test)]
mod tests;
