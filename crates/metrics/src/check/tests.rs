//! Whole checks and probes, from the user's blocks to the text of the event.

mod templates;

use std::sync::{LazyLock, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use vexil_api::{CanarySpec, CanaryView, DurationUnit, Metric, checks};
use vexil_egress::{CallError, Reply, Request, Transport};
use vexil_object::{ObjectKey, Owner, Seen, kinds};

use super::*;
use crate::{Credentials, MetricCatalog, ProviderError, available, needs};

/// A metric server that answers every query with the same.
#[derive(Default)]
struct Server {
    reply: Option<Result<Reply, CallError>>,
    seen: Mutex<Vec<Request>>,
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
fn at(server: &Server) -> Environment<'_> {
    Environment { transport: server, platform: &(), now_ms: 1_700_000_000_000 }
}

fn says(number: &str) -> Server {
    let body =
        json!({"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, number]}]}});
    server(Ok(Reply::new(200, body.to_string())))
}

fn says_nothing() -> Server {
    server(Ok(Reply::new(200, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)))
}

fn server(reply: Result<Reply, CallError>) -> Server {
    Server { reply: Some(reply), seen: Mutex::default() }
}

fn down() -> Server {
    Server::default()
}

fn canary(more: Value) -> CanarySpec {
    let mut spec = json!({"targetRef": {"kind": "Deployment", "name": "podinfo"}});
    spec.as_object_mut().expect("object").extend(more.as_object().cloned().unwrap_or_default());
    serde_json::from_value(spec).expect("spec")
}

static CATALOG: LazyLock<MetricCatalog> =
    LazyLock::new(|| MetricCatalog::default().with_provider("fixed", fixed));

/// Built-in queries like those of Traefik.
static QUERIES: QuerySet = QuerySet {
    success_rate: "sum(rate(requests_total{ service=~\"{{ namespace }}-{{ service }}-canary-.+\" }[{{ interval }}]))",
    duration: "sum(rate(requests_bucket{ service=~\"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd\" }[{{ interval }}]))",
    duration_unit: DurationUnit::Milliseconds,
};

static OWNER: LazyLock<Owner> = LazyLock::new(|| Owner { name: "cn".to_owned(), uid: String::new() });

fn subject(spec: &CanarySpec) -> Subject<'_> {
    Subject {
        view: CanaryView::new(&OWNER, "test", spec),
        provider: "traefik",
        queries: Some(&QUERIES),
        metrics_server: "http://p:9090",
        catalog: &CATALOG,
    }
}

/// A kind of metric server of an operator's own: every query is the number that it writes.
struct Fixed;

#[async_trait]
impl MetricProvider for Fixed {
    async fn query(&self, _: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        query.text.parse().map_err(|_| QueryError::NoValues)
    }

    async fn online(&self, _: &Environment<'_>) -> Result<(), QueryError> {
        Ok(())
    }
}

fn fixed(
    _: &vexil_api::MetricProviderSpec,
    _: Option<&Credentials>,
) -> Result<Box<dyn MetricProvider>, ProviderError> {
    Ok(Box::new(Fixed))
}

fn metric(block: Value) -> Metric {
    serde_json::from_value(block).expect("metric")
}

/// A template `t` in namespace `test` whose secret is `s`, and the objects that are known.
fn objects(template: Option<Value>, secret: Option<Value>) -> Objects {
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

async fn told(
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

async fn passes(server: Server, block: Value, value: f64) {
    let told = told(&server, &canary(json!({})), block, &Objects::default()).await;
    assert_eq!(told, (vec![Verdict::Pass], vec![Some(value)]));
}

async fn fails(server: Server, block: Value, text: &str) {
    let (verdicts, _) = told(&server, &canary(json!({})), block, &Objects::default()).await;
    assert_eq!(verdicts, [Verdict::Fail(text.to_owned())]);
}

async fn loses(server: Server, block: Value, text: &str) {
    let (verdicts, values) = told(&server, &canary(json!({})), block, &Objects::default()).await;
    assert_eq!((verdicts, values), (vec![Verdict::Unavailable(text.to_owned())], vec![None]));
}

fn success_rate() -> Value {
    json!({"name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}})
}

fn duration() -> Value {
    json!({"name": "request-duration", "interval": "30s", "thresholdRange": {"max": 500}})
}

fn inline() -> Value {
    json!({"name": "errors", "query": "sum(x{t=\"{{ target }}\"}[{{ interval }}])", "thresholdRange": {"max": 5}})
}

#[tokio::test]
async fn built_in_checks_judge_the_canary() {
    passes(says("100"), success_rate(), 100.0).await;
    passes(says("99"), success_rate(), 99.0).await;
    passes(says("499.99"), duration(), 0.499).await;
    passes(says("500.9"), duration(), 0.5).await;
    passes(says("0.9"), duration(), 0.0).await;
    fails(says("53.4167"), success_rate(), "Halt cn.test advancement success rate 53.42% < 99%").await;
    fails(says("1515.3"), duration(), "Halt cn.test advancement request duration 1.515s > 500ms").await;
    fails(
        says("1e300"),
        duration(),
        "Halt cn.test advancement request duration 2562047788015h12m55.807s > 500ms",
    )
    .await;
}

#[tokio::test]
async fn no_values_is_a_failed_check_with_a_hint() {
    let rate = "Halt advancement no values found for traefik metric request-success-rate probably podinfo.test is not \
                receiving traffic: running query failed: no values found";
    let took = "Halt advancement no values found for traefik metric request-duration probably podinfo.test is not \
                receiving traffic";
    for number in ["NaN", "+Inf", "-Inf", "1e400"] {
        fails(says(number), success_rate(), rate).await;
        fails(says(number), duration(), took).await;
        fails(says(number), inline(), "Halt advancement no values found for metric: errors").await;
    }
    fails(says_nothing(), success_rate(), rate).await;
    fails(says_nothing(), duration(), took).await;
    fails(says_nothing(), inline(), "Halt advancement no values found for metric: errors").await;
}

#[tokio::test]
async fn a_server_in_trouble_is_told_apart_from_a_bad_canary() {
    let failed = "Prometheus query failed: running query failed: ";
    loses(down(), success_rate(), &format!("{failed}request failed: no answer from p: refused")).await;
    let slow = CallError::TimedOut { host: "p".to_owned(), after_ms: 5_000 };
    loses(server(Err(slow)), duration(), &format!("{failed}request failed: no answer from p within 5000ms"))
        .await;
    let huge = CallError::TooLarge { host: "p".to_owned(), limit: 1 << 20 };
    let text = format!("{failed}request failed: answer of p is larger than 1048576 bytes");
    loses(server(Err(huge)), success_rate(), &text).await;
    let text = format!("{failed}error response: Status 500 Internal Server Error: oops");
    loses(server(Ok(Reply::new(500, "oops"))), success_rate(), &text).await;
    let text = format!("{failed}error unmarshaling result: expected value at line 1 column 1, '<html>'");
    loses(server(Ok(Reply::new(200, "<html>"))), success_rate(), &text).await;
    loses(down(), inline(), "Prometheus query failed for errors: request failed: no answer from p: refused")
        .await;
}

#[tokio::test]
async fn a_metric_that_cannot_be_asked_says_what_is_wrong_with_it() {
    let nobody = "Metric query failed for no usable metrics template and query were configured";
    loses(says("1"), json!({"name": "errors"}), nobody).await;
    let mut odd = success_rate();
    odd["interval"] = json!("1m]) or vector(100)");
    let text = r#"Prometheus query failed: metric interval "1m]) or vector(100)" may only hold letters, digits and points"#;
    loses(says("1"), odd, text).await;
    let broken = json!({"name": "errors", "query": "{{ nope }}"});
    let text = "Prometheus query failed for errors: template parsing failed: template: tmpl:1: function \"nope\" not \
                defined; there are name, namespace, target, service, ingress, route, interval, variables and index";
    loses(says("1"), broken, text).await;

    let spec = canary(json!({"metricsServer": "prom:9090"}));
    let (verdicts, _) = told(&says("1"), &spec, success_rate(), &Objects::default()).await;
    let text =
        "Error building Prometheus client for prom:9090 prometheus address prom:9090 is not a valid URL";
    assert_eq!(verdicts, [Verdict::Unavailable(text.to_owned())]);

    let (spec, metrics) = (canary(json!({})), [metric(success_rate())]);
    let unknown = Subject { provider: "smi:linkerd", queries: None, ..subject(&spec) };
    let checked =
        check(&at(&says("1")), &unknown, &checks(&metrics)[0], &Objects::default()).await.expect("known");
    let text = "Prometheus query failed: provider smi:linkerd has no built-in queries, use a templateRef";
    assert_eq!(checked.verdict, Verdict::Unavailable(text.to_owned()));
}

#[tokio::test]
async fn the_query_goes_to_the_server_of_the_canary() {
    let spec = canary(json!({"metricsServer": "http://mine/prom", "service": {"name": "shop"}}));
    let server = says("3");
    told(&server, &spec, inline(), &Objects::default()).await;
    told(&server, &spec, duration(), &Objects::default()).await;
    let seen = server.seen.lock().expect("lock");
    let queries: Vec<_> =
        seen.iter().map(|r| r.url.query_pairs().next().expect("query").1.into_owned()).collect();
    assert_eq!(seen[0].url.path(), "/prom/api/v1/query");
    assert_eq!(queries[0], "sum(x{t=\"podinfo\"}[1m])");
    assert!(
        queries[1].contains(r#"{ service=~"test-shop-canary-[0-9a-zA-Z-]+@kubernetescrd" }[30s]"#),
        "{queries:?}"
    );
}

fn by_template() -> Value {
    json!({"name": "errors", "templateRef": {"name": "t"}, "thresholdRange": {"max": 5},
           "templateVariables": {"code": "404"}})
}

fn template(query: &str) -> Value {
    json!({"provider": {"type": "prometheus", "address": "http://p", "secretRef": {"name": "s"}}, "query": query})
}

fn secret() -> Option<Value> {
    Some(json!({"data": {"token": "TUFSS0VS"}}))
}

#[test]
fn queries_of_all_metrics_come_before_templates() {
    let metrics = [
        metric(json!({"name": "a", "templateRef": {"name": "t"}})),
        metric(json!({"name": "request-duration", "query": "q", "templateRef": {"name": "t"}})),
        metric(json!({"name": "nothing", "query": ""})),
        metric(json!({"name": "request-success-rate"})),
    ];
    let asked: Vec<_> = checks(&metrics).iter().map(|check| (check.name(), check.source)).collect();
    let expect = [
        ("request-duration", CheckSource::Duration),
        ("request-duration", CheckSource::Inline),
        ("request-success-rate", CheckSource::SuccessRate),
        ("a", CheckSource::Template),
        ("request-duration", CheckSource::Template),
        ("nothing", CheckSource::Unconfigured),
    ];
    assert_eq!(asked, expect);
}

async fn probed(server: &Server, blocks: &[Value], have: &Objects) -> String {
    let (spec, metrics): (_, Vec<_>) = (canary(json!({})), blocks.iter().cloned().map(metric).collect());
    let result = available(&at(server), &subject(&spec), &metrics, have).await;
    result.map_or_else(|e| e.to_string(), |()| "available".to_owned())
}

#[tokio::test]
async fn servers_and_templates_are_tried_before_the_first_rollout() {
    let none = Objects::default();
    let server_of = |query: &str| objects(Some(template(query)), secret());
    let ok = says("1");
    assert_eq!(probed(&ok, &[success_rate(), duration(), inline()], &none).await, "available");
    assert_eq!(ok.seen.lock().expect("lock").len(), 1, "one server is asked once");
    assert_eq!(probed(&ok, &[], &none).await, "available");
    assert_eq!(probed(&ok, &[by_template()], &server_of("up")).await, "available");

    let refused = "running query failed: request failed: no answer from p: refused";
    assert_eq!(probed(&down(), &[duration()], &none).await, format!("prometheus not avaiable: {refused}"));
    let text = "prometheus not avaiable: value is not 1 for query: vector(1)";
    assert_eq!(probed(&says("2"), &[duration()], &none).await, text);
    let text = "prometheus not avaiable: running query failed: error response: Status 502 Bad Gateway: ";
    assert_eq!(probed(&server(Ok(Reply::new(502, ""))), &[duration()], &none).await, text);
    let text = format!("prometheus in metric template t.test not avaiable: {refused}");
    assert_eq!(probed(&down(), &[by_template()], &server_of("up")).await, text);
    let text = "metric template t.test error: metrictemplate.flagger.app \"t\" not found";
    assert_eq!(probed(&ok, &[by_template()], &objects(None, None)).await, text);
    let text = "metric template t.test secret s error: secrets \"s\" not found";
    assert_eq!(probed(&ok, &[by_template()], &objects(Some(template("up")), None)).await, text);
    let text = "metric template t.test query render error: template parsing failed: template: tmpl:1: unclosed action";
    assert_eq!(probed(&ok, &[by_template()], &server_of("{{ target")).await, text);
    assert_eq!(probed(&ok, &[by_template()], &none).await, "MetricTemplate t.test is not known yet");
}
