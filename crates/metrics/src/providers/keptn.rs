//! Keptn: the value of a KeptnMetric, or whether an Analysis passes, by the operator's own API server.

use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vexil_egress::Reply;

use crate::{ApiMethod, ApiRequest, Environment, MetricProvider, Query, QueryError};

const ROOT: &str = "/apis/metrics.keptn.sh/v1beta1/namespaces";
const DEFAULT_TIMEFRAME: &str = "1m";
/// How often the result of an Analysis is looked for, and how long between.
const LOOKS: usize = 10;
const PAUSE_MS: u64 = 1_000;
const FORMAT: &str = "unexpected query format. query must be in the format \
                      <keptnmetric|analysis>/<namespace>/<resourceName>/<duration>/<arguments>";

pub(super) struct Keptn;

/// What a query names.
#[derive(Debug, PartialEq, Eq)]
enum Wanted<'a> {
    Metric { namespace: &'a str, name: &'a str },
    Analysis { namespace: &'a str, definition: &'a str, timeframe: &'a str, args: Vec<(&'a str, &'a str)> },
}

/// Reads `<kind>/<namespace>/<name>[/<timeframe>[/<key>=<value>;…]]`. Only the kind may be in capitals.
fn parse(query: &str) -> Result<Wanted<'_>, QueryError> {
    let wrong = |text: &str| Err(QueryError::Query(text.to_owned()));
    let mut parts = query.trim().splitn(5, '/').map(str::trim);
    let (Some(kind), Some(namespace), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return wrong(FORMAT);
    };
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    if [namespace, name].iter().any(|part| part.split('.').any(str::is_empty) || !part.bytes().all(fits)) {
        return wrong(FORMAT);
    }
    match kind.to_ascii_lowercase().as_str() {
        "keptnmetric" | "keptnmetrics" => Ok(Wanted::Metric { namespace, name }),
        "analysis" | "analyses" => {
            let timeframe = parts.next().filter(|text| !text.is_empty()).unwrap_or(DEFAULT_TIMEFRAME);
            let args = parts.next().unwrap_or_default().split(';').filter_map(|pair| pair.split_once('='));
            Ok(Wanted::Analysis { namespace, definition: name, timeframe, args: args.collect() })
        }
        _ => wrong(
            "unexpected resource kind provided in the query. must be one of: ['keptnmetric', 'analysis']",
        ),
    }
}

async fn send(
    environment: &Environment<'_>,
    method: ApiMethod,
    path: &str,
    body: Vec<u8>,
) -> Result<Reply, QueryError> {
    Ok(environment.platform.api_server(ApiRequest { method, path: path.to_owned(), body }).await?)
}

/// The object in a reply.
fn object(reply: &Reply, what: &str) -> Result<Value, QueryError> {
    let said = || reply.text(512);
    if !(200..300).contains(&reply.status) {
        let problem = format!("{what}: Status {}: {}", reply.status_line(), said());
        return Err(QueryError::Offline(problem));
    }
    serde_json::from_slice(&reply.body).map_err(|e| QueryError::Malformed(format!("{e}, '{}'", said())))
}

async fn metric(environment: &Environment<'_>, namespace: &str, name: &str) -> Result<f64, QueryError> {
    let path = format!("{ROOT}/{namespace}/keptnmetrics/{name}");
    let reply = send(environment, ApiMethod::Get, &path, Vec::new()).await?;
    let object = object(&reply, &format!("could not retrieve KeptnMetric {namespace}/{name}"))?;
    let value = object.pointer("/status/value").and_then(Value::as_str).filter(|value| !value.is_empty());
    let Some(value) = value else {
        let text = format!("could not retrieve KeptnMetric - no value found in resource {namespace}/{name}");
        return Err(QueryError::Offline(text));
    };
    value.parse().map_err(|_| {
        let text = format!(
            "could not parse value of KeptnMetric {namespace}/{name} to float: {value:?} is no number"
        );
        QueryError::Malformed(text)
    })
}

/// The Analysis of a check has always the same name, so that one that was left behind when a check was interrupted is
/// found and deleted by the next.
fn analysis_name(definition: &str, check: &str) -> String {
    let digest = Sha256::digest(check.as_bytes());
    let hex: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    format!("{definition}-{hex}")
}

fn analysis(name: &str, namespace: &str, definition: &str, timeframe: &str, args: &[(&str, &str)]) -> Value {
    let args: serde_json::Map<String, Value> =
        args.iter().map(|(key, value)| (key.trim().to_owned(), value.trim().into())).collect();
    json!({
        "apiVersion": "metrics.keptn.sh/v1beta1",
        "kind": "Analysis",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"analysisDefinition": {"name": definition}, "timeframe": {"recent": timeframe}, "args": args},
    })
}

/// Waits until the Analysis is completed: 1 if it passed, else 0.
async fn result(environment: &Environment<'_>, path: &str, label: &str) -> Result<f64, QueryError> {
    for _ in 0..LOOKS {
        environment.platform.pause(PAUSE_MS).await;
        let reply = send(environment, ApiMethod::Get, path, Vec::new()).await?;
        let object = object(&reply, &format!("could not retrieve Analysis {label}"))?;
        let state = object.pointer("/status/state").and_then(Value::as_str);
        if state == Some("Completed") {
            let passed = object.pointer("/status/pass").and_then(Value::as_bool).unwrap_or(false);
            return Ok(f64::from(u8::from(passed)));
        }
    }
    Err(QueryError::Offline(format!(
        "encountered timeout while waiting for Keptn Analysis {label} to be finished"
    )))
}

async fn analyse(
    environment: &Environment<'_>,
    namespace: &str,
    body: &Value,
    name: &str,
) -> Result<f64, QueryError> {
    let (all, label) = (format!("{ROOT}/{namespace}/analyses"), format!("{namespace}/{name}"));
    let path = format!("{all}/{name}");
    let create = || send(environment, ApiMethod::Create, &all, body.to_string().into_bytes());
    let mut reply = create().await?;
    if reply.status == 409 {
        send(environment, ApiMethod::Delete, &path, Vec::new()).await?;
        reply = create().await?;
    }
    object(&reply, &format!("could not create Keptn Analysis {label}"))?;
    let result = result(environment, &path, &label).await;
    let deleted = send(environment, ApiMethod::Delete, &path, Vec::new()).await;
    if let Err(error) = deleted {
        tracing::warn!(analysis = label, "Analysis could not be deleted, the next check will: {error}");
    }
    result
}

#[async_trait]
impl MetricProvider for Keptn {
    fn check(&self, query: &str) -> Result<(), QueryError> {
        parse(query).map(|_| ())
    }

    async fn query(&self, environment: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        match parse(query.text)? {
            Wanted::Metric { namespace, name } => metric(environment, namespace, name).await,
            Wanted::Analysis { namespace, definition, timeframe, args } => {
                let name = analysis_name(definition, query.check);
                let body = analysis(&name, namespace, definition, timeframe, &args);
                analyse(environment, namespace, &body, &name).await
            }
        }
    }

    /// The API server is there if this runs.
    async fn online(&self, _: &Environment<'_>) -> Result<(), QueryError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
