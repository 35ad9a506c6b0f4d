//! Linkerd without its SMI extension: an HTTPRoute whose parent is the apex splits the requests of the mesh, and the
//! built-in checks ask for Linkerd's series all the same.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Settings, System, Tally};

use crate::{cluster::Stage, gateway_api::at_weight};

const NAME: &str = "podinfo";
const ROUTE: (&str, &str) = ("gateway.networking.k8s.io/v1", "HTTPRoute");
const SPLIT: (&str, &str) = ("split.smi-spec.io/v1alpha1", "TrafficSplit");

/// What such a Canary says, on top of what all say.
fn by_route() -> Value {
    let parent = json!({"group": "core", "kind": "Service", "name": NAME, "namespace": "test", "port": 80});
    json!({"spec": {"provider": "gatewayapi:v1", "service": {"gatewayRefs": [parent]}}})
}

/// A mesh that serves these, with an operator whose default is Linkerd, and a Canary that is initialised.
async fn stage(words: &'static [&'static str], changes: &[&Value]) -> Stage {
    let settings = Settings { system: System::Linkerd(words), ..Settings::default() };
    let mut stage = Stage::with(settings).await;
    stage.provider = "linkerd";
    stage.start();
    stage.apply(NAME, changes).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(2.0).await;
    stage
}

fn clients() -> Load {
    Load::new("http://podinfo.test/").per_second(20).lasting(Duration::from_secs(7_200))
}

/// How many of a hundred requests with these headers the new version answers.
async fn share(stage: &Stage, headers: &[(&str, &str)]) -> u64 {
    let load = Load::new("http://podinfo.test/").per_second(1_000).requests(100);
    let load = headers.iter().fold(load, |load, (name, value)| load.header(*name, *value));
    let tally: Tally = stage.cluster.load(load).finished().await;
    assert_eq!(tally.errors(), 0, "{tally:?}");
    tally.by_version.get("6.0.1").copied().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn a_route_of_the_apex_splits_requests_and_linkerds_series_decide() {
    let mut stage = stage(&["HTTPRoute"], &[&by_route()]).await;
    let site = stage.cluster.load(clients());
    assert_eq!(share(&stage, &[]).await, 0);
    stage.push(NAME, "6.0.1").await;
    for weight in [25, 50] {
        at_weight(&mut stage, weight).await;
        let share = share(&stage, &[]).await;
        assert!(share.abs_diff(weight) <= 1, "{share} of {weight}");
    }
    stage.until_phase(NAME, "Succeeded").await;
    let story = stage.story(NAME);
    assert!(!story.text().contains("Halt"), "{}", story.text());
    assert_eq!(site.tally().errors(), 0, "{:?}", site.tally());

    stage.push(NAME, "bad-6.0.2").await;
    stage.until_phase(NAME, "Progressing").await;
    stage.until_phase(NAME, "Failed").await;
    let story = stage.story(NAME);
    assert!(story.text().contains("advancement success rate"), "{}", story.text());
    let tally = site.tally();
    assert_eq!(tally.errors(), tally.errors_by_version.get("bad-6.0.2").copied().unwrap_or(0), "{tally:?}");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_b_testing_sends_requests_that_match_to_the_canary() {
    let matches = json!([{"headers": {"x-user": {"exact": "insider"}}}]);
    let analysis = json!({"stepWeight": null, "maxWeight": null, "iterations": 3, "match": matches});
    let analysis = json!({"spec": {"analysis": analysis}});
    let mut stage = stage(&["HTTPRoute"], &[&by_route(), &analysis]).await;
    let _site = stage.cluster.load(clients().header("x-user", "insider"));
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["iterations"] == 1).await;
    stage.pass(2.0).await;
    assert_eq!((share(&stage, &[("x-user", "insider")]).await, share(&stage, &[]).await), (100, 0));
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

/// A ServiceProfile, which a TrafficSplit becomes, wins over routes: the split must go, and nothing be lost meanwhile.
#[tokio::test(start_paused = true)]
async fn a_canary_moves_from_the_smi_extension_to_the_gateway_api() {
    let mut stage = stage(&["v1alpha1", "HTTPRoute"], &[&json!({"spec": {"provider": "linkerd"}})]).await;
    let site = stage.cluster.load(clients());
    assert!(stage.cluster.get(SPLIT.0, SPLIT.1, "test", NAME).await.unwrap().is_some());
    let canary = ("flagger.app/v1beta1", "Canary");
    stage.cluster.merge(canary, ("test", NAME), &by_route()).await.unwrap();
    stage.pass(30.0).await;
    assert!(stage.cluster.get(ROUTE.0, ROUTE.1, "test", NAME).await.unwrap().is_some());
    assert!(stage.cluster.get(SPLIT.0, SPLIT.1, "test", NAME).await.unwrap().is_none());
    stage.push(NAME, "6.0.1").await;
    at_weight(&mut stage, 25).await;
    let share = share(&stage, &[]).await;
    assert!(share.abs_diff(25) <= 1, "{share}");
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(site.tally().errors(), 0, "{:?}", site.tally());
    stage.check_laws(NAME);
}
