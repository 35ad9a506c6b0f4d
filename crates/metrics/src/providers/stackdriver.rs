//! Google Cloud Monitoring: queries in MQL by `timeSeries:query`, with an OAuth token that is requested first.

mod token;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Secret};

use self::token::Account;
use super::{
    ProviderError, lookup_key,
    server::{Server, address},
};
use crate::{Credentials, Environment, MetricProvider, Query, QueryError, provider::kept};

const NAME: &str = "stackdriver";
const ADDRESS: &str = "https://monitoring.googleapis.com";
const REQUESTING: &str = "error requesting stackdriver";

pub(super) struct Stackdriver {
    server: Server,
    /// That of the Secret; else it is the operator's.
    project: Option<String>,
    /// The service account of the Secret; else tokens are the operator's own.
    account: Option<Account>,
}

impl Stackdriver {
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let key = credentials.and_then(|entries| entries.get("serviceAccountKey"));
        if address(spec).is_some() && key.is_none() {
            let wrong = "stackdriver address needs a serviceAccountKey in the secret: the operator's own token is only \
                         sent to Google";
            return Err(ProviderError::Setting(wrong));
        }
        let server = Server::of(NAME, address(spec).unwrap_or(ADDRESS), spec, credentials)?;
        let project = match credentials {
            Some(_) => {
                let project = lookup_key(NAME, credentials, "project", "a project id")?.expose().to_owned();
                let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':');
                let wrong =
                    ProviderError::Setting("stackdriver credentials have a project that is no project id");
                Some(project).filter(|id| !id.is_empty() && id.bytes().all(fits)).ok_or(wrong).map(Some)?
            }
            None => None,
        };
        let account = key.map(Account::of).transpose()?;
        Ok(Stackdriver { server, project, account })
    }

    /// A request with the token; the operator's own token has the operator's own project.
    async fn request(&self, environment: &Environment<'_>, query: &str) -> Result<Request, QueryError> {
        let token = match &self.account {
            Some(account) => token::of_account(environment, account).await,
            None => token::of_operator(environment).await,
        };
        let token = token.map_err(|e| e.before(REQUESTING))?;
        let project = match &self.project {
            Some(project) => project.clone(),
            None => token::project(environment).await.map_err(|e| e.before(REQUESTING))?,
        };
        Ok(self.query_request(&project, &token, query))
    }

    fn query_request(&self, project: &str, token: &Secret, query: &str) -> Request {
        let url = self.server.url(&format!("/v3/projects/{project}/timeSeries:query"));
        let body = json!({"query": query}).to_string();
        let server =
            self.server.clone().credential("Authorization", format!("Bearer {}", token.expose()), token);
        server.post(url, "application/json", body)
    }

    /// The newest value of the one series.
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let answer: Answer = self.server.json(reply)?;
        let with_points: Vec<&Series> =
            answer.time_series_data.iter().filter(|s| !s.point_data.is_empty()).collect();
        let one = match with_points.as_slice() {
            [] => return Err(QueryError::NoValues),
            [one] => one,
            many => return Err(QueryError::ManySeries(many.len())),
        };
        let value =
            one.point_data.first().and_then(|point| point.values.first()).ok_or(QueryError::NoValues)?;
        // 64-bit integers are texts in Google's JSON.
        let integer = value
            .get("int64Value")
            .and_then(|v| v.as_str().and_then(|text| text.parse().ok()).or(v.as_f64()));
        let number = value.get("doubleValue").and_then(number).or(integer);
        number.ok_or_else(|| self.server.malformed(reply, "value is neither a double nor an int64"))
    }
}

/// A double; NaN and the infinities are texts in Google's JSON.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[async_trait]
impl MetricProvider for Stackdriver {
    async fn query(&self, environment: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        let request = self.request(environment, query.text).await?;
        let reply = environment.transport.call(request).await;
        let reply = reply.map_err(|e| QueryError::from(e).before(REQUESTING))?;
        match kept(&reply, self.parse(&reply)) {
            Err(error @ QueryError::Refused { .. }) => Err(error.before(REQUESTING)),
            result => result,
        }
    }

    /// An empty query is refused with 400 by a service that works and accepts the token.
    async fn online(&self, environment: &Environment<'_>) -> Result<(), QueryError> {
        let request = self.request(environment, "").await?;
        let reply = environment.transport.call(request).await;
        let reply = reply.map_err(|e| QueryError::from(e).before(REQUESTING))?;
        match reply.status {
            400 => Ok(()),
            _ => kept(&reply, self.server.body(&reply).map(|_| ())).map_err(|e| e.before(REQUESTING)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    time_series_data: Vec<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    #[serde(default)]
    point_data: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    #[serde(default)]
    values: Vec<Value>,
}

#[cfg(test)]
mod tests;
