//! An object that has the name of a primary before the Canary exists: it is left alone unless the Canary owns it.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Running};

use crate::{
    cluster::Stage,
    pod_labels::{DEPLOYMENT, SERVICE, apply, deployment, live},
};

const NAME: &str = "podinfo";
const PRIMARY: &str = "podinfo-primary";

/// A Deployment of the primary's name, with other pods.
fn existing(owner: Option<Value>, app: &str) -> Value {
    let mut existing = deployment(PRIMARY, json!({"app": app}), "5.0.0");
    if let Some(owner) = owner {
        existing["metadata"]["ownerReferences"] = json!([owner]);
    }
    existing
}

fn owner(version: &str, kind: &str, name: &str, uid: &Value) -> Value {
    json!({"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": true})
}

fn of_canary(uid: &Value) -> Value {
    owner("flagger.app/v1beta1", "Canary", NAME, uid)
}

/// A target, a Service of the user that selects it, clients of that Service, an object of the primary's name and the
/// Canary.
async fn open(stage: &mut Stage, existing: &Value) -> Running {
    stage.answer_success(100.0);
    stage.start();
    let apex = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": "test"},
        "spec": {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80, "targetPort": 9898}]},
    });
    apply(stage, &apex).await;
    apply(stage, existing).await;
    apply(stage, &deployment(NAME, json!({"app": NAME}), "6.0.0")).await;
    stage.pass(5.0).await;
    let load = Load::new("http://podinfo.test/").host("podinfo.test").per_second(10);
    let load = stage.cluster.load(load.lasting(Duration::from_secs(3_600)));
    let analysis = json!({"iterations": 2, "stepWeight": null, "maxWeight": null});
    stage.apply(NAME, &[&json!({"spec": {"provider": "kubernetes", "analysis": analysis}})]).await;
    load
}

async fn image(stage: &Stage, name: &str) -> Value {
    live(stage, DEPLOYMENT, name).await["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

#[tokio::test(start_paused = true)]
async fn one_of_another_owner_is_left_alone_until_it_is_gone() {
    for (is_owned, text) in [
        (false, "is controlled by no Canary and is left alone"),
        (true, "is controlled by ConfigMap theirs and is left alone"),
    ] {
        let mut stage = Stage::open().await;
        let metadata = json!({"name": "theirs", "namespace": "test"});
        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        apply(&stage, &theirs).await;
        let uid = live(&stage, ("v1", "ConfigMap"), "theirs").await["metadata"]["uid"].clone();
        let owner = is_owned.then(|| owner("v1", "ConfigMap", "theirs", &uid));
        let load = open(&mut stage, &existing(owner, "theirs")).await;
        stage.pass(600.0).await;
        let story = stage.story(NAME).text();
        assert_eq!(stage.reported(NAME, text), 1, "{story}");
        assert_eq!(image(&stage, PRIMARY).await, "stefanprodan/podinfo:5.0.0", "{story}");
        assert_eq!(live(&stage, SERVICE, NAME).await["spec"]["selector"], json!({"app": NAME}), "{story}");
        assert_eq!(live(&stage, DEPLOYMENT, NAME).await["spec"]["replicas"], 2, "{story}");
        assert!(stage.cluster.delete(DEPLOYMENT.0, DEPLOYMENT.1, "test", PRIMARY).await.unwrap());
        stage.until_phase(NAME, "Initialized").await;
        assert_eq!(image(&stage, PRIMARY).await, "stefanprodan/podinfo:6.0.0");
        let tally = load.tally();
        assert_eq!((tally.errors(), tally.by_version.get("5.0.0")), (0, None), "{tally:?}");
        stage.check_laws(NAME);
    }
}

/// Restored from a backup without its owner: the user adds it. What it runs is not what the target is, so
/// clients get that only through a rollout.
#[tokio::test(start_paused = true)]
async fn one_that_gets_the_canary_as_owner_is_used() {
    let mut stage = Stage::open().await;
    let load = open(&mut stage, &existing(None, PRIMARY)).await;
    stage.pass(60.0).await;
    let uid = stage.canary(NAME).await["metadata"]["uid"].clone();
    let owned = json!({"metadata": {"ownerReferences": [of_canary(&uid)]}});
    stage.cluster.merge(DEPLOYMENT, ("test", PRIMARY), &owned).await.unwrap();
    stage.pass(300.0).await;
    let story = stage.story(NAME).text();
    assert_eq!(image(&stage, PRIMARY).await, "stefanprodan/podinfo:6.0.0", "{story}");
    let phase = stage.canary(NAME).await["status"]["phase"].clone();
    assert!(phase == "Initialized" || phase == "Succeeded", "{story}");
    assert_eq!(load.tally().errors(), 0, "{:?} {story}", load.tally());
    stage.check_laws(NAME);
}

/// It belonged to a Canary of the same name that was deleted, so it is about to be collected.
#[tokio::test(start_paused = true)]
async fn one_of_an_earlier_canary_is_made_anew() {
    let mut stage = Stage::open().await;
    let load = open(&mut stage, &existing(Some(of_canary(&json!("gone"))), "theirs")).await;
    stage.until_phase(NAME, "Initialized").await;
    assert_eq!(image(&stage, PRIMARY).await, "stefanprodan/podinfo:6.0.0", "{}", stage.story(NAME).text());
    assert_eq!(load.tally().errors(), 0, "{:?}", load.tally());
    stage.check_laws(NAME);
}
