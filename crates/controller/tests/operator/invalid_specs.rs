//! Mistakes of users and their servers: one clear message on that Canary, once, and no effect on other Canaries.
//!
//! What [`vexil_api`] refuses by itself is tested there; here are the mistakes that only a running operator finds.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};
use vexil_testbed_cluster::{FromFn, plain};

use crate::cluster::{OPERATOR, Stage, manifests};

mod cases;
mod in_force;

use cases::cases;

const NAME: &str = "podinfo";

/// What is wrong.
#[derive(Default)]
struct Wrong {
    /// Merged into the Canary.
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

/// One line of the table: its name, what is wrong, what is reported, and the phase in which that ends. Where texts
/// say `podinfo`, the name of the case is meant.
type Case = (&'static str, Wrong, &'static str, &'static str);

/// Applies all wrong Canaries beside a good one, pushes to all of them and waits. Each wrong one has reported what is
/// wrong with it once, and its traffic is where it was; the good one was promoted without a word.
#[tokio::test(start_paused = true)]
async fn each_mistake_is_reported_once_and_disturbs_no_other_canary() {
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
    let found: Vec<_> = story.events.iter().filter(|(text, _)| text.contains(expect)).collect();
    if !matches!(found.as_slice(), [(_, 1)]) {
        wrong.push(format!("{expect:?} was reported as {found:?}"));
    }
    if let Some((text, count)) = story.events.iter().find(|(_, count)| **count > 1) {
        wrong.push(format!("{text:?} was reported {count} times"));
    }
    let canary = stage.canary(name).await;
    let ended = canary["status"]["phase"].as_str().filter(|phase| !phase.is_empty()).unwrap_or("none");
    if ended != phase {
        wrong.push(format!("ended in {ended}, not in {phase}"));
    }
    let route = story.courses.get(&format!("route {name}")).and_then(|course| course.last());
    if route.is_some_and(|last| last != "primary=100 canary=0") {
        wrong.push(format!("its route ended as {route:?}"));
    }
    wrong.iter().map(|what| format!("{name}: {what}\n{}", story.text())).collect()
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
    let route = json!({"apiVersion": "v1", "kind": "Service", "name": "x"});
    check_refused("", json!({"provider": "apisix", "routeRef": route}), "spec.routeRef.kind").await;
    check_refused("", json!({"service": {"port": "http"}}), "spec.service.port").await;
    check_refused("", json!({"service": {"port": null}}), "spec.service.port").await;
    check_refused("", json!({"analysis": {"interval": "10 apples"}}), "spec.analysis.interval").await;
    check_refused("", json!({"analysis": {"threshold": "many"}}), "spec.analysis.threshold").await;
    check_refused("", hook(json!({"type": "whenever"})), "spec.analysis.webhooks[0].type").await;
    check_refused("", hook(json!({"name": null})), "spec.analysis.webhooks[0].name").await;
    check_refused(
        &cases::MINE.replace("type: prometheus", "type: astrology"),
        json!({}),
        "spec.provider.type",
    )
    .await;
}

/// It was refused because another one drives its target; when that one is gone, it does so by itself.
#[tokio::test(start_paused = true)]
async fn a_canary_takes_over_from_the_one_that_was_there_first() {
    let mut stage = Stage::open().await;
    stage.start();
    stage.apply("first", &[]).await;
    stage.until_phase("first", "Initialized").await;
    stage.apply("second", &[&json!({"spec": {"targetRef": {"name": "first"}}})]).await;
    stage.pass(30.0).await;
    let status = stage.canary("second").await["status"].clone();
    assert_eq!(status["phase"], "");
    let conditions: Vec<_> = status["conditions"].as_array().unwrap().iter().collect();
    let reported: Vec<_> = conditions.iter().map(|of| (&of["type"], &of["status"], &of["reason"])).collect();
    assert_eq!(
        json!(reported),
        json!([["Promoted", "False", "InvalidSpec"], ["Ready", "False", "InvalidSpec"]])
    );
    assert!(stage.cluster.delete("flagger.app/v1beta1", "Canary", "test", "first").await.unwrap());
    stage.until_phase("second", "Initialized").await;
    stage.check_laws("second");
}

/// A warning about a valid spec goes to every receiver once, whatever restarts, and again if the mistake is made again.
#[tokio::test(start_paused = true)]
async fn a_warning_is_remembered_until_the_mistake_is_gone() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&heard);
    let handler = FromFn(move |request: http::Request<Bytes>| {
        let payload: Value = serde_json::from_slice(request.body()).unwrap();
        log.lock().unwrap().push(payload["metadata"]["eventMessage"].as_str().unwrap().to_owned());
        async move { plain(StatusCode::OK, "") }
    });
    stage.cluster.network().register("events.test", Arc::new(handler));
    let metric = |threshold: Value| {
        let metric = json!({
            "name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}, "threshold": threshold,
        });
        let hook = json!({"name": "log", "type": "event", "url": "http://events.test/"});
        json!({"spec": {"analysis": {"metrics": [metric], "webhooks": [hook]}}})
    };
    let text = "spec.analysis.metrics[0].threshold: is ignored beside thresholdRange";
    let count = |stage: &Stage| {
        let events = stage.story(NAME).events;
        let events: usize =
            events.iter().filter(|(said, _)| said.contains(text)).map(|(_, count)| *count).sum();
        (events, heard.lock().unwrap().iter().filter(|said| *said == text).count())
    };
    stage.start();
    let edits = [(json!(99), 1), (json!(98), 1), (Value::Null, 1), (json!(99), 2)];
    for (threshold, expect) in edits {
        stage.apply(NAME, &[&metric(threshold.clone())]).await;
        stage.until_phase(NAME, "Initialized").await;
        stage.pass(30.0).await;
        stage.kill().await;
        stage.start();
        stage.pass(30.0).await;
        assert_eq!(count(&stage), (expect, expect), "{threshold}\n{}", stage.story(NAME).text());
    }
}

/// What may not be looked at is not known, and nothing is decided on it: that is said.
#[tokio::test(start_paused = true)]
async fn missing_rights_are_reported_on_the_canary() {
    let mut stage = Stage::open().await;
    let forbidden = FaultAction::Answer { code: 403, retry_after: None };
    let matcher = Matcher { user_agent: Some(OPERATOR.to_owned()), ..Matcher::new("list", "endpointslices") };
    stage.cluster.server().faults().push(Fault::once(matcher, forbidden).times(u32::MAX));
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.pass(60.0).await;
    let reported = |stage: &Stage| {
        let events = stage.story(NAME).events;
        events.iter().filter(|(text, _)| text.contains("endpointslices of discovery.k8s.io/v1")).count()
    };
    assert_eq!(reported(&stage), 1, "{}", stage.story(NAME).text());
    stage.cluster.server().faults().clear();
    stage.until_phase(NAME, "Initialized").await;
    stage.check_laws(NAME);
}

/// An Event that finds no namespace is not tried again for a Canary that is gone.
#[tokio::test(start_paused = true)]
async fn notifications_of_a_deleted_canary_are_not_repeated() {
    let mut stage = Stage::open().await;
    let gone = FaultAction::Answer { code: 404, retry_after: None };
    let matcher = Matcher { user_agent: Some(OPERATOR.to_owned()), ..Matcher::new("create", "events") };
    stage.cluster.server().faults().push(Fault::once(matcher, gone).times(u32::MAX));
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    assert!(stage.cluster.delete("flagger.app/v1beta1", "Canary", "test", NAME).await.unwrap());
    stage.pass(120.0).await;
    let tried =
        |stage: &Stage| stage.cluster.server().audit().of(OPERATOR).iter().filter(|e| e.is_write()).count();
    let before = tried(&stage);
    stage.pass(1_200.0).await;
    assert_eq!(tried(&stage), before);
}
