//! What is missing, refused or broken when a Canary is deleted does not keep it.

use serde_json::{Value, json};

use super::{CANARY, NAME, SMI, delete, gone, refused};
use crate::{
    cluster::Stage,
    pod_labels::{DEPLOYMENT, SERVICE, live},
};

/// What is wrong when the Canary is deleted.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    NoTarget,
    NoPrimary,
    NoApex,
    NoRoute,
    NoDefinitions,
    NoRights(&'static str, &'static str),
    InvalidSpec,
    Suspended,
    NotReady,
    NoOperator,
    NoOwnStatus,
}

impl Trouble {
    async fn arrange(self, stage: &mut Stage) {
        match self {
            Trouble::NoTarget => delete(stage, DEPLOYMENT, NAME).await,
            Trouble::NoPrimary => {
                stage.kill().await;
                delete(stage, DEPLOYMENT, "podinfo-primary").await;
            }
            Trouble::NoApex => delete(stage, SERVICE, NAME).await,
            Trouble::NoRoute => {
                stage.kill().await;
                delete(stage, ("split.smi-spec.io/v1alpha2", "TrafficSplit"), NAME).await;
            }
            Trouble::NoDefinitions => stage.cluster.remove_crds().await.unwrap(),
            Trouble::NoRights(resource, subresource) => {
                stage.cluster.server().faults().push(refused(resource, subresource));
            }
            Trouble::InvalidSpec => {
                let change = json!({"spec": {"analysis": {"metrics": [{"name": "nothing"}]}}});
                stage.cluster.merge(CANARY, ("test", NAME), &change).await.unwrap();
                stage.pass(2.0).await;
            }
            Trouble::Suspended => {
                let change = json!({"spec": {"suspend": true}});
                stage.cluster.merge(CANARY, ("test", NAME), &change).await.unwrap();
                stage.pass(2.0).await;
            }
            Trouble::NotReady => stage.push(NAME, "broken").await,
            Trouble::NoOperator => stage.kill().await,
            Trouble::NoOwnStatus => {
                stage.kill().await;
                let status =
                    json!({"status": {"run": null, "binding": null, "limits": null, "primarySpec": null}});
                stage.patch_status(NAME, &status).await;
            }
        }
    }
}

/// Deletes the Canary in trouble; it is gone after at most so many seconds, and the target serves if it is there.
async fn check(trouble: Trouble, most: u64) {
    let what = format!("{trouble:?}");
    let mut stage = SMI.initialised(json!({})).await;
    trouble.arrange(&mut stage).await;
    delete(&stage, CANARY, NAME).await;
    stage.pass(5.0).await;
    if matches!(trouble, Trouble::NoPrimary | Trouble::NoRoute | Trouble::NoOperator | Trouble::NoOwnStatus) {
        stage.start();
    }
    gone(&mut stage, most, &what).await;
    stage.pass(30.0).await;
    assert_eq!(live(&stage, DEPLOYMENT, "podinfo-primary").await, Value::Null, "{what}");
    let (target, service) = (live(&stage, DEPLOYMENT, NAME).await, live(&stage, SERVICE, NAME).await);
    let written =
        |resource| !matches!(trouble, Trouble::NoRights(of, _) if of == resource || of == "canaries");
    if !target.is_null() && written("deployments") {
        // Without a primary nothing says how many there were.
        let replicas = if matches!(trouble, Trouble::NoPrimary) { 1 } else { 2 };
        assert_eq!(target["spec"]["replicas"], replicas, "{what}\n{}", stage.story(NAME).text());
    }
    if !service.is_null() && written("services") {
        assert_eq!(service["spec"]["selector"], json!({"app": NAME}), "{what}\n{}", stage.story(NAME).text());
    }
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_missing_or_refused_keeps_a_deleted_canary() {
    check(Trouble::NoTarget, 30).await;
    check(Trouble::NoPrimary, 30).await;
    check(Trouble::NoApex, 30).await;
    check(Trouble::NoRoute, 30).await;
    check(Trouble::NoDefinitions, 30).await;
    check(Trouble::NoRights("deployments", ""), 150).await;
    check(Trouble::NoRights("services", ""), 150).await;
    check(Trouble::NoRights("trafficsplits", ""), 150).await;
    check(Trouble::NoRights("canaries", "status"), 150).await;
    check(Trouble::NoRights("events", ""), 60).await;
    check(Trouble::InvalidSpec, 30).await;
    check(Trouble::Suspended, 30).await;
    check(Trouble::NotReady, 120).await;
    check(Trouble::NoOperator, 60).await;
    check(Trouble::NoOwnStatus, 30).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_become_ready_is_named() {
    let mut stage = SMI.initialised(json!({})).await;
    Trouble::NotReady.arrange(&mut stage).await;
    delete(&stage, CANARY, NAME).await;
    stage.pass(30.0).await;
    let status = stage.canary(NAME).await["status"].clone();
    assert_eq!((&status["phase"], &status["wait"]["kind"]), (&json!("Terminating"), &json!("canary")));
    gone(&mut stage, 120, "not ready").await;
    assert_eq!(stage.reported(NAME, "Terminating podinfo.test does not wait any longer: "), 1);
}
