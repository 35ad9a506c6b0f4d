//! Alerts: one for each notice that has one, to those who want its severity; receivers that are down; crashes.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};
use vexil_testbed_cluster::{FromFn, plain};

use crate::cluster::Stage;

const NAME: &str = "podinfo";

/// A chat service at `http://chat.test/<receiver>`.
#[derive(Clone)]
struct Chat {
    /// The receiver and the text of each message that was accepted.
    accepted: Arc<Mutex<Vec<(String, Value)>>>,
    /// How many requests came.
    requests: Arc<Mutex<usize>>,
    /// The status of its replies.
    status: Arc<Mutex<u16>>,
}

impl Chat {
    fn open(stage: &Stage) -> Chat {
        let chat =
            Chat { accepted: Arc::default(), requests: Arc::default(), status: Arc::new(Mutex::new(200)) };
        let server = chat.clone();
        let handler = FromFn(move |request: http::Request<bytes::Bytes>| {
            *server.requests.lock().unwrap() += 1;
            let status = *server.status.lock().unwrap();
            if status == 200 {
                let to = request.uri().path().trim_start_matches('/').to_owned();
                let body = serde_json::from_slice(request.body()).unwrap();
                server.accepted.lock().unwrap().push((to, body));
            }
            async move { plain(StatusCode::from_u16(status).unwrap(), "") }
        });
        stage.cluster.network().register("chat.test", Arc::new(handler));
        chat
    }

    fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    fn requests(&self) -> usize {
        *self.requests.lock().unwrap()
    }

    /// The texts that this receiver accepted.
    fn texts(&self, receiver: &str) -> Vec<String> {
        let accepted = self.accepted.lock().unwrap();
        let of = accepted.iter().filter(|(to, _)| to.starts_with(receiver));
        of.map(|(_, body)| body["attachments"][0]["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// An AlertProvider whose address is in a Secret.
async fn provider(stage: &Stage, name: &str) {
    let provider = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider",
        "metadata": {"name": name, "namespace": "test"},
        "spec": {"type": "slack", "channel": "on-call", "secretRef": {"name": name}},
    });
    stage.cluster.apply_yaml(&provider.to_string()).await.unwrap();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "test"},
        "stringData": {"address": format!("http://chat.test/{name}/MARKER-PATH"), "token": "MARKER-TOKEN"},
    });
    stage.cluster.apply_yaml(&secret.to_string()).await.unwrap();
}

fn alerts(list: &[(&str, &str)]) -> Value {
    let alert = |(name, severity): &(&str, &str)| json!({"name": name, "severity": severity, "providerRef": {"name": name}});
    json!({"spec": {"analysis": {"threshold": 1, "alerts": list.iter().map(alert).collect::<Vec<_>>()}}})
}

const INITIALIZED: &str = "New Deployment detected, initialization completed.";
const PUSHED: &str = "New revision detected, progressing canary analysis.";
const PROMOTED: &str = "Canary analysis completed successfully, promotion finished.";
const FAILED: &str = "Failed checks threshold reached 1";

/// The Events that contain this, with their counts.
fn events(stage: &Stage, text: &str) -> Vec<(String, usize)> {
    stage.story(NAME).events.into_iter().filter(|(event, _)| event.contains(text)).collect()
}

/// No secret in what users can read.
async fn check_secrets(stage: &Stage) {
    let status = stage.canary(NAME).await["status"].to_string();
    let shown = format!("{status} {:?} {}", stage.story(NAME).events, stage.story(NAME).text());
    assert!(!shown.contains("MARKER"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn each_alert_goes_once_to_those_who_want_its_severity() {
    let mut stage = Stage::open().await;
    let chat = Chat::open(&stage);
    for name in ["all", "worse", "worst"] {
        provider(&stage, name).await;
    }
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&alerts(&[("all", "info"), ("worse", "warn"), ("worst", "error")])]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.answer_success(0.0);
    stage.kill().await;
    stage.start();
    stage.push(NAME, "6.0.2").await;
    stage.until_phase(NAME, "Failed").await;
    stage.pass(60.0).await;
    assert_eq!(chat.texts("all"), [INITIALIZED, PUSHED, PROMOTED, PUSHED, FAILED]);
    assert_eq!(chat.texts("worse"), [FAILED]);
    assert_eq!(chat.texts("worst"), [FAILED]);
    let first = chat.accepted.lock().unwrap()[0].1["attachments"][0].clone();
    assert_eq!((&first["author_name"], &first["color"]), (&json!("podinfo.test"), &json!("good")));
    let names: Vec<_> =
        first["fields"].as_array().unwrap().iter().map(|field| field["title"].clone()).collect();
    assert_eq!(names, ["Target", "Failed checks threshold", "Progress deadline", "Traffic routing"]);
    check_secrets(&stage).await;
    stage.check_laws(NAME);
}

/// The rollout ends as fast as without alerts; every alert is delivered when the receiver is back.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_delays_no_rollout_and_is_reported_once() {
    let mut stage = Stage::open().await;
    let chat = Chat::open(&stage);
    provider(&stage, "all").await;
    stage.answer_success(100.0);
    chat.answer(503);
    stage.start();
    stage.apply(NAME, &[&alerts(&[("all", "info")])]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(2_400.0).await;
    assert!(chat.requests() < 25, "{} requests", chat.requests());
    let report = "Warning alerts to alert provider all.test are not delivered: 503 Service Unavailable";
    assert_eq!(events(&stage, "alerts to"), [(report.to_owned(), 1)]);
    chat.answer(200);
    stage.pass(360.0).await;
    assert_eq!(chat.texts("all"), [INITIALIZED, PUSHED, PROMOTED]);
    let fields = chat.accepted.lock().unwrap()[2].1["attachments"][0]["fields"].clone();
    assert_eq!(fields[0]["title"], "Time", "an alert that is late says when it happened");
    check_secrets(&stage).await;
    stage.check_laws(NAME);
}

/// After an hour the alerts are dropped, and nothing is sent any more.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_comes_back_is_given_up() {
    let mut stage = Stage::open().await;
    let chat = Chat::open(&stage);
    provider(&stage, "all").await;
    chat.answer(503);
    stage.start();
    stage.apply(NAME, &[&alerts(&[("all", "info")])]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(4_000.0).await;
    let requests = chat.requests();
    stage.pass(4_000.0).await;
    assert_eq!(chat.requests(), requests);
    let outbox = stage.canary(NAME).await["status"]["outbox"]["entries"].clone();
    assert!(outbox.as_array().is_none_or(Vec::is_empty), "{outbox}");
    stage.check_laws(NAME);
}

/// What is missing is reported once, and counts as soon as it is there.
#[tokio::test(start_paused = true)]
async fn an_alert_waits_for_its_provider() {
    let mut stage = Stage::open().await;
    let chat = Chat::open(&stage);
    stage.start();
    stage.apply(NAME, &[&alerts(&[("all", "info")])]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(60.0).await;
    let report = "Warning alerts to alert provider all.test are not delivered: it does not exist";
    assert_eq!(events(&stage, "alerts to"), [(report.to_owned(), 1)]);
    provider(&stage, "all").await;
    stage.pass(360.0).await;
    assert_eq!(chat.texts("all"), [INITIALIZED]);
}

/// The Canary names a provider that does not exist, and is corrected while the alert waits for it.
#[tokio::test(start_paused = true)]
async fn an_alert_for_a_mistyped_provider_goes_to_the_corrected_one() {
    let mut stage = Stage::open().await;
    let chat = Chat::open(&stage);
    provider(&stage, "on-call").await;
    stage.start();
    let naming = |provider: &str| {
        let alert = json!({"name": "chat", "severity": "info", "providerRef": {"name": provider}});
        json!({"spec": {"analysis": {"alerts": [alert]}}})
    };
    stage.apply(NAME, &[&naming("on-cal")]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(60.0).await;
    let report = "Warning alerts to alert provider on-cal.test are not delivered: it does not exist";
    assert_eq!(events(&stage, "alerts to"), [(report.to_owned(), 1)]);
    let kind = ("flagger.app/v1beta1", "Canary");
    stage.cluster.merge(kind, ("test", NAME), &naming("on-call")).await.unwrap();
    stage.pass(360.0).await;
    assert_eq!(chat.texts("on-call"), [INITIALIZED]);
}

/// Nothing is known of receivers while the spec is invalid, which is not that there are none.
#[tokio::test(start_paused = true)]
async fn what_receivers_wait_for_outlasts_an_invalid_spec_and_a_crash() {
    for wrong in
        [json!({"targetRef": {"name": "Not Valid!"}}), json!({"analysis": {"stepWeight": 0, "maxWeight": 0}})]
    {
        let mut stage = Stage::open().await;
        let chat = Chat::open(&stage);
        provider(&stage, "all").await;
        chat.answer(503);
        stage.start();
        let hook = json!({"name": "log", "type": "event", "url": "http://chat.test/log", "timeout": "5s"});
        let hooks = json!({"spec": {"analysis": {"webhooks": [hook]}}});
        stage.apply(NAME, &[&alerts(&[("all", "info")]), &hooks]).await;
        stage.until_phase(NAME, "Initialized").await;
        stage.pass(5.0).await;
        let valid = stage.canary(NAME).await["spec"].clone();
        let kind = ("flagger.app/v1beta1", "Canary");
        stage.cluster.merge(kind, ("test", NAME), &json!({ "spec": wrong })).await.unwrap();
        stage.kill().await;
        stage.start();
        stage.pass(60.0).await;
        chat.answer(200);
        stage.cluster.merge(kind, ("test", NAME), &json!({ "spec": valid })).await.unwrap();
        stage.pass(360.0).await;
        assert_eq!(chat.texts("all"), [INITIALIZED], "{wrong}");
        let logged = chat.accepted.lock().unwrap().iter().filter(|(to, _)| to == "log").count();
        assert!(logged > 0, "{wrong}");
        stage.check_laws(NAME);
    }
}

/// The receiver has the alert, and the operator dies before it can remember that.
#[tokio::test(start_paused = true)]
async fn a_crash_between_delivery_and_receipt_repeats_an_alert_at_most_once() {
    let mut stage = Stage::open().await;
    let chat = Chat::open(&stage);
    provider(&stage, "all").await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&alerts(&[("all", "info")])]).await;
    while chat.texts("all").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    stage.kill().await;
    stage.start();
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(60.0).await;
    let texts = chat.texts("all");
    assert!(matches!(texts.len(), 1 | 2) && texts.iter().all(|text| text == INITIALIZED), "{texts:?}");
    stage.kill().await;
    stage.start();
    stage.pass(60.0).await;
    assert_eq!(chat.texts("all"), texts, "what was remembered is not repeated");
    stage.check_laws(NAME);
}
