//! ConfigMaps and Secrets of a target: a change is a revision like any other, and the primary has copies.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    cluster::{OPERATOR, Stage, manifests},
    pod_labels::{DEPLOYMENT, apply, deployment, live, watch},
};

mod limits;

const NAME: &str = "podinfo";
const CONFIG_MAP: (&str, &str) = ("v1", "ConfigMap");
const SECRET: (&str, &str) = ("v1", "Secret");

fn config(name: &str, content: &Value) -> Value {
    let mut object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "test"}});
    manifests::merge(&mut object, content);
    object
}

pub(crate) fn color(color: &str) -> Value {
    config("web", &json!({"data": {"color": color}}))
}

fn secret(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "test"}, "type": "Opaque",
        "data": {"token": value},
    })
}

/// The target, with these fields of its container and of its pods.
fn target(container: &Value, pods: &Value) -> Value {
    let mut target = deployment(NAME, json!({"app": NAME}), "6.0.0");
    manifests::merge(&mut target["spec"]["template"]["spec"]["containers"][0], container);
    manifests::merge(&mut target["spec"]["template"]["spec"], pods);
    target
}

fn from_map(name: &str) -> Value {
    json!({"envFrom": [{"configMapRef": {"name": name}}]})
}

/// An initialised Canary whose target uses the ConfigMap `web`, in red.
async fn tracking() -> Stage {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &color("red")).await;
    start(&mut stage, &target(&from_map("web"), &json!({}))).await;
    stage
}

async fn start(stage: &mut Stage, target: &Value) {
    apply(stage, target).await;
    watch(stage, NAME, &json!({})).await;
    stage.until_phase(NAME, "Initialized").await;
}

async fn copy_of(stage: &Stage, kind: (&str, &str), name: &str) -> Value {
    live(stage, kind, &format!("{name}-primary")).await
}

async fn status(stage: &Stage) -> Value {
    stage.canary(NAME).await["status"].clone()
}

/// Requests of the operator that are no watches.
fn requests(stage: &Stage) -> usize {
    let entries = stage.cluster.server().audit().of(OPERATOR);
    entries.iter().filter(|entry| entry.verb != "watch" && entry.resource != "leases").count()
}

#[tokio::test(start_paused = true)]
async fn every_reference_is_copied_and_the_primary_uses_the_copies() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    for name in ["env", "from", "volume", "projected", "init", "off", "optional"] {
        let annotations =
            if name == "off" { json!({"flagger.app/config-tracking": "disabled"}) } else { json!({}) };
        let metadata = json!({"metadata": {"annotations": annotations}});
        let mut map =
            config(name, &json!({"data": {"k": name}, "binaryData": {"logo": "AAEC"}, "immutable": true}));
        manifests::merge(&mut map, &metadata);
        if name != "optional" {
            apply(&stage, &map).await;
        }
        let mut key = secret(name, "TUFSS0VS");
        manifests::merge(&mut key, &metadata);
        apply(&stage, &key).await;
    }
    let mut token = secret("pull", "e30=");
    token["type"] = json!("kubernetes.io/dockerconfigjson");
    token["data"] = json!({".dockerconfigjson": "e30="});
    apply(&stage, &token).await;
    let of = |suffix: &str| {
        let tracked = |name: &str| format!("{name}{suffix}");
        let init = json!({"name": "init", "image": "init", "env": [
            {"name": "I", "valueFrom": {"configMapKeyRef": {"name": tracked("init"), "key": "k"}}},
            {"name": "J", "valueFrom": {"secretKeyRef": {"name": tracked("init"), "key": "token"}}},
        ]});
        let container = json!({
            "env": [
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": tracked("env"), "key": "k"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": tracked("env"), "key": "token"}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "optional", "key": "k", "optional": true}}},
            ],
            "envFrom": [
                {"configMapRef": {"name": tracked("from")}}, {"secretRef": {"name": tracked("from")}},
                {"configMapRef": {"name": "off"}}, {"secretRef": {"name": "off"}}, {"secretRef": {"name": "pull"}},
            ],
        });
        let sources = json!([{"configMap": {"name": tracked("projected")}}, {"secret": {"name": tracked("projected")}}]);
        let volumes = json!([
            {"name": "a", "configMap": {"name": tracked("volume")}},
            {"name": "b", "secret": {"secretName": tracked("volume")}},
            {"name": "c", "projected": {"sources": sources}},
        ]);
        target(&container, &json!({"initContainers": [init], "volumes": volumes}))
    };
    start(&mut stage, &of("")).await;

    let names = |object: &Value| {
        let spec = &object["spec"]["template"]["spec"];
        let text = |field: &str| spec[field].to_string();
        let mut names: Vec<String> = [text("containers"), text("initContainers"), text("volumes")]
            .join("")
            .split("ame\":\"")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect();
        names.sort();
        names
    };
    let primary = live(&stage, DEPLOYMENT, "podinfo-primary").await;
    assert_eq!(names(&primary), names(&of("-primary")));
    for name in ["env", "from", "volume", "projected", "init"] {
        let copy = copy_of(&stage, CONFIG_MAP, name).await;
        assert_eq!((&copy["data"], &copy["binaryData"]), (&json!({"k": name}), &json!({"logo": "AAEC"})));
        assert_eq!(copy["immutable"], Value::Null);
        assert_eq!(copy["metadata"]["ownerReferences"][0]["kind"], "Canary");
        let copy = copy_of(&stage, SECRET, name).await;
        assert_eq!((&copy["data"], &copy["type"]), (&json!({"token": "TUFSS0VS"}), &json!("Opaque")));
    }
    for (kind, name) in [(CONFIG_MAP, "off"), (SECRET, "off"), (SECRET, "pull"), (CONFIG_MAP, "optional")] {
        assert_eq!(copy_of(&stage, kind, name).await, Value::Null, "{name}");
    }
    let tracked = status(&stage).await["trackedConfigs"].clone();
    assert_eq!(tracked.as_object().unwrap().len(), 10, "{tracked}");
    assert_eq!(tracked["secret/optional"], Value::Null);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_changed_config_map_is_analysed_and_promoted() {
    let mut stage = tracking().await;
    assert_eq!(status(&stage).await["trackedConfigs"], json!({"configmap/web": "241889ca0604e333"}));
    let image = |object: &Value| object["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    apply(&stage, &color("green")).await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    let copy = copy_of(&stage, CONFIG_MAP, "web").await;
    assert_eq!(copy["data"]["color"], "red", "the primary keeps what it has while the change is analysed");
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"]["color"], "green");
    assert_eq!(image(&live(&stage, DEPLOYMENT, "podinfo-primary").await), "stefanprodan/podinfo:6.0.0");
    assert_ne!(status(&stage).await["trackedConfigs"], json!({"configmap/web": "241889ca0604e333"}));
    assert_eq!(stage.reported(NAME, "New revision detected! Scaling up podinfo.test"), 1);
    stage.check_laws(NAME);

    // What is deleted or edited is restored from what was promoted.
    let promoted = copy_of(&stage, CONFIG_MAP, "web").await["data"].clone();
    stage
        .cluster
        .merge(CONFIG_MAP, ("test", "web-primary"), &json!({"data": {"color": "by hand"}}))
        .await
        .unwrap();
    stage.pass(10.0).await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"], promoted);
    stage.cluster.delete("v1", "ConfigMap", "test", "web-primary").await.unwrap();
    stage.pass(10.0).await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"], promoted);

    // Nothing is read while nothing changes.
    let before = requests(&stage);
    stage.pass(600.0).await;
    assert_eq!(requests(&stage) - before, 0);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_leaves_the_copies_as_they_are() {
    let mut stage = tracking().await;
    stage.answer_success(10.0);
    stage.kill().await;
    stage.start();
    apply(&stage, &color("green")).await;
    stage.until_phase(NAME, "Failed").await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"]["color"], "red");
    // A copy that is lost now cannot be restored: its source has another content.
    stage.cluster.delete("v1", "ConfigMap", "test", "web-primary").await.unwrap();
    stage.pass(30.0).await;
    assert_eq!(stage.reported(NAME, "the primary uses ConfigMap web-primary.test, which does not exist"), 1);
    // The user takes the change back: nothing to analyse, and the copy is restored.
    apply(&stage, &color("red")).await;
    stage.pass(30.0).await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"]["color"], "red");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_taken_back_ends_the_rollout() {
    let mut stage = tracking().await;
    apply(&stage, &color("green")).await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    apply(&stage, &color("red")).await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"]["color"], "red");
    assert_eq!(status(&stage).await["trackedConfigs"], json!({"configmap/web": "241889ca0604e333"}));
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn copies_that_nothing_uses_any_more_are_deleted() {
    let mut stage = tracking().await;
    let config = json!({"envFrom": [{"secretRef": {"name": "key"}}]});
    apply(&stage, &secret("key", "TUFSS0VS")).await;
    apply(&stage, &target(&config, &json!({}))).await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(30.0).await;
    assert_eq!(copy_of(&stage, SECRET, "key").await["data"]["token"], "TUFSS0VS");
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await, Value::Null);
    assert_eq!(live(&stage, CONFIG_MAP, "web").await["data"]["color"], "red", "the user's is kept");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_config_map_that_is_missing_is_named_and_awaited() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &target(&from_map("web"), &json!({}))).await;
    watch(&stage, NAME, &json!({})).await;
    stage.pass(60.0).await;
    let text = "configmap web.test get query error: configmaps \"web\" not found";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    assert_eq!(live(&stage, DEPLOYMENT, "podinfo-primary").await, Value::Null);
    apply(&stage, &color("red")).await;
    stage.until_phase(NAME, "Initialized").await;
}

#[tokio::test(start_paused = true)]
async fn an_object_of_the_user_with_the_name_of_a_copy_is_left_alone() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &color("red")).await;
    apply(&stage, &config("web-primary", &json!({"data": {"mine": "yes"}}))).await;
    apply(&stage, &target(&from_map("web"), &json!({}))).await;
    watch(&stage, NAME, &json!({})).await;
    stage.pass(60.0).await;
    assert_eq!(stage.reported(NAME, "ConfigMap web-primary.test is controlled by no Canary"), 1);
    assert_eq!(copy_of(&stage, CONFIG_MAP, "web").await["data"], json!({"mine": "yes"}));
    stage.cluster.delete("v1", "ConfigMap", "test", "web-primary").await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
}
