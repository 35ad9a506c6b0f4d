//! A metric server with one answer, Canaries, metric blocks and templates for the tests of checks.

use std::sync::{LazyLock, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use vexil_api::{CanarySpec, CanaryView, DurationUnit, LabelNames, Metric, checks};
use vexil_egress::{CallError, Reply, Request, Transport};
use vexil_object::{ObjectKey, Owner, Seen, kinds};

use super::*;
use crate::{Credentials, MetricCatalog, ProviderError};

/// A metric server that answers every query with the same.
#[derive(Default)]
pub(super) struct Server {
    reply: Option<Result<Reply, CallError>>,
    pub(super) seen: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Server {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        self.seen.lock().expect("lock").push(request);
        self.reply
            .clone()
            .unwrap_or(Err(CallError::Unreachable { host: "p".into(), cause: "refused".into() }))
    }
}

/// Where checks of tests run: a fixed time, and no platform.
pub(super) fn at(server: &Server) -> Environment<'_> {
    Environment { transport: server, platform: &(), now_ms: 1_700_000_000_000 }
}

pub(super) fn says(number: &str) -> Server {
    let body =
        json!({"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, number]}]}});
    server(Ok(Reply::new(200, body.to_string())))
}

pub(super) fn says_nothing() -> Server {
    server(Ok(Reply::new(200, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)))
}

pub(super) fn server(reply: Result<Reply, CallError>) -> Server {
    Server { reply: Some(reply), seen: Mutex::default() }
}

pub(super) fn down() -> Server {
    Server::default()
}

pub(super) fn canary(more: Value) -> CanarySpec {
    let mut spec = json!({"targetRef": {"kind": "Deployment", "name": "podinfo"}});
    spec.as_object_mut().expect("object").extend(more.as_object().cloned().unwrap_or_default());
    serde_json::from_value(spec).expect("spec")
}

pub(super) static CATALOG: LazyLock<MetricCatalog> =
    LazyLock::new(|| MetricCatalog::default().with_provider("fixed", fixed));

/// Built-in queries like those of Traefik.
pub(super) static QUERIES: QuerySet = QuerySet {
    success_rate: "sum(rate(requests_total{ service=~\"{{ namespace }}-{{ service }}-canary-.+\" }[{{ interval }}]))",
    duration: "sum(rate(requests_bucket{ service=~\"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd\" }[{{ interval }}]))",
    duration_unit: DurationUnit::Milliseconds,
    names: LabelNames::Unchanged,
};

pub(super) static OWNER: LazyLock<Owner> =
    LazyLock::new(|| Owner { name: "cn".to_owned(), uid: String::new() });

pub(super) fn subject(spec: &CanarySpec) -> Subject<'_> {
    Subject {
        view: CanaryView::new(&OWNER, "test", spec),
        provider: "traefik",
        route: None,
        queries: Some(&QUERIES),
        metrics_server: "http://p:9090",
        catalog: &CATALOG,
    }
}

/// A kind of metric server of an operator's own: every query is the number that it writes.
pub(super) struct Fixed;

#[async_trait]
impl MetricProvider for Fixed {
    async fn query(&self, _: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        query.text.parse().map_err(|_| QueryError::NoValues)
    }

    async fn online(&self, _: &Environment<'_>) -> Result<(), QueryError> {
        Ok(())
    }
}

pub(super) fn fixed(
    _: &vexil_api::MetricProviderSpec,
    _: Option<&Credentials>,
) -> Result<Box<dyn MetricProvider>, ProviderError> {
    Ok(Box::new(Fixed))
}

pub(super) fn metric(block: Value) -> Metric {
    serde_json::from_value(block).expect("metric")
}

/// A template `t` in namespace `test` whose secret is `s`, and the objects that are known.
pub(super) fn objects(template: Option<Value>, secret: Option<Value>) -> Objects {
    let seen = |object: Option<Value>| object.map_or(Seen::Absent, Seen::present);
    [
        (
            ObjectKey::new(kinds::METRIC_TEMPLATE, "test", "t"),
            seen(template.map(|spec| json!({"spec": spec}))),
        ),
        (ObjectKey::new(kinds::SECRET, "test", "s"), seen(secret)),
    ]
    .into_iter()
    .collect()
}

pub(super) async fn judged(
    server: &Server,
    spec: &CanarySpec,
    block: Value,
    have: &Objects,
) -> (Vec<Verdict>, Vec<Option<f64>>) {
    let metrics = [metric(block)];
    let (mut verdicts, mut values) = (Vec::new(), Vec::new());
    for one in checks(&metrics) {
        let checked = check(&at(server), &subject(spec), &one, have).await.expect("everything is known");
        verdicts.push(checked.verdict);
        values.push(checked.value);
    }
    (verdicts, values)
}

pub(super) async fn passes(server: Server, block: Value, value: f64) {
    let judged = judged(&server, &canary(json!({})), block, &Objects::default()).await;
    assert_eq!(judged, (vec![Verdict::Pass], vec![Some(value)]));
}

pub(super) async fn fails(server: Server, block: Value, text: &str) {
    let (verdicts, _) = judged(&server, &canary(json!({})), block, &Objects::default()).await;
    assert_eq!(verdicts, [Verdict::Fail(text.to_owned())]);
}

pub(super) async fn loses(server: Server, block: Value, text: &str) {
    let (verdicts, values) = judged(&server, &canary(json!({})), block, &Objects::default()).await;
    assert_eq!((verdicts, values), (vec![Verdict::Unavailable(text.to_owned())], vec![None]));
}

pub(super) fn success_rate() -> Value {
    json!({"name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}})
}

pub(super) fn duration() -> Value {
    json!({"name": "request-duration", "interval": "30s", "thresholdRange": {"max": 500}})
}

pub(super) fn inline() -> Value {
    json!({"name": "errors", "query": "sum(x{t=\"{{ target }}\"}[{{ interval }}])", "thresholdRange": {"max": 5}})
}

pub(super) fn by_template() -> Value {
    json!({"name": "errors", "templateRef": {"name": "t"}, "thresholdRange": {"max": 5},
           "templateVariables": {"code": "404"}})
}

pub(super) fn template(query: &str) -> Value {
    json!({"provider": {"type": "prometheus", "address": "http://p", "secretRef": {"name": "s"}}, "query": query})
}

pub(super) fn secret() -> Option<Value> {
    Some(json!({"data": {"token": "TUFSS0VS"}}))
}
