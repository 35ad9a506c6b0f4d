//! Calls of gRPC: a GRPCRoute splits and matches them, and other requests are not its business.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Settings, System, Tally};

use super::{NAME, at_weight};
use crate::cluster::Stage;

const HEALTH: &str = "grpc.health.v1.Health/Check";

/// A Canary of gRPC that is initialised, with these fields of its Service and of its analysis.
async fn stage(service: Value, analysis: Value) -> Stage {
    let settings = Settings { system: System::GatewayApi(&[]), ..Settings::default() };
    let mut stage = Stage::with(settings).await;
    stage.answer_success(100.0);
    stage.start();
    let parent = json!({"name": "public", "namespace": "gateway-system"});
    let usual = json!({"appProtocol": "grpc", "gatewayRefs": [parent], "hosts": ["app.example.com"]});
    let spec = json!({"provider": "gatewayapi:v1", "service": usual, "analysis": analysis});
    stage.apply(NAME, &[&json!({"spec": spec}), &json!({"spec": {"service": service}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(2.0).await;
    stage
}

/// A hundred calls of a method with these headers.
async fn calls(stage: &Stage, method: &str, headers: &[(&str, &str)]) -> Tally {
    let load = Load::new(&format!("http://gateway.gateway-system/{method}")).host("app.example.com");
    let mut load =
        load.method(Method::POST).header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        load = load.header(*name, *value);
    }
    stage.cluster.load(load.per_second(1_000).requests(100)).finished().await
}

/// How many of a hundred calls the new version answers; all of them are answered.
async fn share(stage: &Stage, headers: &[(&str, &str)]) -> u64 {
    let tally = calls(stage, HEALTH, headers).await;
    assert_eq!(tally.errors(), 0, "{tally:?}");
    tally.by_version.get("6.0.1").copied().unwrap_or(0)
}

async fn route(stage: &Stage, kind: &str) -> Option<Value> {
    stage.cluster.get("gateway.networking.k8s.io/v1", kind, "test", NAME).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn weights_split_calls() {
    let mut stage = stage(json!({}), json!({})).await;
    assert!(route(&stage, "GRPCRoute").await.is_some());
    assert!(route(&stage, "HTTPRoute").await.is_none());
    assert_eq!(share(&stage, &[]).await, 0);
    stage.push(NAME, "6.0.1").await;
    for weight in [25, 50] {
        at_weight(&mut stage, weight).await;
        assert_eq!(share(&stage, &[]).await, weight);
    }
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(2.0).await;
    assert_eq!(share(&stage, &[]).await, 100);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_b_testing_sends_calls_that_match_to_the_canary() {
    let matches = json!([{"headers": {"x-user": {"exact": "insider"}}}]);
    let analysis = json!({"stepWeight": null, "maxWeight": null, "iterations": 3, "match": matches});
    let mut stage = stage(json!({}), analysis).await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["iterations"] == 1).await;
    stage.pass(2.0).await;
    assert_eq!((share(&stage, &[("x-user", "insider")]).await, share(&stage, &[]).await), (100, 0));
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

/// `service.match` names methods as Istio does, by their path.
#[tokio::test(start_paused = true)]
async fn only_the_methods_that_the_canary_names_are_routed() {
    let health = json!({"match": [{"uri": {"prefix": "/grpc.health.v1.Health/"}}]});
    let mut stage = stage(health, json!({})).await;
    stage.push(NAME, "6.0.1").await;
    at_weight(&mut stage, 25).await;
    assert_eq!(share(&stage, &[]).await, 25);
    let others = calls(&stage, "shop.Cart/Add", &[]).await;
    assert_eq!(others.by_status.into_iter().collect::<Vec<_>>(), [(404, 100)]);
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}
