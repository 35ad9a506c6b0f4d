//! The two versions of a Canary on one server: what is written through one is whole through the other.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_kube::WriteError;
use vexil_object::{Precondition, Seen, kinds::CANARY};

use super::Stage;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const BETA: &str = "v1beta1";
const ALPHA: &str = "v1alpha3";

/// Applies the definition of the repository over an existing one: `v1beta1` alone, as Flagger's.
async fn define(stage: &Stage) {
    let crd = vexil_api::crds().unwrap().into_iter().find(|crd| crd.plural == "canaries").unwrap();
    if stage.cluster.fetch(&CANARY.definition()).await.unwrap() == Seen::Absent {
        let mut stored_alone = crd.manifest.clone();
        stored_alone["spec"]["versions"].as_array_mut().unwrap().truncate(1);
        // Another scenario on the same server may be first.
        let request = http::Request::post(CRDS).header("Content-Type", "application/json");
        let body = stored_alone.to_string().into_bytes();
        let _: Result<Value, _> = stage.client.request(request.body(body).unwrap()).await;
    }
    let path = format!("{CRDS}/{}", CANARY.definition().name());
    stage.merge(&path, json!({"spec": crd.manifest["spec"]})).await;
    for version in [BETA, ALPHA] {
        while get(stage, &all(stage, version)).await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn get(stage: &Stage, path: &str) -> Option<Value> {
    stage.client.request(http::Request::get(path).body(Vec::new()).unwrap()).await.ok()
}

fn all(stage: &Stage, version: &str) -> String {
    format!("/apis/flagger.app/{version}/namespaces/{}/canaries", stage.namespace)
}

fn path(stage: &Stage, version: &str, name: &str) -> String {
    format!("{}/{name}", all(stage, version))
}

/// How the object looks in each version; all but the version must be the same.
async fn both(stage: &Stage, name: &str) -> Value {
    let mut looks = Vec::new();
    for version in [BETA, ALPHA] {
        let mut object = get(stage, &path(stage, version, name)).await.unwrap();
        assert_eq!(object["apiVersion"], format!("flagger.app/{version}"));
        let fields = object.as_object_mut().unwrap();
        fields.remove("apiVersion");
        looks.push(object);
    }
    assert_eq!(looks[0], looks[1]);
    looks.remove(0)
}

/// A cell of the table that `kubectl get -o wide` shows.
async fn cell(stage: &Stage, version: &str, name: &str, column: &str) -> Value {
    let request = http::Request::get(path(stage, version, name))
        .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let table: Value = stage.client.request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap();
    let at = columns.iter().position(|c| c["name"] == column).unwrap();
    table["rows"][0]["cells"][at].clone()
}

/// The Canary of the guide for SMI Istio, as it is written there.
fn guide() -> Value {
    json!({
        "apiVersion": "flagger.app/v1alpha3",
        "kind": "Canary",
        "metadata": {"name": "podinfo"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "progressDeadlineSeconds": 60,
            "autoscalerRef": {
                "apiVersion": "autoscaling/v2beta1", "kind": "HorizontalPodAutoscaler", "name": "podinfo",
            },
            "service": {
                "port": 9898,
                "gateways": ["public-gateway.istio-system.svc.cluster.local"],
                "hosts": ["app.example.com"],
            },
            "canaryAnalysis": {
                "interval": "10s", "threshold": 5, "maxWeight": 50, "stepWeight": 10,
                "metrics": [
                    {"name": "request-success-rate", "threshold": 99, "interval": "1m"},
                    {"name": "request-duration", "threshold": 500, "interval": "30s"},
                ],
                "webhooks": [{
                    "name": "load-test", "url": "http://flagger-loadtester.test/", "timeout": "5s",
                    "metadata": {"cmd": "hey -z 1m -q 10 -c 2 http://podinfo.test:9898/"},
                }],
            },
        },
    })
}

/// A status with the fields of Flagger, and with those that only Vexil has.
fn remembered(phase: &str) -> Value {
    let condition = json!({
        "type": "Promoted", "status": "Unknown", "reason": phase, "message": "New revision detected.",
        "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    json!({
        "phase": phase, "canaryWeight": 20, "failedChecks": 1, "iterations": 0,
        "trackedConfigs": {"configmap/podinfo": "0b1f6a2c9d3e4f58"},
        "lastAppliedSpec": "v1-a", "lastPromotedSpec": "v1-b", "primarySpec": "v1-b",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "conditions": [condition],
        "lastStepTime": 1_767_225_600_000_u64, "run": 2, "withheldWeight": 20, "drainUntil": 1_767_225_610_000_u64,
    })
}

pub async fn a_canary_written_in_the_old_version_loses_nothing_on_the_way(stage: Stage) {
    define(&stage).await;
    let (old, new) = (path(&stage, ALPHA, "podinfo"), path(&stage, BETA, "podinfo"));
    let spec = guide()["spec"].clone();
    let made = stage.create(&all(&stage, ALPHA), guide()).await;
    assert_eq!((&made["apiVersion"], &made["spec"]), (&json!("flagger.app/v1alpha3"), &spec));
    assert_eq!(both(&stage, "podinfo").await["spec"], spec);
    assert_eq!(cell(&stage, ALPHA, "podinfo", "Interval").await, "10s");

    // The operator watches the version that is stored, and its memory is whole.
    let key = stage.key(CANARY, "podinfo");
    let seen = stage.until_seen(&key, |seen| seen.object().is_some()).await;
    let live = seen.object().unwrap();
    let canary = vexil_api::parse(live).unwrap();
    let analysis = canary.spec.analysis().unwrap();
    assert_eq!((analysis.interval_ms(0), analysis.step_weight(), analysis.max_weight()), (10_000, 10, 50));
    let status = remembered("Progressing");
    stage.cluster.write_status(&key, &Precondition::of(live), &json!({}), &status).await.unwrap();
    let seen = both(&stage, "podinfo").await;
    assert_eq!((&seen["spec"], &seen["status"]), (&spec, &status));

    // A user continues with the old manifest and tools, in each way there is; the memory stays.
    let mut read = get(&stage, &old).await.unwrap();
    read["spec"]["canaryAnalysis"]["stepWeight"] = json!(25);
    read["status"] = json!({"phase": "Failed"});
    let generation = read["metadata"]["generation"].as_i64().unwrap();
    stage.send("PUT", &old, "application/json", read).await;
    stage.merge(&old, json!({"spec": {"canaryAnalysis": {"threshold": 2}}})).await;
    let mut applied = guide();
    applied["spec"]["canaryAnalysis"]["maxWeight"] = json!(80);
    applied["metadata"]["namespace"] = json!(stage.namespace);
    stage.send("PATCH", &format!("{old}?fieldManager=kubectl&force=true"), APPLY, applied).await;
    let seen = both(&stage, "podinfo").await;
    let mut expect = spec.clone();
    // The last manifest says again what the two before it had changed.
    expect["canaryAnalysis"]["maxWeight"] = json!(80);
    assert_eq!((&seen["spec"], &seen["status"]), (&expect, &status));
    assert_eq!(
        seen["metadata"]["generation"],
        generation + 3,
        "each change of the spec is counted, as in one version"
    );

    // The status through the old version, the spec through the new one.
    stage.merge(&format!("{old}/status"), json!({"status": remembered("Succeeded")})).await;
    stage.merge(&new, json!({"spec": {"skipAnalysis": true}})).await;
    let seen = both(&stage, "podinfo").await;
    expect["skipAnalysis"] = json!(true);
    assert_eq!((&seen["spec"], &seen["status"]), (&expect, &remembered("Succeeded")));
    assert_eq!(cell(&stage, BETA, "podinfo", "Status").await, "Succeeded");

    // A status write on what has changed meanwhile through the other version is refused like any other.
    let stale = stage.cluster.write_status(&key, &Precondition::of(live), &json!({}), &status).await;
    assert!(matches!(stale, Err(WriteError::Conflict { .. })), "{stale:?}");
    stage.delete(&old).await;
    assert_eq!(stage.cluster.fetch(&key).await, Ok(Seen::Absent));
}

const APPLY: &str = "application/apply-patch+yaml";

pub async fn a_canary_of_today_is_whole_in_the_old_version(stage: Stage) {
    define(&stage).await;
    let mut today = guide();
    today["apiVersion"] = json!("flagger.app/v1beta1");
    let mut analysis = today["spec"].as_object_mut().unwrap().remove("canaryAnalysis").unwrap();
    analysis["alerts"] = json!([{"name": "slack", "severity": "warn", "providerRef": {"name": "slack"}}]);
    analysis["metrics"][0] =
        json!({"name": "own", "templateRef": {"name": "t"}, "templateVariables": {"a": "b"}});
    today["spec"]["analysis"] = analysis;
    today["spec"]["provider"] = json!("smi:istio");
    stage.create(&all(&stage, BETA), today.clone()).await;
    assert_eq!(both(&stage, "podinfo").await["spec"], today["spec"]);
    assert_eq!(cell(&stage, BETA, "podinfo", "Interval").await, "10s");
    // Written back as it was read: nothing changes.
    let read = get(&stage, &path(&stage, ALPHA, "podinfo")).await.unwrap();
    let written = stage.send("PUT", &path(&stage, ALPHA, "podinfo"), "application/json", read.clone()).await;
    assert_eq!(written["metadata"]["resourceVersion"], read["metadata"]["resourceVersion"]);
    assert_eq!(both(&stage, "podinfo").await["spec"], today["spec"]);
}

/// The old definition asked less of an analysis than the present one does.
pub async fn what_the_old_version_admitted_is_admitted_and_gets_its_status(stage: Stage) {
    define(&stage).await;
    let analyses = [
        json!({}),
        json!({"stepWeight": 10}),
        json!({"interval": "10s", "iterations": 5, "threshold": 2, "stepWeight": 10}),
    ];
    for (at, analysis) in analyses.into_iter().enumerate() {
        let mut canary = guide();
        let name = format!("podinfo-{at}");
        canary["metadata"]["name"] = json!(name);
        canary["spec"]["canaryAnalysis"] = analysis;
        stage.create(&all(&stage, ALPHA), canary.clone()).await;
        let key = stage.key(CANARY, &name);
        let live = stage.cluster.fetch(&key).await.unwrap();
        let on = Precondition::of(live.object().unwrap());
        stage.cluster.write_status(&key, &on, &json!({}), &remembered("Initializing")).await.unwrap();
        let seen = both(&stage, &name).await;
        assert_eq!((&seen["spec"], &seen["status"]), (&canary["spec"], &remembered("Initializing")));
    }
}
