//! Graphite: the render API. A query is the part of its URL behind the `?`.

use serde::Deserialize;
use serde_json::Value;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Url};

use super::{
    ProviderError, lookup_key,
    server::{Server, address, collapsed},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "graphite";

pub(super) struct Graphite(Server);

impl Graphite {
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let server = Server::of(NAME, address(spec).unwrap_or_default(), spec, credentials)?;
        let key = |key, what| lookup_key(NAME, credentials, key, what);
        if credentials.is_none() {
            return Ok(Graphite(server));
        }
        Ok(Graphite(server.basic(&key("username", "a username")?, &key("password", "a password")?)))
    }

    /// The URL with these parameters and the format that is read here.
    fn render(&self, query: &str) -> Request {
        let mut url = self.0.url("/render");
        let mut pairs = parameters(&url, query);
        pairs.retain(|(name, _)| name != "format");
        pairs.push(("format".to_owned(), "json".to_owned()));
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        url.query_pairs_mut().extend_pairs(pairs);
        self.0.get(url)
    }
}

/// The parameters of a query, decoded.
fn parameters(any: &Url, query: &str) -> Vec<(String, String)> {
    let mut url = any.clone();
    url.set_query(Some(collapsed(query).trim()));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

impl HttpProvider for Graphite {
    fn check(&self, query: &str) -> Result<(), QueryError> {
        let pairs = parameters(&self.0.url("/"), query);
        let has_target = pairs.iter().any(|(name, value)| name == "target" && !value.is_empty());
        let wrong = "graphite query has no target, as in target=summarize(...)&from=-1min";
        if has_target { Ok(()) } else { Err(QueryError::Query(wrong.to_owned())) }
    }

    fn request(&self, query: &Query<'_>) -> Request {
        self.render(query.text)
    }

    /// The newest value of the one series that has any.
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let all: Vec<Series> = self.0.json(reply)?;
        let newest =
            |series: &Series| series.datapoints.iter().rev().find(|(value, _)| !value.is_null()).cloned();
        let values: Vec<(Value, Value)> = all.iter().filter_map(newest).collect();
        match values.as_slice() {
            [] => Err(QueryError::NoValues),
            [(Value::String(text), _)] => {
                text.parse().map_err(|_| self.0.malformed(reply, &format!("value {text:?} is no number")))
            }
            [(value, _)] => {
                value.as_f64().ok_or_else(|| self.0.malformed(reply, "a value is neither number nor null"))
            }
            many => Err(QueryError::ManySeries(many.len())),
        }
    }

    fn probe(&self) -> Request {
        self.render("target=test")
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        match self.parse(reply) {
            Ok(_) | Err(QueryError::NoValues | QueryError::ManySeries(_)) => Ok(()),
            Err(error) => Err(QueryError::Offline(format!("running query failed: {error}"))),
        }
    }
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    datapoints: Vec<(Value, Value)>,
}
