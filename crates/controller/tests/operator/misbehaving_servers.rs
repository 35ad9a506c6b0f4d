//! Servers of users that hang, redirect, send far too much or answer out of order, and clocks that jump: nothing is
//! lost, nothing counts twice, and no rollout is held up by it.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use vexil_testbed_cluster::{FromFn, plain};

use crate::cluster::Stage;

const NAME: &str = "podinfo";

/// A reply that no reader wants as a whole. The bytes of a gigabyte would be cut in the same way.
const FLOOD: usize = 64 << 20;

/// What requests to a server asked, in the order in which they came.
type Heard = Arc<Mutex<Vec<Request<Bytes>>>>;

/// A server that answers its requests as `answer` says; it is given their number, from 0.
fn serve<A>(stage: &Stage, host: &str, answer: impl Fn(usize) -> A + Send + Sync + 'static) -> Heard
where
    A: Future<Output = Response<Bytes>> + Send + 'static,
{
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    let handler = FromFn(move |request: Request<Bytes>| {
        let mut log = log.lock().unwrap();
        log.push(request);
        answer(log.len() - 1)
    });
    stage.cluster.network().register(host, Arc::new(handler));
    heard
}

fn redirect() -> Response<Bytes> {
    let mut response = plain(StatusCode::FOUND, "");
    response.headers_mut().insert("location", "http://elsewhere.test/".parse().unwrap());
    response
}

/// An operator with a Canary that has these webhooks and alerts, initialised.
async fn initialised(webhooks: Value, alerts: Value, prepare: impl AsyncFnOnce(&mut Stage)) -> Stage {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    prepare(&mut stage).await;
    stage.start();
    let analysis = json!({"spec": {"analysis": {"webhooks": webhooks, "alerts": alerts}}});
    stage.apply(NAME, &[&analysis]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage
}

/// The Events that contain this, with their counts.
fn events(stage: &Stage, text: &str) -> Vec<(String, usize)> {
    stage.story(NAME).events.into_iter().filter(|(event, _)| event.contains(text)).collect()
}

/// The texts of alerts that a receiver got.
fn texts(heard: &Heard) -> Vec<String> {
    let text = |request: &Request<Bytes>| {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        body["attachments"][0]["text"].as_str().unwrap().to_owned()
    };
    heard.lock().unwrap().iter().map(text).collect()
}

const ALERTS: [&str; 3] = [
    "New Deployment detected, initialization completed.",
    "New revision detected, progressing canary analysis.",
    "Canary analysis completed successfully, promotion finished.",
];

#[tokio::test(start_paused = true)]
async fn receivers_of_alerts_that_hang_redirect_or_flood_delay_neither_the_rollout_nor_each_other() {
    let receivers = ["good", "hanging", "redirecting", "flooding"];
    let alerts: Vec<Value> =
        receivers.iter().map(|name| json!({"name": name, "providerRef": {"name": name}})).collect();
    let (mut heard, mut elsewhere) = (Vec::new(), Heard::default());
    let mut stage = initialised(json!([]), json!(alerts), async |stage| {
        heard.push(serve(stage, "good.test", async |_| plain(StatusCode::OK, "")));
        heard.push(serve(stage, "hanging.test", async |_| pending().await));
        heard.push(serve(stage, "redirecting.test", async |_| redirect()));
        heard.push(serve(stage, "flooding.test", async |_| plain(StatusCode::OK, vec![b'x'; FLOOD])));
        elsewhere = serve(stage, "elsewhere.test", async |_| plain(StatusCode::OK, ""));
        for name in receivers {
            let provider = json!({
                "apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider",
                "metadata": {"name": name, "namespace": "test"},
                "spec": {"type": "slack", "address": format!("http://{name}.test/hook")},
            });
            stage.cluster.apply_yaml(&provider.to_string()).await.unwrap();
        }
    })
    .await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(1_800.0).await;
    let [good, hanging, redirecting, flooding] = heard.as_slice() else { unreachable!() };
    assert_eq!(texts(good), ALERTS);
    assert_eq!(texts(flooding), ALERTS, "a status of 200 is an answer, however long the text is");
    assert_eq!(elsewhere.lock().unwrap().len(), 0, "redirects are not followed");
    for (name, why, heard) in
        [("hanging", "within 5000ms", hanging), ("redirecting", "which is not followed", redirecting)]
    {
        let reported = events(&stage, &format!("alerts to alert provider {name}.test are not delivered"));
        assert!(matches!(reported.as_slice(), [(text, 1)] if text.contains(why)), "{reported:?}");
        assert!(heard.lock().unwrap().len() < 25, "{name} is tried ever more seldom");
    }
    assert_eq!(events(&stage, "alerts to").len(), 2);
    stage.check_laws(NAME);
}

/// Later notices are answered sooner, and many only after the caller has given up.
#[tokio::test(start_paused = true)]
async fn an_event_hook_that_answers_out_of_order_hears_everything() {
    let mut heard = Heard::default();
    let hook = json!([{"name": "log", "type": "event", "url": "http://log.test/", "timeout": "5s"}]);
    let mut stage = initialised(hook, json!([]), async |stage| {
        heard = serve(stage, "log.test", |number| async move {
            let wait_s = [9, 4, 3, 2, 1, 7, 0].get(number % 7).copied().unwrap_or_default();
            tokio::time::sleep(Duration::from_secs(wait_s)).await;
            plain(StatusCode::OK, "")
        });
    })
    .await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(600.0).await;
    let message = |request: &Request<Bytes>| {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        body["metadata"]["eventMessage"].as_str().unwrap().to_owned()
    };
    let received: BTreeSet<String> = heard.lock().unwrap().iter().map(message).collect();
    let said: BTreeSet<String> = stage
        .story(NAME)
        .events
        .keys()
        .filter_map(|event| event.split_once(' ').map(|(_, text)| text.to_owned()))
        .collect();
    assert_eq!(received, said);
    let keys: BTreeSet<String> = heard
        .lock()
        .unwrap()
        .iter()
        .map(|request| format!("{:?}", request.headers()["idempotency-key"]))
        .collect();
    assert_eq!(keys.len(), said.len(), "a repeated notice has the key of the first");
    stage.check_laws(NAME);
}

/// The refusal comes after the timeout, while the next call is answered already.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_counts_for_nothing() {
    let mut heard = Heard::default();
    let hook = json!([{"name": "test", "type": "rollout", "url": "http://slow.test/", "timeout": "5s"}]);
    let mut stage = initialised(hook, json!([]), async |stage| {
        heard = serve(stage, "slow.test", |number| async move {
            if number == 0 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                return plain(StatusCode::FORBIDDEN, "too late");
            }
            plain(StatusCode::OK, "")
        });
    })
    .await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let failed = events(&stage, "external check test failed");
    assert!(matches!(failed.as_slice(), [(text, 1)] if text.contains("within 5000ms")), "{failed:?}");
    assert_eq!(events(&stage, "too late"), []);
    assert_eq!(stage.canary(NAME).await["status"]["failedChecks"], 1);
    stage.check_laws(NAME);
}

/// An operator that starts reads another time than the one before has written.
#[tokio::test(start_paused = true)]
async fn clocks_that_jump_by_an_hour_end_no_rollout_and_repeat_no_step() {
    const HOUR_MS: i64 = 3_600_000;
    let mut stage = initialised(json!([]), json!([]), async |_| ()).await;
    stage.push(NAME, "6.0.1").await;
    for jump_ms in [HOUR_MS, -2 * HOUR_MS, HOUR_MS] {
        stage.pass(7.0).await;
        stage.kill().await;
        stage.clock.jump(jump_ms);
        stage.start();
    }
    stage.until_phase(NAME, "Succeeded").await;
    let steps = events(&stage, "canary weight");
    let each = |weight| (format!("Normal Advance podinfo.test canary weight {weight}"), 1);
    assert_eq!(steps, [each(25), each(50)]);
    assert_eq!(events(&stage, "Warning"), []);
    stage.check_laws(NAME);
}
