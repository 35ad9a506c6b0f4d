//! Whole rollouts through a gateway of the Gateway API: each strategy with real requests, and a gateway that does not
//! accept the route.

mod grpc;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use vexil_testbed_cluster::{Settings, System};

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const ROUTE: (&str, &str) = ("gateway.networking.k8s.io/v1", "HTTPRoute");

/// A cluster with a Gateway, and an operator.
async fn started() -> Stage {
    let settings = Settings { system: System::GatewayApi(&[]), ..Settings::default() };
    let mut stage = Stage::with(settings).await;
    stage.answer_success(100.0);
    stage.start();
    stage
}

/// A Canary that is initialised, with this analysis.
async fn stage(analysis: Value) -> Stage {
    let mut stage = started().await;
    let parent = json!({"name": "public", "namespace": "gateway-system"});
    let service = json!({"gatewayRefs": [parent], "hosts": ["app.example.com"]});
    let change = json!({"spec": {"provider": "gatewayapi:v1", "service": service, "analysis": analysis}});
    stage.apply(NAME, &[&change]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(2.0).await;
    stage
}

async fn route(stage: &Stage) -> Value {
    stage.cluster.get(ROUTE.0, ROUTE.1, "test", NAME).await.unwrap().unwrap()
}

/// The version that answers a request with these headers, and the cookies that it sets.
async fn ask(stage: &Stage, headers: &[(&str, &str)]) -> (String, Vec<String>) {
    let mut request = Request::get("http://gateway.gateway-system/").header("host", "app.example.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = stage.cluster.network().send(request.body(Bytes::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    (body["version"].as_str().unwrap().to_owned(), cookies)
}

/// How many of a hundred requests the new version answers.
async fn share(stage: &Stage, headers: &[(&str, &str)]) -> usize {
    let mut count = 0;
    for _ in 0..100 {
        count += usize::from(ask(stage, headers).await.0 == "6.0.1");
    }
    count
}

/// The rollout ends, and every request is the primary's, which has the new version.
async fn succeeds(mut stage: Stage) {
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(2.0).await;
    assert_eq!(share(&stage, &[]).await, 100);
    let entries =
        route(&stage).await["spec"]["rules"].as_array().unwrap().last().unwrap()["backendRefs"].clone();
    assert_eq!((&entries[0]["weight"], &entries[1]["weight"]), (&json!(100), &json!(0)));
    stage.check_laws(NAME);
}

/// Waits until the canary has this weight, and its requests do.
pub(crate) async fn at_weight(stage: &mut Stage, weight: u64) {
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == weight).await;
    stage.pass(2.0).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_before_a_gateway_is_named() {
    let mut stage = started().await;
    let change = json!({"spec": {"provider": "gatewayapi:v1", "service": {"hosts": ["app.example.com"]}}});
    stage.apply(NAME, &[&change]).await;
    stage.pass(30.0).await;
    for (api, kind, name) in
        [("apps/v1", "Deployment", "podinfo-primary"), ("v1", "Service", "podinfo-canary")]
    {
        let made = stage.cluster.get(api, kind, "test", name).await.unwrap();
        assert!(made.is_none(), "{kind} {name} was made");
    }
    let event = "spec.service.gatewayRefs names no parent for a new route";
    assert_eq!(stage.reported(NAME, event), 1);
    let parent = json!({"name": "public", "namespace": "gateway-system"});
    let named = json!({"spec": {"service": {"gatewayRefs": [parent]}}});
    stage.apply(NAME, &[&change, &named]).await;
    stage.until_phase(NAME, "Initialized").await;
}

#[tokio::test(start_paused = true)]
async fn weights_split_requests() {
    let mut stage = stage(json!({})).await;
    assert_eq!(share(&stage, &[]).await, 0);
    stage.push(NAME, "6.0.1").await;
    at_weight(&mut stage, 25).await;
    assert_eq!(share(&stage, &[]).await, 25);
    at_weight(&mut stage, 50).await;
    assert_eq!(share(&stage, &[]).await, 50);
    succeeds(stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_b_testing_sends_requests_that_match_to_the_canary() {
    let matches = json!([{"headers": {"x-user": {"exact": "insider"}}}]);
    let mut stage =
        stage(json!({"stepWeight": null, "maxWeight": null, "iterations": 3, "match": matches})).await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["iterations"] == 1).await;
    stage.pass(2.0).await;
    assert_eq!((share(&stage, &[("x-user", "insider")]).await, share(&stage, &[]).await), (100, 0));
    succeeds(stage).await;
}

#[tokio::test(start_paused = true)]
async fn mirroring_copies_requests_before_the_first_weight() {
    let mut stage = stage(json!({"mirror": true})).await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["phase"] == "Progressing").await;
    stage.pass(5.0).await;
    let filter = route(&stage).await["spec"]["rules"][0]["filters"][0].clone();
    assert_eq!(filter["requestMirror"]["backendRef"]["name"], "podinfo-canary", "{filter}");
    assert_eq!(share(&stage, &[]).await, 0);
    at_weight(&mut stage, 25).await;
    assert_eq!(route(&stage).await["spec"]["rules"][0].get("filters"), None);
    succeeds(stage).await;
}

#[tokio::test(start_paused = true)]
async fn session_affinity_keeps_clients_on_the_canary() {
    let affinity = json!({"cookieName": "flagger-cookie", "maxAge": 60});
    let mut stage = stage(json!({"sessionAffinity": affinity})).await;
    stage.push(NAME, "6.0.1").await;
    at_weight(&mut stage, 25).await;
    let mut cookie = String::new();
    for _ in 0..8 {
        let (version, cookies) = ask(&stage, &[]).await;
        assert_eq!(cookies.len(), usize::from(version == "6.0.1"));
        cookie = cookies.first().cloned().unwrap_or(cookie);
    }
    let (cookie, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Max-Age=60");
    assert_eq!(share(&stage, &[("cookie", cookie)]).await, 100);
    assert_eq!(share(&stage, &[]).await, 25);
    let cookie = cookie.to_owned();
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(2.0).await;
    let (_, cookies) = ask(&stage, &[("cookie", &cookie)]).await;
    assert_eq!(cookies, [format!("{cookie}; Max-Age=-1")]);
    succeeds(stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_route_of_the_user_keeps_everything_but_its_split() {
    let settings = Settings { system: System::GatewayApi(&[]), ..Settings::default() };
    let mut stage = Stage::with(settings).await;
    stage.answer_success(100.0);
    let filter = json!({"type": "ResponseHeaderModifier",
                        "responseHeaderModifier": {"set": [{"name": "x-team", "value": "blue"}]}});
    let own = json!({
        "apiVersion": ROUTE.0, "kind": ROUTE.1, "metadata": {"name": NAME, "namespace": "test"},
        "spec": {
            "parentRefs": [{"name": "public", "namespace": "gateway-system"}], "hostnames": ["app.example.com"],
            "rules": [
                {"matches": [{"path": {"type": "Exact", "value": "/old"}}],
                 "filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "new.example.com"}}]},
                {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "filters": [filter],
                 "timeouts": {"request": "5s"}, "backendRefs": [{"name": NAME, "port": 80}]},
            ],
        },
    });
    stage.cluster.apply_yaml(&own.to_string()).await.unwrap();
    let before = route(&stage).await["spec"].clone();
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"provider": "gatewayapi"}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    at_weight(&mut stage, 25).await;
    assert_eq!(share(&stage, &[]).await, 25);
    let mut live = route(&stage).await["spec"].clone();
    assert_eq!(live["rules"][1]["backendRefs"][0]["name"], NAME);
    live["rules"][1]["backendRefs"] = before["rules"][1]["backendRefs"].clone();
    assert_eq!(live, before);
    succeeds(stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_accept_the_route_holds_the_steps() {
    let mut stage = stage(json!({})).await;
    stage
        .cluster
        .delete("gateway.networking.k8s.io/v1", "Gateway", "gateway-system", "public")
        .await
        .unwrap();
    stage.pass(2.0).await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Failed").await;
    let events = stage.story(NAME).events;
    let why = "Gateway gateway-system/public does not apply HTTPRoute podinfo.test: Accepted is False, \
               NoMatchingParent: there is no such Gateway";
    assert!(events.iter().any(|(event, _)| event.contains(why)), "{events:?}");
    stage.check_laws(NAME);
}

/// A process that has only seen the step wait for the gateway knows that the routes were in sync all the same.
#[tokio::test(start_paused = true)]
async fn an_edit_of_a_route_that_no_gateway_accepts_is_reported() {
    let mut stage = stage(json!({})).await;
    stage.push(NAME, "6.0.1").await;
    at_weight(&mut stage, 25).await;
    stage.kill().await;
    let gateway = ("gateway.networking.k8s.io/v1", "Gateway", "gateway-system", "public");
    stage.cluster.delete(gateway.0, gateway.1, gateway.2, gateway.3).await.unwrap();
    stage.pass(1.0).await;
    stage.start();
    stage.pass(2.0).await;
    let mut rules = route(&stage).await["spec"]["rules"].clone();
    for backend in rules[0]["backendRefs"].as_array_mut().unwrap() {
        backend["weight"] = json!(50);
    }
    let edit = json!({"spec": {"rules": rules}});
    stage.cluster.merge(ROUTE, ("test", NAME), &edit).await.unwrap();
    stage.pass(2.0).await;
    assert_eq!(route(&stage).await["spec"]["rules"][0]["backendRefs"][1]["weight"], 25);
    assert_eq!(stage.reported(NAME, "were changed by someone else"), 1, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}
