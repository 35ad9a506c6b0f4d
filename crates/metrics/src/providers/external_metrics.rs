//! The external metrics API of Kubernetes (`external.metrics.k8s.io`), of the operator's own API server or of an
//! address.

use async_trait::async_trait;
use serde::Deserialize;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Secret, parse_url};

use super::{
    ProviderError,
    server::{Server, address},
};
use crate::{ApiRequest, Credentials, Environment, MetricProvider, Query, QueryError, provider::kept};

const NAME: &str = "externalmetrics";
const ROOT: &str = "/apis/external.metrics.k8s.io/v1beta1/namespaces";
const QUERYING: &str = "error querying external metrics API";
const OFFLINE: &str = "external metrics service unavailable";
/// The namespace of a query without one.
const NAMESPACE: &str = "default";

struct ExternalMetrics {
    server: Server,
    reached: Reached,
}

enum Reached {
    /// With the operator's own rights.
    ByOperator,
    /// At an address of the template.
    ByAddress,
}

/// Makes the provider. The operator's own token goes to no address of a user.
pub(super) fn build(
    spec: &MetricProviderSpec,
    credentials: Option<&Credentials>,
) -> Result<Box<dyn MetricProvider>, ProviderError> {
    let token = credentials.and_then(|entries| entries.get("token"));
    let reached = match (address(spec), token) {
        (Some(_), _) => Reached::ByAddress,
        (None, None) => Reached::ByOperator,
        (None, Some(_)) => {
            let wrong =
                "externalmetrics token needs an address: without one the operator's own rights are used";
            return Err(ProviderError::Setting(wrong));
        }
    };
    let own = "https://kubernetes.default.svc";
    let server = Server::of(NAME, address(spec).unwrap_or(own), spec, credentials)?;
    let server = match token {
        Some(token) => with_token(server, token),
        None => server,
    };
    Ok(Box::new(ExternalMetrics { server, reached }))
}

fn with_token(server: Server, token: &Secret) -> Server {
    server.credential("Authorization", format!("Bearer {}", token.expose()), token)
}

/// The path and query of a metric: `[<namespace>/]<metric>[?labelSelector=<selector>]`.
fn path(query: &str) -> Result<String, QueryError> {
    let wrong = |problem: String| QueryError::Query(format!("error parsing metric query: {problem}"));
    let query = query.trim();
    if query.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(wrong(
            "malformed query string, expected <namespace>/<metric>?labelSelector=<selector>".to_owned(),
        ));
    }
    let (place, parameters) = query.split_once('?').unwrap_or((query, ""));
    let parts: Vec<&str> = place.split('/').collect();
    let (namespace, metric) = match parts.as_slice() {
        [metric] | ["", metric] => (NAMESPACE, *metric),
        [namespace, metric] => (*namespace, *metric),
        _ => {
            return Err(wrong(
                "malformed query string, too many slashes, expected <namespace>/<metric>".to_owned(),
            ));
        }
    };
    if metric.is_empty() {
        return Err(wrong("metric name cannot be empty".to_owned()));
    }
    let mut url = parse_url("http://none.invalid/")?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().extend(ROOT.split('/').filter(|part| !part.is_empty())).push(namespace).push(metric);
    }
    let mut given = url.clone();
    given.set_query(Some(parameters));
    let selector =
        given.query_pairs().find(|(name, _)| name == "labelSelector").map(|(_, value)| value.into_owned());
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        url.query_pairs_mut().append_pair("labelSelector", &selector);
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}{query}", url.path()))
}

impl ExternalMetrics {
    async fn call(&self, environment: &Environment<'_>, path: String) -> Result<Reply, QueryError> {
        match self.reached {
            Reached::ByOperator => Ok(environment.platform.api_server(ApiRequest::get(path)).await?),
            Reached::ByAddress => Ok(environment.transport.call(self.request(&path)).await?),
        }
    }

    fn request(&self, path: &str) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut url = self.server.url(path);
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        self.server.get(url)
    }

    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let list: List = self.server.json(reply)?;
        match list.items.as_slice() {
            [] => Err(QueryError::NoValues),
            [item] => vexil_object::quantity(&item.value).ok_or_else(|| {
                self.server.malformed(reply, &format!("value {:?} is no quantity", item.value))
            }),
            many => Err(QueryError::ManySeries(many.len())),
        }
    }
}

#[async_trait]
impl MetricProvider for ExternalMetrics {
    fn check(&self, query: &str) -> Result<(), QueryError> {
        path(query).map(|_| ())
    }

    async fn query(&self, environment: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        let reply = self.call(environment, path(query.text)?).await.map_err(|e| e.before(QUERYING))?;
        match kept(&reply, self.parse(&reply)) {
            Err(error @ (QueryError::Refused { .. } | QueryError::Malformed(_))) => {
                Err(error.before(QUERYING))
            }
            result => result,
        }
    }

    /// The API has no metric of that name. A server that knows none answers with an empty list, or 404 for the metric.
    async fn online(&self, environment: &Environment<'_>) -> Result<(), QueryError> {
        let path = path("kube-system/dummy-metric")?;
        let reply = self.call(environment, path).await.map_err(|e| e.before(OFFLINE))?;
        let unknown_metric = reply.status == 404 && reply.text(4_096).contains("dummy-metric");
        match kept(&reply, self.server.body(&reply)) {
            Err(error) if !unknown_metric => Err(error.before(OFFLINE)),
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    value: String,
}

#[cfg(test)]
mod tests;
