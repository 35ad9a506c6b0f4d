//! Limits of what one Canary may write and one server may answer: no other Canary is affected.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Map, Value, json};
use vexil_testbed_cluster::{FromFn, plain};

use crate::cluster::Stage;

const NAME: &str = "podinfo";

/// The definitions of a release that had no limits.
fn unlimited(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for limit in ["maxItems", "maxLength", "maxProperties"] {
                fields.remove(limit);
            }
            fields.values_mut().for_each(unlimited);
        }
        Value::Array(list) => list.iter_mut().for_each(unlimited),
        _ => {}
    }
}

fn hooks(count: usize) -> Value {
    let hook =
        |n| json!({"name": format!("h{n}"), "type": "event", "url": format!("http://hooks.test/h{n}")});
    json!({"spec": {"analysis": {"webhooks": (0..count).map(hook).collect::<Vec<_>>()}}})
}

/// The API server of a cluster with an older definition lets it through; the operator does not.
#[tokio::test(start_paused = true)]
async fn ten_thousand_event_hooks_are_refused_with_one_message_and_delay_no_other_canary() {
    let mut stage = Stage::open().await;
    for crd in vexil_api::crds().unwrap() {
        let mut manifest = crd.manifest;
        unlimited(&mut manifest);
        stage.cluster.apply_yaml(&manifest.to_string()).await.unwrap();
    }
    stage.answer_success(100.0);
    stage.start();
    stage.apply("hostile", &[&hooks(10_000)]).await;
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.push("hostile", "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.kill().await;
    stage.start();
    stage.pass(60.0).await;
    let refusal =
        "Warning invalid canary spec: spec.analysis.webhooks: has 10000 entries; at most 64 are allowed";
    assert_eq!(stage.events_with("hostile", ""), [(refusal.to_owned(), 1)]);
    let status = stage.canary("hostile").await["status"].clone();
    assert_eq!((&status["phase"], &status["conditions"][1]["reason"]), (&json!(""), &json!("InvalidSpec")));
    stage.check_laws(NAME);
}

/// With the present definition it does not even come so far.
#[tokio::test(start_paused = true)]
async fn the_definition_refuses_what_is_beyond_a_limit() {
    let stage = Stage::open().await;
    let mut canary = crate::cluster::manifests::canary(NAME);
    crate::cluster::manifests::merge(&mut canary, &hooks(65));
    let error = stage.cluster.apply_yaml(&canary.to_string()).await.unwrap_err();
    assert!(format!("{error:?}").contains("spec.analysis.webhooks"), "{error:?}");
    let mut canary = crate::cluster::manifests::canary(NAME);
    crate::cluster::manifests::merge(&mut canary, &hooks(64));
    stage.cluster.apply_yaml(&canary.to_string()).await.unwrap();
}

/// Both of two hooks with one name hear everything, each once, also when the operator is started anew.
#[tokio::test(start_paused = true)]
async fn two_event_hooks_of_one_name_are_both_called() {
    let mut stage = Stage::open().await;
    let heard: Arc<Mutex<Map<String, Value>>> = Arc::default();
    let log = Arc::clone(&heard);
    let handler = FromFn(move |request: http::Request<bytes::Bytes>| {
        let payload: Value = serde_json::from_slice(request.body()).unwrap();
        let text = payload["metadata"]["eventMessage"].as_str().unwrap().to_owned();
        let mut log = log.lock().unwrap();
        let list = log.entry(request.uri().path()).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(json!(text));
        async move { plain(StatusCode::OK, "") }
    });
    stage.cluster.network().register("events.test", Arc::new(handler));
    stage.answer_success(100.0);
    stage.start();
    let hook =
        |path: &str| json!({"name": "log", "type": "event", "url": format!("http://events.test{path}")});
    let twice = json!({"spec": {"analysis": {"webhooks": [hook("/a"), hook("/b")]}}});
    stage.apply(NAME, &[&twice]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(30.0).await;
    stage.kill().await;
    stage.start();
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(30.0).await;
    let heard = heard.lock().unwrap();
    assert_eq!(heard["/a"], heard["/b"]);
    let last = heard["/a"].as_array().unwrap().last().unwrap();
    assert_eq!(last, "Promotion completed! Scaling down podinfo.test");
    stage.check_laws(NAME);
}

/// A server that answers with an error of almost a megabyte: a failed check, in a message and a status that fit.
#[tokio::test(start_paused = true)]
async fn a_flood_from_a_metric_server_is_a_short_message_and_a_failed_check() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    let change = json!({"spec": {"analysis": {"threshold": 2}}});
    stage.apply(NAME, &[&change]).await;
    stage.until_phase(NAME, "Initialized").await;
    let flood = FromFn(|_| {
        let error =
            json!({"status": "error", "errorType": "x", "error": "<\u{1}é".repeat(100_000)}).to_string();
        async move { plain(StatusCode::OK, error) }
    });
    stage.cluster.network().register("metrics.test", Arc::new(flood));
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Failed").await;
    stage.pass(30.0).await;
    let events = stage.events_with(NAME, "error response: x: ");
    assert!(!events.is_empty(), "{}", stage.story(NAME).text());
    for (text, _) in &events {
        assert!(text.len() <= "Warning ".len() + 1_024 && text.contains("bytes left out)"), "{text}");
    }
    assert!(stage.canary(NAME).await["status"].to_string().len() <= 64 << 10);
    stage.check_laws(NAME);
}

/// What users will miss is reported once for each text, also by an operator that was started anew.
#[tokio::test(start_paused = true)]
async fn unsupported_features_are_reported_once_as_events() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    let change = json!({"spec": {
        "analysis": {
            "sessionAffinity": {"cookieName": "x"},
        },
    }});
    stage.start();
    stage.apply(NAME, &[&change]).await;
    stage.until_phase(NAME, "Initialized").await;
    for _ in 0..2 {
        stage.kill().await;
        stage.start();
        stage.pass(60.0).await;
    }
    let events = stage.events_with(NAME, "spec.analysis.sessionAffinity: ");
    assert!(matches!(events.as_slice(), [(_, 1)]), "{events:?}");
    stage.check_laws(NAME);
}

/// The flag may name a provider that this version does not have.
#[tokio::test(start_paused = true)]
async fn a_canary_without_a_provider_gets_one_message_that_names_the_flag() {
    let mut stage = Stage::open().await;
    stage.provider = "cilium";
    stage.start();
    let mirrored = json!({"spec": {"provider": null, "analysis": {"mirror": true}}});
    stage.apply(NAME, &[&mirrored]).await;
    stage.pass(60.0).await;
    let events = stage.events_with(NAME, "");
    let [(text, 1)] = events.as_slice() else { panic!("{events:?}") };
    assert!(text.starts_with("Warning invalid canary spec: spec.provider: names none, and the operator's default `cilium` (flag -mesh-provider)"), "{text}");
    assert!(!text.contains(';') || text.ends_with("set one here or there"), "{text}");
}
