//! Amazon CloudWatch: `GetMetricData` with the JSON protocol, signed with the keys of a Secret or of the operator.

mod keys;

use std::{iter, time};

use async_trait::async_trait;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use serde::Deserialize;
use serde_json::{Value, json};
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Secret};

use self::keys::Keys;
use super::{
    ProviderError,
    server::{Server, address},
};
use crate::{Credentials, Environment, MetricProvider, Query, QueryError, provider::kept};

const NAME: &str = "cloudwatch";
const TARGET: &str = "GraniteServiceVersion20100801.GetMetricData";
/// Values of one page, as Flagger asks for.
const MOST_VALUES: u32 = 20;
/// Pages of one query that are read at most, until one has a value.
const MOST_PAGES: usize = 5;
const REQUESTING: &str = "error requesting cloudwatch";

pub(super) struct CloudWatch {
    server: Server,
    region: String,
    /// Those of the Secret; else the operator's own are found for each query.
    keys: Option<Keys>,
}

impl CloudWatch {
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let region = spec.region.as_deref().unwrap_or_default().trim();
        if region.is_empty() {
            return Err(ProviderError::Setting("region not specified"));
        }
        if !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(ProviderError::Setting(
                "cloudwatch region may only hold small letters, digits and hyphens",
            ));
        }
        if address(spec).is_some() && credentials.is_none() {
            let wrong = "cloudwatch address needs a secretRef: the operator's own keys are only sent to AWS";
            return Err(ProviderError::Setting(wrong));
        }
        let own = format!("https://monitoring.{region}.{}", keys::domain(region));
        let server = Server::of(NAME, address(spec).unwrap_or(&own), spec, credentials)?;
        let keys = credentials.map(|entries| Keys::of_secret(NAME, entries)).transpose()?;
        let secrets = keys.iter().flat_map(Keys::secrets);
        let server = secrets.fold(server, |server, secret| server.hiding(secret));
        Ok(CloudWatch { server, region: region.to_owned(), keys })
    }

    /// The keys that requests are signed with.
    async fn keys(&self, environment: &Environment<'_>) -> Result<Keys, QueryError> {
        match &self.keys {
            Some(keys) => Ok(keys.clone()),
            None => keys::of_operator(environment, &self.region).await.map_err(|e| e.before(REQUESTING)),
        }
    }

    /// A signed request for one page of data, from `from` to `to` in seconds since the Unix epoch.
    fn request(&self, keys: &Keys, now_ms: u64, body: &Value) -> Result<Request, QueryError> {
        let request = self.server.post(self.server.url("/"), "application/x-amz-json-1.0", body.to_string());
        let request = request.header("X-Amz-Target", TARGET);
        signed(request, keys, &self.region, now_ms)
    }

    fn page(&self, reply: &Reply) -> Result<Page, QueryError> {
        self.server.json(reply)
    }
}

/// The body of a request.
fn body(queries: &Value, from_s: u64, to_s: u64, next: Option<&str>) -> Value {
    let mut body = json!({
        "MetricDataQueries": queries, "StartTime": from_s, "EndTime": to_s, "MaxDatapoints": MOST_VALUES,
    });
    if let (Some(next), Some(fields)) = (next, body.as_object_mut()) {
        fields.insert("NextToken".to_owned(), next.into());
    }
    body
}

/// The query: a list of `MetricDataQuery` objects.
fn queries(text: &str) -> Result<Value, QueryError> {
    let wrong = |problem: &str| QueryError::Query(format!("error unmarshaling query: {problem}"));
    let queries: Value = serde_json::from_str(text).map_err(|e| wrong(&e.to_string()))?;
    match queries.as_array() {
        Some(list) if list.is_empty() => Err(wrong("the list of metric data queries is empty")),
        Some(list) if list.iter().all(Value::is_object) => Ok(queries),
        _ => Err(wrong("a list of metric data queries is needed")),
    }
}

/// The request with a signature of version 4 over its headers and its body.
fn signed(mut request: Request, keys: &Keys, region: &str, now_ms: u64) -> Result<Request, QueryError> {
    let wrong = |problem: String| QueryError::Query(format!("{REQUESTING}: cannot sign: {problem}"));
    let identity = keys.identity();
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("monitoring")
        .time(time::UNIX_EPOCH + time::Duration::from_millis(now_ms))
        .settings(SigningSettings::default())
        .build()
        .map_err(|e| wrong(e.to_string()))?
        .into();
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
    let signable =
        SignableRequest::new("POST", request.url.as_str(), headers, SignableBody::Bytes(&request.body))
            .map_err(|e| wrong(e.to_string()))?;
    let (instructions, _) = sign(signable, &params).map_err(|e| wrong(e.to_string()))?.into_parts();
    let added: Vec<(String, Secret)> =
        instructions.headers().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    Ok(Request { headers: request.headers.iter().cloned().chain(added).collect(), ..request })
}

#[async_trait]
impl MetricProvider for CloudWatch {
    fn check(&self, query: &str) -> Result<(), QueryError> {
        queries(query).map(|_| ())
    }

    /// The newest value of the first result that has any. Pages can be empty before the last.
    async fn query(&self, environment: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        let (queries, (from, to)) = (queries(query.text)?, query.window_s());
        let keys = self.keys(environment).await?;
        let mut next = None;
        for _ in iter::repeat_n((), MOST_PAGES) {
            let request = self.request(&keys, query.now_ms, &body(&queries, from, to, next.as_deref()))?;
            let reply = environment.transport.call(request).await;
            let reply = reply.map_err(|e| QueryError::from(e).before(REQUESTING))?;
            let page = kept(&reply, self.page(&reply)).map_err(|e| e.before(REQUESTING))?;
            if let Some(value) = page.value() {
                return Ok(value);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        Err(QueryError::NoValues)
    }

    /// An empty query is refused with 400 by a service that works and accepts the signature.
    async fn online(&self, environment: &Environment<'_>) -> Result<(), QueryError> {
        let keys = self.keys(environment).await?;
        let request = self.request(&keys, environment.now_ms, &body(&json!([]), 0, 0, None))?;
        let reply =
            environment.transport.call(request).await.map_err(|e| QueryError::from(e).before(REQUESTING))?;
        // JSON protocols also answer 400 to a signature that is wrong or has no rights.
        let text = reply.text(4_096);
        let denied =
            ["AccessDenied", "UnrecognizedClient", "InvalidClientToken", "Signature", "ExpiredToken"];
        match reply.status {
            400 if !denied.iter().any(|word| text.contains(word)) => Ok(()),
            _ => kept(&reply, self.server.body(&reply).map(|_| ())).map_err(|e| e.before(REQUESTING)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    metric_data_results: Vec<Series>,
    next_token: Option<String>,
}

impl Page {
    fn value(&self) -> Option<f64> {
        self.metric_data_results.first()?.values.first().copied()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Series {
    #[serde(default)]
    values: Vec<f64>,
}

#[cfg(test)]
mod tests;
