//! What users and their servers do wrong: one clear message on that Canary, once, and nobody else notices.
//!
//! What [`vexil_api`] refuses by itself is tested there; here is what takes a running operator to be seen.

use std::{future::pending, sync::Arc};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use vexil_testbed::world::{FromFn, plain};

use crate::cluster::{Stage, manifests};

const NAME: &str = "podinfo";

/// What is wrong.
#[derive(Default)]
struct Wrong {
    /// Laid over the Canary.
    canary: Value,
    /// Applied beside it.
    also: &'static str,
    /// What `podinfo.broken` answers to hooks and queries, once the Canary is initialised.
    answer: Option<Answer>,
}

#[derive(Clone, Copy)]
enum Answer {
    Status(u16, &'static str),
    Redirect,
    Bytes(usize),
    Hang,
}

impl Answer {
    async fn response(self) -> Response<Bytes> {
        match self {
            Answer::Status(status, body) => plain(StatusCode::from_u16(status).unwrap(), body),
            Answer::Bytes(count) => plain(StatusCode::OK, vec![b'x'; count]),
            Answer::Hang => pending().await,
            Answer::Redirect => {
                let mut response = plain(StatusCode::FOUND, "");
                response.headers_mut().insert("location", "http://169.254.169.254/token".parse().unwrap());
                response
            }
        }
    }
}

/// One line of the table: its name, what is wrong, what is told of it, and the phase in which that ends. Where
/// texts say
/// `podinfo`, the name of the case is meant.
type Case = (&'static str, Wrong, &'static str, &'static str);

/// Applies all wrong Canaries beside a good one, pushes to all of them and waits. Each wrong one has told what
/// is wrong
/// with it once, and its traffic is where it was; the good one was promoted without a word.
#[tokio::test(start_paused = true)]
async fn each_mistake_is_told_once_and_disturbs_nobody_else() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.replicas = 1;
    stage.start();
    stage.apply("other", &[]).await;
    for (name, wrong, ..) in cases() {
        apply(&stage, name, &wrong).await;
    }
    stage.until_phase("other", "Initialized").await;
    stage.pass(2.0).await;
    stage.push("other", "6.0.1").await;
    for (name, wrong, ..) in cases() {
        if let Some(answer) = wrong.answer {
            let handler = FromFn(move |_| answer.response());
            stage.cluster.network().register(&format!("{name}.broken"), Arc::new(handler));
        }
        stage.push(name, "6.0.1").await;
    }
    stage.until_phase("other", "Succeeded").await;
    stage.pass(300.0).await;
    let other = stage.story("other").text();
    assert!(!other.contains("Warning"), "\n{other}");
    let mut wrongs = Vec::new();
    for (name, _, expect, phase) in cases() {
        wrongs.extend(what_is_wrong(&stage, name, &expect.replace(NAME, name), phase).await);
    }
    assert!(wrongs.is_empty(), "\n{}", wrongs.join("\n"));
}

async fn apply(stage: &Stage, name: &str, wrong: &Wrong) {
    let named = |text: String| text.replace(NAME, name);
    if !wrong.also.is_empty() {
        stage.cluster.apply_yaml(&named(wrong.also.to_owned())).await.unwrap();
    }
    let change: Value = serde_json::from_str(&named(wrong.canary.to_string())).unwrap();
    stage.apply(name, &[&json!({"spec": {"analysis": {"threshold": 1}}}), &change]).await;
}

async fn what_is_wrong(stage: &Stage, name: &str, expect: &str, phase: &str) -> Vec<String> {
    stage.check_laws(name);
    let story = stage.story(name);
    let mut wrong = Vec::new();
    let told: Vec<_> = story.events.iter().filter(|(text, _)| text.contains(expect)).collect();
    if !matches!(told.as_slice(), [(_, 1)]) {
        wrong.push(format!("{expect:?} was told as {told:?}"));
    }
    if let Some((text, count)) = story.events.iter().find(|(_, count)| **count > 1) {
        wrong.push(format!("{text:?} was told {count} times"));
    }
    let canary = stage.canary(name).await;
    let ended = canary["status"]["phase"].as_str().unwrap_or("none");
    if ended != phase {
        wrong.push(format!("ended in {ended}, not in {phase}"));
    }
    let route = story.courses.get(&format!("route {name}")).and_then(|course| course.last());
    if route.is_some_and(|last| last != "primary=100 canary=0") {
        wrong.push(format!("its route ended as {route:?}"));
    }
    wrong.iter().map(|what| format!("{name}: {what}\n{}", story.text())).collect()
}

/// Laid over the specification.
fn spec(change: Value) -> Wrong {
    Wrong { canary: json!({"spec": change}), ..Wrong::default() }
}

/// One metric instead of the usual ones.
fn metric(metric: Value, also: &'static str) -> Wrong {
    Wrong { also, ..spec(json!({"analysis": {"metrics": [metric], "webhooks": []}})) }
}

/// A metric of the template `mine`.
fn template(also: &'static str) -> Wrong {
    metric(
        json!({
            "name": "mine", "templateRef": {"name": "podinfo-mine"}, "thresholdRange": {"max": 1}, "interval": "1m",
        }),
        also,
    )
}

const MINE: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://podinfo.broken'}, query: 'up'}}";

/// The server of the template `mine` answers like this.
fn server(answer: Answer) -> Wrong {
    Wrong { answer: Some(answer), ..template(MINE) }
}

/// A hook of that kind answers like this.
fn hook(kind: &str, answer: Answer) -> Wrong {
    let hook = json!({"name": "gate", "type": kind, "url": "http://podinfo.broken/gate", "timeout": "5s"});
    Wrong { answer: Some(answer), ..spec(json!({"analysis": {"webhooks": [hook]}})) }
}

/// What the API server refuses already, because the CRD says so.
async fn check_refused(also: &str, change: Value, expect: &str) {
    let stage = Stage::open().await;
    let mut canary = manifests::canary(NAME);
    manifests::merge(&mut canary, &json!({"spec": change}));
    let text = if also.is_empty() { canary.to_string() } else { also.to_owned() };
    let error = stage.cluster.apply_yaml(&text).await.map_err(|error| format!("{error:?}"));
    assert!(error.as_ref().is_err_and(|error| error.contains(expect)), "{expect}: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_definition_refuses_never_reaches_the_operator() {
    let hook = |change: Value| {
        let mut hook = json!({"name": "x", "type": "rollout", "url": "http://hooks.test/x"});
        manifests::merge(&mut hook, &change);
        json!({"analysis": {"webhooks": [hook]}})
    };
    check_refused("", json!({"provider": "carrier-pigeon"}), "spec.provider").await;
    check_refused("", json!({"targetRef": {"kind": "StatefulSet"}}), "spec.targetRef.kind").await;
    check_refused("", json!({"targetRef": null}), "spec.targetRef").await;
    check_refused("", json!({"service": {"port": "http"}}), "spec.service.port").await;
    check_refused("", json!({"service": {"port": null}}), "spec.service.port").await;
    check_refused("", json!({"analysis": {"interval": "10 apples"}}), "spec.analysis.interval").await;
    check_refused("", json!({"analysis": {"threshold": "many"}}), "spec.analysis.threshold").await;
    check_refused("", hook(json!({"type": "whenever"})), "spec.analysis.webhooks[0].type").await;
    check_refused("", hook(json!({"name": null})), "spec.analysis.webhooks[0].name").await;
    check_refused(&MINE.replace("type: prometheus", "type: astrology"), json!({}), "spec.provider.type")
        .await;
}

fn cases() -> Vec<Case> {
    vec![
        // The Canary.
        (
            "missing-target",
            spec(json!({"targetRef": {"name": "nobody"}})),
            "deployment nobody.test get query error: not found",
            "Initializing",
        ),
        ("port-out-of-range", spec(json!({"service": {"port": 70000}})), "spec.service.port", "none"),
        (
            "hook-without-url",
            spec(json!({"analysis": {"webhooks": [{"name": "x", "type": "rollout", "url": "nowhere"}]}})),
            "webhooks[0].url",
            "none",
        ),
        ("apex-of-another", spec(json!({"service": {"name": "other"}})), "other", "Initializing"),
        ("missing-service", spec(json!({"service": null})), "spec.service.port: is required", "none"),
        // Metrics and their templates.
        (
            "unknown-metric",
            metric(json!({"name": "happiness", "thresholdRange": {"min": 1}, "interval": "1m"}), ""),
            "spec.analysis.metrics[0]: `happiness` is not built in",
            "none",
        ),
        ("missing-template", template(""), "Metric template podinfo-mine.test", "Failed"),
        (
            "missing-secret",
            template(SECRETIVE),
            "Warning Metric template podinfo-mine.test secret gone error",
            "Failed",
        ),
        (
            "template-that-does-not-parse",
            template(UNCLOSED),
            "Warning Metric template podinfo-mine.test query render error",
            "Failed",
        ),
        (
            "template-with-an-unknown-variable",
            template(UNKNOWN_VARIABLE),
            "Warning Metric template podinfo-mine.test query render error",
            "Failed",
        ),
        // Metric servers.
        ("server-that-is-not-there", template(MINE), "Metric query failed for mine", "Failed"),
        (
            "server-that-fails",
            server(Answer::Status(500, "boom")),
            "500 Internal Server Error: boom",
            "Failed",
        ),
        ("server-that-wants-a-login", server(Answer::Status(401, "")), "401", "Failed"),
        (
            "server-that-answers-html",
            server(Answer::Status(200, "<html>hello</html>")),
            "error unmarshaling result",
            "Failed",
        ),
        (
            "server-that-answers-nothing",
            server(Answer::Status(200, "")),
            "error unmarshaling result",
            "Failed",
        ),
        ("server-that-answers-nan", server(Answer::Status(200, NAN)), "no values found", "Failed"),
        ("server-that-answers-infinity", server(Answer::Status(200, INFINITY)), "no values found", "Failed"),
        ("server-with-no-series", server(Answer::Status(200, NONE)), "no values found", "Failed"),
        ("server-with-several-series", server(Answer::Status(200, SEVERAL)), "2 series", "Failed"),
        ("server-with-half-a-series", server(Answer::Status(200, HALF)), "series has no value", "Failed"),
        (
            "server-that-sends-too-much",
            server(Answer::Bytes(TOO_MUCH)),
            "larger than 1048576 bytes",
            "Failed",
        ),
        (
            "server-that-hangs",
            server(Answer::Hang),
            "no answer from podinfo.broken:80 within 5000ms",
            "Failed",
        ),
        // Hooks.
        (
            "hook-that-is-not-there",
            spec(json!({"analysis": {"webhooks": [
            {"name": "x", "type": "rollout", "url": "http://nobody.test/"}]}})),
            "external check x failed no answer from nobody.test:80",
            "Failed",
        ),
        (
            "hook-that-refuses",
            hook("rollout", Answer::Status(403, "not today")),
            "external check gate failed not today",
            "Failed",
        ),
        (
            "hook-that-hangs",
            hook("rollout", Answer::Hang),
            "external check gate failed no answer from podinfo.broken:80 within 5000ms",
            "Failed",
        ),
        ("hook-that-redirects", hook("rollout", Answer::Redirect), "which is not followed", "Failed"),
        (
            "first-hook-that-hangs",
            hook("pre-rollout", Answer::Hang),
            "pre-rollout check gate failed no answer",
            "Failed",
        ),
        (
            "hook-that-sends-too-much",
            hook("pre-rollout", Answer::Bytes(TOO_MUCH)),
            "Pre-rollout check gate passed",
            "Succeeded",
        ),
        (
            "last-hook-that-hangs",
            hook("post-rollout", Answer::Hang),
            "Post-rollout hook gate failed no answer",
            "Succeeded",
        ),
        ("event-hook-that-hangs", hook("event", Answer::Hang), "Promotion completed!", "Succeeded"),
    ]
}

/// More than anybody reads; a gigabyte would be no more.
const TOO_MUCH: usize = 64 << 20;
const SECRETIVE: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://metrics.test', secretRef: {name: gone}}, query: 'up'}}";
const UNCLOSED: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://metrics.test'}, query: 'up{{ target'}}";
const UNKNOWN_VARIABLE: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://metrics.test'}, query: 'up{{ moon }}'}}";
const NONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
const HALF: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[]}]}}"#;
const NAN: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"NaN"]}]}}"#;
const INFINITY: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"+Inf"]}]}}"#;
const SEVERAL: &str = r#"{"status":"success","data":{"resultType":"vector",
    "result":[{"metric":{"a":"1"},"value":[0,"1"]},{"metric":{"a":"2"},"value":[0,"2"]}]}}"#;
