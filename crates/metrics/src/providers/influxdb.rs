//! InfluxDB: Flux by the API of version 2, or InfluxQL by that of version 1.

mod csv;

use serde::Deserialize;
use serde_json::{Value, json};
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Secret, parse_url};

use super::{
    ProviderError, lookup_key,
    server::{Server, address},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "influxdb";
const DEADLINE_MS: u64 = 15_000;

pub(super) struct InfluxDb {
    server: Server,
    api: Api,
}

enum Api {
    /// Flux, for an organisation; empty where the server knows it otherwise.
    V2 { org: String },
    /// InfluxQL, with the parameters that the address has.
    V1 { parameters: Vec<(String, String)> },
}

impl InfluxDb {
    /// An address with `?db=` is that of version 1.
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let address = address(spec).unwrap_or_default();
        let server = Server::of(NAME, address, spec, credentials)?.within(DEADLINE_MS);
        let url = parse_url(address).ok();
        let pairs = url.iter().flat_map(|url| url.query_pairs());
        let parameters: Vec<(String, String)> = pairs
            .filter(|(name, _)| matches!(&**name, "db" | "rp"))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let token = credentials.and_then(|entries| entries.get("token"));
        let with_token = |server: Server, token: &Secret| {
            server.credential("Authorization", format!("Token {}", token.expose()), token)
        };
        if parameters.iter().any(|(name, _)| name == "db") {
            let key = |key, what| lookup_key(NAME, credentials, key, what);
            let server = match (credentials, token) {
                (None, _) => server,
                (Some(_), Some(token)) => with_token(server, token),
                (Some(_), None) => {
                    server.basic(&key("username", "a username")?, &key("password", "a password")?)
                }
            };
            return Ok(InfluxDb { server, api: Api::V1 { parameters } });
        }
        if credentials.is_none() {
            return Ok(InfluxDb { server, api: Api::V2 { org: String::new() } });
        }
        let token = lookup_key(NAME, credentials, "token", "an authentication token")?;
        let org = lookup_key(NAME, credentials, "org", "an organisation")?.expose().to_owned();
        Ok(InfluxDb { server: with_token(server, &token), api: Api::V2 { org } })
    }

    fn ask(&self, text: &str) -> Request {
        match &self.api {
            Api::V1 { parameters } => {
                let mut url = self.server.url("/query");
                url.query_pairs_mut()
                    .extend_pairs(parameters)
                    .append_pair("q", text)
                    .append_pair("epoch", "ms");
                self.server.get(url)
            }
            Api::V2 { org } => {
                let dialect = json!({
                    "annotations": ["datatype", "group", "default"], "delimiter": ",", "header": true,
                });
                let body = json!({"query": text, "type": "flux", "dialect": dialect});
                let mut url = self.server.url("/api/v2/query");
                url.query_pairs_mut().append_pair("org", org);
                let request = self.server.post(url, "application/json", body.to_string());
                request.header("Accept", "application/csv")
            }
        }
    }

    /// The first value of the one series in a reply of version 1, in the column beside the time.
    fn influxql(&self, reply: &Reply) -> Result<f64, QueryError> {
        let answer: Answer = self.server.json(reply)?;
        let mut series = Vec::new();
        for result in answer.results {
            if let Some(error) = result.error {
                return Err(self.server.refused(&error));
            }
            series.extend(result.series);
        }
        let one = match series.as_slice() {
            [] => return Err(QueryError::NoValues),
            [one] => one,
            many => return Err(QueryError::ManySeries(many.len())),
        };
        let columns: Vec<usize> =
            one.columns.iter().enumerate().filter(|(_, name)| *name != "time").map(|(at, _)| at).collect();
        let [column] = columns.as_slice() else { return Err(QueryError::ManyValues) };
        let value = one.values.iter().filter_map(|row| row.get(*column)).find(|value| !value.is_null());
        let value = value.ok_or(QueryError::NoValues)?;
        value.as_f64().ok_or_else(|| self.server.malformed(reply, "a value is no number"))
    }
}

impl HttpProvider for InfluxDb {
    fn request(&self, query: &Query<'_>) -> Request {
        self.ask(query.text)
    }

    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        match &self.api {
            Api::V1 { .. } => self.influxql(reply),
            Api::V2 { .. } => csv::value(&self.server, reply, self.server.body(reply)?),
        }
    }

    fn probe(&self) -> Request {
        match &self.api {
            Api::V1 { .. } => self.ask("SHOW MEASUREMENTS LIMIT 1"),
            Api::V2 { .. } => self.ask("buckets() |> limit(n: 1)"),
        }
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        match self.parse(reply) {
            Err(error @ QueryError::Refused { .. }) => Err(error),
            _ => self.server.body(reply).map(|_| ()),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    error: Option<String>,
    #[serde(default)]
    series: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    values: Vec<Vec<Value>>,
}
