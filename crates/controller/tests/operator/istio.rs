//! Whole rollouts with Istio, one for each strategy, as clients inside the mesh and from outside see them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header::SET_COOKIE};
use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Settings, System, Tally};

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const APEX: &str = "http://podinfo.test/";
const OLD: &str = "6.0.0";
const NEW: &str = "6.0.1";

/// A Canary that is initialised, with these parts of its spec, and clients of the mesh who must see no error.
async fn initialised(spec: Value) -> (Stage, vexil_testbed_cluster::Running) {
    initialised_over(spec, "").await
}

async fn initialised_over(spec: Value, before: &str) -> (Stage, vexil_testbed_cluster::Running) {
    let settings = Settings { system: System::Istio, ..Settings::default() };
    let mut stage = Stage::with(settings).await;
    stage.answer_success(100.0);
    stage.start();
    if !before.is_empty() {
        stage.cluster.apply_yaml(before).await.unwrap();
    }
    stage.apply(NAME, &[&json!({"spec": {"provider": "istio"}}), &json!({"spec": spec})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(2.0).await;
    let clients = stage.cluster.load(Load::new(APEX).per_second(20).lasting(Duration::from_secs(7_200)));
    (stage, clients)
}

/// What 200 requests with these headers meet.
async fn meet(stage: &Stage, url: &str, headers: &[(&str, &str)]) -> Tally {
    let load = Load::new(url).per_second(100).requests(200);
    let load = headers.iter().fold(load, |load, (name, value)| load.header(*name, *value));
    stage.cluster.load(load).finished().await
}

/// Other clients take turns with these, so a part is not met exactly; all and none are.
#[track_caller]
fn share(tally: &Tally, version: &str, expect: f64) {
    let most = if expect == 1.0 { 0.0 } else { 0.1 };
    assert!((tally.share(version) - expect).abs() <= most, "{version} has not {expect}: {tally:?}");
    assert_eq!(tally.errors(), 0, "{tally:?}");
}

async fn route(stage: &Stage) -> Value {
    let found = stage.cluster.get("networking.istio.io/v1beta1", "VirtualService", "test", NAME).await;
    found.unwrap().unwrap()
}

/// How many requests the canary's sidecars have reported.
async fn copies(stage: &Stage) -> f64 {
    let query =
        "sum(istio_requests_total%7Breporter=%22destination%22,destination_workload=%22podinfo%22%7D)";
    let request = Request::get(format!("{}/api/v1/query?query={query}", stage.cluster.metrics_url()));
    let response = stage.cluster.network().send(request.body(Bytes::new()).unwrap()).await.unwrap();
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    answer.pointer("/data/result/0/value/1").map_or(0.0, |value| value.as_str().unwrap().parse().unwrap())
}

/// Waits for the promotion: no request has failed, and all clients are on the new version.
async fn succeeds(mut stage: Stage, clients: &vexil_testbed_cluster::Running) {
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(2.0).await;
    share(&meet(&stage, APEX, &[]).await, NEW, 1.0);
    assert_eq!(clients.tally().errors(), 0, "{}\n{:?}", stage.story(NAME).text(), clients.tally());
    let http = &route(&stage).await["spec"]["http"];
    let weights: Vec<_> =
        http[0]["route"].as_array().unwrap().iter().map(|one| one["weight"].clone()).collect();
    assert_eq!((http.as_array().unwrap().len(), weights), (1, vec![json!(100), json!(0)]), "{http}");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn by_weight_inside_the_mesh_and_from_outside() {
    let gateway = "apiVersion: networking.istio.io/v1beta1
kind: Gateway
metadata: {name: public, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
";
    let service = json!({"gateways": ["istio-system/public", "mesh"], "hosts": ["app.example.com"],
                         "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}, "timeout": "5s"});
    let (mut stage, clients) = initialised_over(json!({"service": service}), gateway).await;
    stage.push(NAME, NEW).await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(2.0).await;
    share(&meet(&stage, APEX, &[]).await, NEW, 0.25);
    let outside = "http://istio-ingressgateway.istio-system/";
    share(&meet(&stage, outside, &[("host", "app.example.com")]).await, NEW, 0.25);
    for name in ["podinfo-primary", "podinfo-canary"] {
        let rule = stage.cluster.get("networking.istio.io/v1beta1", "DestinationRule", "test", name).await;
        let rule = rule.unwrap().unwrap();
        assert_eq!(rule["spec"], json!({"host": name, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}));
    }
    succeeds(stage, &clients).await;
}

#[tokio::test(start_paused = true)]
async fn those_who_match_meet_the_new_version_and_others_do_not() {
    let analysis = json!({
        "iterations": 3, "stepWeight": null, "maxWeight": null,
        "match": [{"headers": {"x-canary": {"exact": "insider"}}}, {"headers": {"cookie": {"regex": ".*beta=1.*"}}}],
    });
    let (mut stage, clients) = initialised(json!({"analysis": analysis})).await;
    stage.push(NAME, NEW).await;
    stage.until(NAME, Duration::from_secs(90), |status| status["iterations"] == 1).await;
    stage.pass(2.0).await;
    share(&meet(&stage, APEX, &[("x-canary", "insider")]).await, NEW, 1.0);
    share(&meet(&stage, APEX, &[("cookie", "a=b; beta=1")]).await, NEW, 1.0);
    share(&meet(&stage, APEX, &[("x-canary", "no")]).await, OLD, 1.0);
    share(&meet(&stage, APEX, &[]).await, OLD, 1.0);
    succeeds(stage, &clients).await;
}

#[tokio::test(start_paused = true)]
async fn copies_go_to_the_new_version_before_it_has_a_share() {
    let (mut stage, clients) =
        initialised(json!({"analysis": {"mirror": true, "mirrorWeight": 50, "interval": "60s"}})).await;
    stage.push(NAME, NEW).await;
    for _ in 0..600 {
        if route(&stage).await["spec"]["http"][0].get("mirror").is_some() {
            break;
        }
        stage.pass(0.1).await;
    }
    stage.pass(2.0).await;
    assert_eq!(stage.canary(NAME).await["status"]["canaryWeight"].as_u64().unwrap_or(0), 0);
    stage.pass(16.0).await;
    let before = copies(&stage).await;
    share(&meet(&stage, APEX, &[]).await, OLD, 1.0);
    stage.pass(16.0).await;
    let now = copies(&stage).await - before;
    assert!(now > 100.0, "half of 200 requests and more were copied, and the canary saw {now}");
    succeeds(stage, &clients).await;
}

#[tokio::test(start_paused = true)]
async fn clients_who_met_the_new_version_stay_with_it() {
    let affinity = json!({"sessionAffinity": {"cookieName": "flagger-cookie"}});
    let (mut stage, clients) = initialised(json!({"analysis": affinity})).await;
    stage.push(NAME, NEW).await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(2.0).await;
    let mut cookie = None;
    for _ in 0..8 {
        let request = Request::get(APEX).body(Bytes::new()).unwrap();
        let response = stage.cluster.network().send(request).await.unwrap();
        cookie = cookie.or(response.headers().get(SET_COOKIE).cloned());
    }
    let cookie = cookie.expect("one of eight at 25 % met the canary").to_str().unwrap().to_owned();
    assert!(cookie.starts_with("flagger-cookie=") && cookie.ends_with("; Max-Age=86400"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    share(&meet(&stage, APEX, &[("cookie", &format!("a=b; {cookie}"))]).await, NEW, 1.0);
    share(&meet(&stage, APEX, &[("cookie", "flagger-cookie=other")]).await, NEW, 0.25);
    succeeds(stage, &clients).await;
}

#[tokio::test(start_paused = true)]
async fn a_virtual_service_of_the_user_keeps_everything_but_weights() {
    let users = r#"{"apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService",
        "metadata": {"name": "podinfo", "namespace": "test"},
        "spec": {"hosts": ["podinfo"], "exportTo": ["."], "http": [
            {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}},
            {"name": "api", "match": [{"uri": {"prefix": "/api"}}], "timeout": "5s",
             "fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 0}}},
             "route": [{"destination": {"host": "podinfo"}}]},
            {"route": [{"destination": {"host": "podinfo"}}]}]}}"#;
    let before: Value = serde_json::from_str(users).unwrap();
    let (mut stage, clients) = initialised_over(json!({}), users).await;
    stage.push(NAME, NEW).await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(2.0).await;
    share(&meet(&stage, APEX, &[]).await, NEW, 0.25);
    share(&meet(&stage, "http://podinfo.test/api/info", &[]).await, NEW, 0.25);
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(2.0).await;
    let mut after = route(&stage).await;
    let http = after["spec"]["http"].as_array_mut().unwrap();
    for (at, route) in http.iter_mut().enumerate().skip(1) {
        let expect = json!([
            {"destination": {"host": "podinfo"}, "weight": 100}, {"destination": {"host": "podinfo-canary"}, "weight": 0},
        ]);
        assert_eq!(route["route"], expect, "{at}");
        route["route"] = json!([{"destination": {"host": "podinfo"}}]);
    }
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"].get("ownerReferences"), None);
    assert_eq!(clients.tally().errors(), 0, "{:?}", clients.tally());
    stage.check_laws(NAME);
}
