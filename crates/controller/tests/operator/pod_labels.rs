//! One label is not an identity: a Canary has pods of its own, whatever else runs in its namespace.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use crate::cluster::{Stage, manifests};

const NAME: &str = "podinfo";
pub const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");
pub const SERVICE: (&str, &str) = ("v1", "Service");

/// A Deployment whose pods have these labels, by which it selects them.
pub fn deployment(name: &str, labels: Value, tag: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "test", "labels": labels},
        "spec": {
            "replicas": 2, "progressDeadlineSeconds": 60, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "podinfod", "image": format!("stefanprodan/podinfo:{tag}"),
                    "ports": [{"name": "http", "containerPort": 9898}],
                }]},
            },
        },
    })
}

pub async fn apply(stage: &Stage, object: &Value) {
    stage.cluster.apply_yaml(&object.to_string()).await.unwrap();
}

/// A Canary with changes merged into it, for a target that is there.
pub async fn watch(stage: &Stage, name: &str, change: &Value) {
    stage.cluster.apply_yaml(&manifests::site(name)).await.unwrap();
    let mut canary = manifests::canary(name);
    manifests::merge(&mut canary, change);
    apply(stage, &canary).await;
}

pub async fn live(stage: &Stage, kind: (&str, &str), name: &str) -> Value {
    stage.cluster.get(kind.0, kind.1, "test", name).await.unwrap().unwrap_or_default()
}

async fn selects(stage: &Stage, service: &str) -> Value {
    live(stage, SERVICE, service).await["spec"]["selector"].clone()
}

/// Requests to the site of a Canary for an hour.
fn clients(name: &str) -> Load {
    Load::of_site(&format!("{name}.example.com")).per_second(5).lasting(Duration::from_secs(3_600))
}

#[tokio::test(start_paused = true)]
async fn clients_of_one_release_of_a_chart_never_reach_the_other() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    for (name, instance, tag) in [("web-a", "a", "6.0.0"), ("web-b", "b", "7.0.0")] {
        apply(&stage, &deployment(name, json!({"name": "web", "instance": instance}), tag)).await;
        watch(&stage, name, &json!({})).await;
    }
    for (name, instance) in [("web-a", "a"), ("web-b", "b")] {
        stage.until_phase(name, "Initialized").await;
        let primary = json!({"name": "web-primary", "instance": instance});
        assert_eq!(selects(&stage, name).await, primary);
        assert_eq!(selects(&stage, &format!("{name}-primary")).await, primary);
        let canary = json!({"name": "web", "instance": instance});
        assert_eq!(selects(&stage, &format!("{name}-canary")).await, canary);
    }
    let (of_a, of_b) = (stage.cluster.load(clients("web-a")), stage.cluster.load(clients("web-b")));
    stage.push("web-a", "6.0.1").await;
    stage.until_phase("web-a", "Succeeded").await;
    let (of_a, of_b) = (of_a.tally(), of_b.tally());
    assert_eq!((of_a.errors(), of_b.errors()), (0, 0));
    assert_eq!(of_a.by_version.keys().collect::<Vec<_>>(), ["6.0.0", "6.0.1"]);
    assert_eq!(of_b.by_version.keys().collect::<Vec<_>>(), ["7.0.0"]);
    stage.check_laws("web-a");
    stage.check_laws("web-b");
}

#[tokio::test(start_paused = true)]
async fn pods_of_the_worker_are_no_endpoints_of_the_web() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &deployment("shop-worker", json!({"app": "shop", "component": "worker"}), "1.0.0")).await;
    apply(&stage, &deployment("shop-web", json!({"app": "shop", "component": "web"}), "6.0.0")).await;
    watch(&stage, "shop-web", &json!({})).await;
    stage.until_phase("shop-web", "Initialized").await;
    let load = stage.cluster.load(clients("shop-web"));
    stage.push("shop-web", "6.0.1").await;
    stage.until_phase("shop-web", "Succeeded").await;
    let tally = load.tally();
    assert_eq!((tally.errors(), tally.by_version.contains_key("1.0.0")), (0, false), "{tally:?}");
    stage.check_laws("shop-web");
}

/// Both Deployments select by the one label that they share: no Service could tell their pods apart.
#[tokio::test(start_paused = true)]
async fn a_target_with_the_labels_of_another_app_is_not_initialised_and_the_other_is_named() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &deployment("shop-worker", json!({"app": "shop", "component": "worker"}), "1.0.0")).await;
    apply(&stage, &deployment("shop-web", json!({"app": "shop"}), "6.0.0")).await;
    watch(&stage, "shop-web", &json!({})).await;
    stage.pass(120.0).await;
    let text = "the labels app=shop, by which pods of Deployment shop-web are selected, are also those of the pods of \
                Deployment shop-worker";
    assert_eq!(stage.reported("shop-web", text), 1, "{}", stage.story("shop-web").text());
    assert_eq!(live(&stage, DEPLOYMENT, "shop-web-primary").await, Value::Null);
    // Once there are no such pods, it goes on by itself.
    stage.change("shop-worker", &json!({"spec": {"replicas": 0}})).await;
    stage.until_phase("shop-web", "Initialized").await;
}

/// A pod that no Deployment has made, with the labels of the canary's pods.
#[tokio::test(start_paused = true)]
async fn a_pod_without_owner_behind_the_canary_service_is_reported_once() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    let container = json!({
        "name": "podinfod", "image": "stefanprodan/podinfo:1.0.0", "ports": [{"name": "http", "containerPort": 9898}],
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "debug", "namespace": "test", "labels": {"app": NAME}},
        "spec": {"containers": [container]},
    });
    apply(&stage, &pod).await;
    stage.pass(20.0).await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let text =
        "Service podinfo-canary selects pods that are not of Deployment podinfo, such as those of debug";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
}

/// The label is `web`, the Deployment `shop-web`: terms go by the label.
#[tokio::test(start_paused = true)]
async fn the_primary_spreads_by_its_own_label() {
    let mut stage = Stage::open().await;
    stage.start();
    let mut target = deployment("shop-web", json!({"app": "web"}), "6.0.0");
    let own = json!({"matchLabels": {"app": "web"}});
    let spread = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": own}]);
    let apart = json!([{"weight": 1, "podAffinityTerm": {"topologyKey": "host", "labelSelector": own}}]);
    let pods = &mut target["spec"]["template"]["spec"];
    pods["topologySpreadConstraints"] = spread;
    pods["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = apart;
    apply(&stage, &target).await;
    watch(&stage, "shop-web", &json!({})).await;
    stage.until_phase("shop-web", "Initialized").await;
    let primary = live(&stage, DEPLOYMENT, "shop-web-primary").await;
    let pods = &primary["spec"]["template"]["spec"];
    let own = json!({"matchLabels": {"app": "web-primary"}});
    assert_eq!(pods["topologySpreadConstraints"][0]["labelSelector"], own);
    let terms = &pods["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(terms[0]["podAffinityTerm"]["labelSelector"], own);
}

/// The target was made anew with one label more in its selector: the primary's pods do not have it yet.
#[tokio::test(start_paused = true)]
async fn a_primary_with_fewer_labels_serves_on_and_gets_the_others_by_the_next_promotion() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &deployment(NAME, json!({"app": NAME}), "6.0.0")).await;
    watch(&stage, NAME, &json!({})).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.kill().await;
    let load = stage.cluster.load(clients(NAME));
    stage.cluster.delete(DEPLOYMENT.0, DEPLOYMENT.1, "test", NAME).await.unwrap();
    stage.pass(5.0).await;
    apply(&stage, &deployment(NAME, json!({"app": NAME, "instance": "a"}), "6.0.1")).await;
    stage.start();
    stage.pass(5.0).await;
    let narrow = json!({"app": "podinfo-primary"});
    assert_eq!(selects(&stage, "podinfo-primary").await, narrow);
    assert_eq!(stage.reported(NAME, "do not have the labels instance=a"), 1, "{}", stage.story(NAME).text());
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(10.0).await;
    for service in [NAME, "podinfo-primary"] {
        assert_eq!(selects(&stage, service).await, json!({"app": "podinfo-primary", "instance": "a"}));
    }
    assert_eq!(selects(&stage, "podinfo-canary").await, json!({"app": NAME, "instance": "a"}));
    assert_eq!(load.tally().errors(), 0, "{:?}", load.tally());
    stage.check_laws(NAME);
}
