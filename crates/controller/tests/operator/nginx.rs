//! NGINX Ingress: A/B testing with real requests, and the way from it to the Gateway API, step by step as
//! docs/moving-from-nginx.md has it.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Running, Settings, System};

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");
const INGRESS: (&str, &str) = ("networking.k8s.io/v1", "Ingress");

const HOUR: Duration = Duration::from_secs(3_600);
const LIMIT: Duration = Duration::from_secs(300);

const USERS: &str = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: podinfo, namespace: test}, \
    spec: {ingressClassName: nginx, rules: [{host: app.example.com, http: {paths: [{path: /, pathType: Prefix, \
    backend: {service: {name: podinfo, port: {number: 80}}}}]}}]}}";

/// A cluster with the user's Ingress and an initialised Canary, of which `spec` is a part.
async fn initialised(system: System, spec: Value) -> Stage {
    let mut stage = Stage::with(Settings { system, ..Settings::default() }).await;
    stage.provider = "nginx";
    stage.answer_success(100.0);
    stage.start();
    stage.cluster.apply_yaml(USERS).await.unwrap();
    let reference = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": NAME});
    let ingress = json!({"provider": "nginx", "ingressRef": reference});
    let (ingress, spec) = (json!({"spec": ingress}), json!({"spec": spec}));
    stage.apply(NAME, &[&ingress, &spec]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage
}

fn through_nginx() -> Load {
    Load::new("http://ingress-nginx-controller.ingress-nginx/").host("app.example.com").per_second(10)
}

#[tokio::test(start_paused = true)]
async fn a_header_and_a_cookie_choose_the_new_version_and_nothing_else_does() {
    let matches = json!([
        {"headers": {"x-canary": {"exact": "insider"}}}, {"headers": {"cookie": {"exact": "canary"}}},
    ]);
    let analysis = json!({
        "interval": "10s", "threshold": 2, "iterations": 3, "match": matches, "stepWeight": null, "maxWeight": null,
    });
    let mut stage = initialised(System::Nginx, json!({"analysis": analysis})).await;
    let everyone = stage.cluster.load(through_nginx().lasting(HOUR));
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, LIMIT, |status| status["iterations"].as_i64() > Some(0)).await;
    // The gateway is a moment behind.
    stage.pass(3.0).await;
    let before = everyone.tally();
    for (header, value, version) in [
        ("x-canary", "insider", "6.0.1"),
        ("x-canary", "other", "6.0.0"),
        ("cookie", "a=b; canary=always", "6.0.1"),
        ("cookie", "canary=never", "6.0.0"),
    ] {
        let load = through_nginx().header(header, value).requests(5);
        let tally = stage.cluster.load(load).finished().await;
        assert_eq!(tally.by_version.get(version), Some(&5), "{header}: {value}: {tally:?}");
    }
    let others = everyone.tally().since(&before);
    assert_eq!(others.by_version.get("6.0.1"), None, "{others:?}");
    stage.until(NAME, LIMIT, |status| status["phase"] == "Succeeded").await;
    assert_eq!(everyone.tally().errors(), 0);
}

/// A Canary at 25 % whose spec is edited.
async fn edited_in_mid_run(edit: Value) -> (Stage, Running) {
    let mut stage = initialised(System::Nginx, json!({})).await;
    let clients = stage.cluster.load(through_nginx().lasting(HOUR));
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, LIMIT, |status| status["canaryWeight"] == 25).await;
    stage.cluster.merge(CANARY, ("test", NAME), &json!({"spec": edit})).await.unwrap();
    (stage, clients)
}

#[tokio::test(start_paused = true)]
async fn an_invalid_edit_in_mid_run_is_rolled_back_by_the_ingress_in_force() {
    let unknown = json!([{"name": "happiness", "interval": "1m", "thresholdRange": {"min": 1}}]);
    for edit in [json!({"ingressRef": null}), json!({"analysis": {"metrics": unknown}})] {
        let (mut stage, clients) = edited_in_mid_run(edit).await;
        stage.until(NAME, LIMIT, |status| status["phase"] == "Failed").await;
        stage.pass(60.0).await;
        let copy = stage.cluster.get(INGRESS.0, INGRESS.1, "test", "podinfo-canary").await.unwrap().unwrap();
        let weight = &copy["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"];
        assert_eq!(weight, "0", "{}", stage.story(NAME).text());
        assert_eq!(clients.tally().errors(), 0, "{}", stage.story(NAME).text());
        stage.check_laws(NAME);
    }
}

/// The copy of the first Ingress would split its clients for ever.
#[tokio::test(start_paused = true)]
async fn another_ingress_in_mid_run_is_a_migration() {
    let (mut stage, clients) = edited_in_mid_run(json!({"ingressRef": {"name": "other"}})).await;
    let other = USERS.replace("metadata: {name: podinfo,", "metadata: {name: other,");
    stage.cluster.apply_yaml(&other.replace("app.example", "other.example")).await.unwrap();
    stage.until(NAME, LIMIT, |status| status["binding"]["references"]["ingressRef"] == "other").await;
    stage.until(NAME, LIMIT, |status| status["phase"] == "Succeeded").await;
    stage.pass(60.0).await;
    let ingress = async |name| stage.cluster.get(INGRESS.0, INGRESS.1, "test", name).await.unwrap();
    assert!(ingress("podinfo-canary").await.is_none(), "the copy goes with its binding");
    assert!(ingress("other-canary").await.is_some());
    assert_eq!(clients.tally().errors(), 0, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

/// Clients never stop, on either way; no request fails.
#[tokio::test(start_paused = true)]
async fn the_way_to_the_gateway_api_costs_no_request() {
    let mut stage = initialised(System::NginxAndGatewayApi, json!({})).await;
    let old_way = stage.cluster.load(through_nginx().lasting(HOUR));

    // The Canary follows the Gateway, in the middle of a rollout; the Ingress goes on serving.
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, LIMIT, |status| status["canaryWeight"] == 25).await;
    let parent = json!({"name": "public", "namespace": "gateway-system"});
    let service = json!({"gatewayRefs": [parent], "hosts": ["app.example.com"]});
    let edit = json!({"spec": {"provider": "gatewayapi:v1", "service": service}});
    stage.cluster.merge(CANARY, ("test", NAME), &edit).await.unwrap();
    stage.until(NAME, LIMIT, |status| status["binding"]["provider"] == "gatewayapi:v1").await;
    stage.until(NAME, LIMIT, |status| status["phase"] == "Succeeded").await;
    stage.pass(60.0).await;
    let ingress =
        async |stage: &Stage, name| stage.cluster.get(INGRESS.0, INGRESS.1, "test", name).await.unwrap();
    assert!(ingress(&stage, "podinfo-canary").await.is_none(), "the copy goes with its binding");
    assert!(ingress(&stage, NAME).await.is_some(), "the user's own stays");

    // The domain leads to the Gateway; rollouts are split there.
    let load = Load::new("http://gateway.gateway-system/").host("app.example.com").per_second(10);
    let new_way = stage.cluster.load(load.lasting(HOUR));
    stage.push(NAME, "6.0.2").await;
    stage.until(NAME, LIMIT, |status| status["canaryWeight"] == 50).await;
    assert!(new_way.tally().by_version.contains_key("6.0.2"), "{:?}", new_way.tally());
    stage.until(NAME, LIMIT, |status| status["phase"] == "Succeeded").await;
    stage.pass(60.0).await;
    let (old, new) = (old_way.tally(), new_way.tally());
    assert_eq!((old.errors(), new.errors()), (0, 0), "{old:?} {new:?}\n{}", stage.story(NAME).text());

    // What is left of the old way goes, and the Gateway does not notice.
    drop(old_way);
    stage.cluster.delete(INGRESS.0, INGRESS.1, "test", NAME).await.unwrap();
    let edit = json!({"spec": {"ingressRef": null}});
    stage.cluster.merge(CANARY, ("test", NAME), &edit).await.unwrap();
    stage.push(NAME, "6.0.3").await;
    stage.until(NAME, LIMIT, |status| status["canaryWeight"] == 50).await;
    stage.until(NAME, LIMIT, |status| status["phase"] == "Succeeded").await;
    stage.pass(60.0).await;
    assert_eq!(new_way.tally().errors(), 0, "{}", stage.story(NAME).text());
    for name in [NAME, "podinfo-canary"] {
        assert!(ingress(&stage, name).await.is_none(), "{name}");
    }
    stage.check_laws(NAME);
}
