//! New Relic: NRQL by the Insights query API, or by NerdGraph, which replaces it.

use serde_json::{Value, json};
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request};

use super::{
    ProviderError, lookup_key,
    server::{Server, address},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "newrelic";
const INSIGHTS: &str = "https://insights-api.newrelic.com";
const NERDGRAPH: &str = "https://api.newrelic.com";
const GRAPHQL: &str =
    "query($id: Int!, $nrql: Nrql!) { actor { account(id: $id) { nrql(query: $nrql) { results } } } }";

pub(super) struct NewRelic {
    server: Server,
    account: u64,
    by_nerdgraph: bool,
}

impl NewRelic {
    /// The Secret says which API it is: a query key is for Insights, a user key for NerdGraph.
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        // The quotes are those of Flagger's messages.
        let account = lookup_key(NAME, credentials, "newrelic_account_id", "the key 'newrelic_account_id'")?;
        let user_key = credentials.and_then(|entries| entries.get("newrelic_user_key"));
        let server = |default| Server::of(NAME, address(spec).unwrap_or(default), spec, credentials);
        let (server, by_nerdgraph) = match user_key {
            Some(key) => (server(NERDGRAPH)?.credential("API-Key", key.expose().to_owned(), key), true),
            None => {
                let what = "the key ''newrelic_query_key";
                let key = lookup_key(NAME, credentials, "newrelic_query_key", what)?;
                (server(INSIGHTS)?.credential("X-Query-Key", key.expose().to_owned(), &key), false)
            }
        };
        let wrong =
            ProviderError::Setting("newrelic credentials have a newrelic_account_id that is no number");
        let account = account.expose().parse().map_err(|_| wrong)?;
        Ok(NewRelic { server, account, by_nerdgraph })
    }

    fn nrql(&self, nrql: &str) -> Request {
        if self.by_nerdgraph {
            let body = json!({"query": GRAPHQL, "variables": {"id": self.account, "nrql": nrql}});
            return self.server.post(self.server.url("/graphql"), "application/json", body.to_string());
        }
        let mut url = self.server.url(&format!("/v1/accounts/{}/query", self.account));
        url.query_pairs_mut().append_pair("nrql", nrql);
        self.server.get(url)
    }

    /// The list of results. GraphQL answers 200 to a query that it refuses.
    fn results(&self, reply: &Reply) -> Result<Vec<Value>, QueryError> {
        let answer: Value = self.server.json(reply)?;
        let said = answer.pointer("/errors/0/message").or_else(|| answer.get("error"));
        if let Some(said) = said.and_then(Value::as_str) {
            return Err(self.server.refused(said));
        }
        let path = if self.by_nerdgraph { "/data/actor/account/nrql/results" } else { "/results" };
        let results = answer.pointer(path).and_then(Value::as_array);
        results.cloned().ok_or_else(|| self.server.malformed(reply, "reply has no results"))
    }
}

impl HttpProvider for NewRelic {
    fn request(&self, query: &Query<'_>) -> Request {
        let has_range = query.text.split_whitespace().any(|word| word.eq_ignore_ascii_case("since"));
        if has_range {
            return self.nrql(query.text);
        }
        self.nrql(&format!("{} SINCE {} seconds ago", query.text, query.interval_ms / 1_000))
    }

    /// The one number of the one result, whatever function of NRQL names it.
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let results = self.results(reply)?;
        let one = match results.as_slice() {
            [] => return Err(QueryError::NoValues),
            [one] => one,
            many => return Err(QueryError::ManySeries(many.len())),
        };
        if let Some(number) = one.get("result").and_then(Value::as_f64) {
            return Ok(number);
        }
        let inner = |value: &Value| match value.as_object() {
            Some(object) => object.values().filter_map(Value::as_f64).collect(),
            None => value.as_f64().into_iter().collect::<Vec<f64>>(),
        };
        let fields = one.as_object().into_iter().flat_map(|object| object.values());
        match fields.flat_map(inner).collect::<Vec<f64>>().as_slice() {
            [] => Err(QueryError::NoValues),
            [number] => Ok(*number),
            _ => Err(QueryError::ManyValues),
        }
    }

    fn probe(&self) -> Request {
        self.nrql("SELECT * FROM Metric SINCE 60 seconds ago")
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        self.results(reply).map(|_| ())
    }
}
