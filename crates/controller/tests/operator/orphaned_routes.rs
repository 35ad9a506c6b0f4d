//! Kuma's routes can have no owner: they are deleted after their Canary, also if no operator ran then, and never
//! otherwise.

use serde_json::{Value, json};
use vexil_kube::Scope;
use vexil_testbed_cluster::{Settings, System};

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const ROUTE: (&str, &str) = ("kuma.io/v1alpha1", "TrafficRoute");
const MESH_ROUTE: (&str, &str) = ("kuma.io/v1alpha1", "MeshHTTPRoute");

async fn stage(kinds: &'static [&'static str]) -> Stage {
    let mut stage = Stage::with(Settings { system: System::Kuma(kinds), ..Settings::default() }).await;
    stage.provider = "kuma";
    stage
}

/// A Canary whose provider is Kuma, at rest, with its route.
async fn initialised(stage: &mut Stage) {
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"provider": "kuma"}})]).await;
    stage.until_phase(NAME, "Initialized").await;
}

async fn route(stage: &Stage) -> Option<Value> {
    stage.cluster.get(ROUTE.0, ROUTE.1, "", NAME).await.unwrap()
}

async fn delete_canary(stage: &Stage) {
    assert!(stage.cluster.delete("flagger.app/v1beta1", "Canary", "test", NAME).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_route_goes_with_its_canary() {
    let mut stage = stage(&["TrafficRoute"]).await;
    initialised(&mut stage).await;
    assert!(route(&stage).await.is_some());
    delete_canary(&stage).await;
    stage.pass(5.0).await;
    assert_eq!(route(&stage).await, None);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_route_in_the_system_namespace_goes_with_its_canary() {
    let mut stage = stage(&["MeshHTTPRoute"]).await;
    initialised(&mut stage).await;
    let name = format!("{NAME}.test");
    let get = async |stage: &Stage| {
        stage.cluster.get(MESH_ROUTE.0, MESH_ROUTE.1, "kuma-system", &name).await.unwrap()
    };
    assert!(get(&stage).await.is_some());
    delete_canary(&stage).await;
    stage.pass(5.0).await;
    assert_eq!(get(&stage).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_route_whose_canary_was_deleted_while_no_operator_ran_is_deleted_at_start() {
    let mut stage = stage(&["TrafficRoute"]).await;
    initialised(&mut stage).await;
    stage.kill().await;
    delete_canary(&stage).await;
    stage.pass(5.0).await;
    assert!(route(&stage).await.is_some());
    stage.start();
    stage.pass(5.0).await;
    assert_eq!(route(&stage).await, None);
}

/// Its marks name the new one, so a late deletion finds it claimed.
#[tokio::test(start_paused = true)]
async fn a_canary_that_was_made_again_has_a_route() {
    let mut stage = stage(&["TrafficRoute"]).await;
    initialised(&mut stage).await;
    stage.kill().await;
    delete_canary(&stage).await;
    stage.pass(5.0).await;
    initialised(&mut stage).await;
    stage.pass(30.0).await;
    let (route, canary) = (route(&stage).await.unwrap(), stage.canary(NAME).await);
    let uid = &route["metadata"]["labels"]["flagger.app/canary-uid"];
    assert_eq!(*uid, canary["metadata"]["uid"]);
}

#[tokio::test(start_paused = true)]
async fn a_users_own_route_stays() {
    let mut stage = stage(&["TrafficRoute"]).await;
    let own = json!({
        "apiVersion": ROUTE.0, "kind": ROUTE.1, "metadata": {"name": "theirs"}, "mesh": "default",
        "spec": {
            "sources": [{"match": {"kuma.io/service": "*"}}],
            "destinations": [{"match": {"kuma.io/service": "other_test_svc_80"}}],
            "conf": {"destination": {"kuma.io/service": "other_test_svc_80"}},
        },
    });
    stage.cluster.apply_yaml(&own.to_string()).await.unwrap();
    initialised(&mut stage).await;
    delete_canary(&stage).await;
    stage.pass(5.0).await;
    assert!(stage.cluster.get(ROUTE.0, ROUTE.1, "", "theirs").await.unwrap().is_some());
}

/// Its rights may not even let it look.
#[tokio::test(start_paused = true)]
async fn an_operator_without_kuma_canaries_does_not_read_its_routes() {
    let mut stage = stage(&["TrafficRoute"]).await;
    stage.provider = "traefik";
    stage.start();
    stage.pass(30.0).await;
    let entries = stage.cluster.server().audit().of(crate::cluster::OPERATOR);
    assert!(!entries.iter().any(|entry| entry.group == "kuma.io"));
}

/// What it does not watch it does not know, and what is not known is not gone.
#[tokio::test(start_paused = true)]
async fn an_operator_of_another_namespace_sweeps_nothing() {
    let mut stage = stage(&["TrafficRoute"]).await;
    initialised(&mut stage).await;
    stage.kill().await;
    stage.scope = Scope::Namespace("default".to_owned());
    delete_canary(&stage).await;
    stage.start();
    stage.pass(60.0).await;
    assert!(route(&stage).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn while_it_is_idle_nothing_is_asked() {
    let mut stage = stage(&["TrafficRoute"]).await;
    initialised(&mut stage).await;
    stage.pass(30.0).await;
    let asked = |stage: &Stage| {
        let entries = stage.cluster.server().audit().of(crate::cluster::OPERATOR);
        entries.iter().filter(|entry| !entry.line().contains("watch")).count()
    };
    let before = asked(&stage);
    stage.pass(120.0).await;
    assert_eq!(asked(&stage), before);
}
