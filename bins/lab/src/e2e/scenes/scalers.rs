//! Autoscalers: the primary gets its own, the canary's rests while nothing is analysed, and no other writer changes
//! replicas.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{DEPLOYMENTS, Resource},
        recorder::text,
        stage::Stage,
    },
    rollout::INTERVAL,
    texts::{INITIALISED, PROMOTED, TOLD_INITIALISED, TOLD_PROMOTED},
};

const HPAS: Resource = ("/apis/autoscaling/v2", "horizontalpodautoscalers");
const SCALED_OBJECTS: Resource = ("/apis/keda.sh/v1alpha1", "scaledobjects");

/// What holds a ScaledObject's target at no pods.
const PAUSED: &str = "/metadata/annotations/autoscaling.keda.sh~1paused-replicas";

/// The autoscaler of the guides.
fn hpa(of: &str) -> Value {
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "podinfo"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": of},
            "minReplicas": 2,
            "maxReplicas": 4,
            "metrics": [{
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 99}},
            }],
        },
    })
}

/// What the Canary says of it: in a version that no Kubernetes serves any more, as the guides have it.
fn named() -> Value {
    json!({"autoscalerRef": {
        "apiVersion": "autoscaling/v2beta2", "kind": "HorizontalPodAutoscaler", "name": "podinfo",
    }})
}

/// The user wants more pods after the initialisation: the primary's autoscaler has it at once, and scales; a rollout
/// begins with as many. Only one writer scales.
pub async fn hpa_followed(stage: Stage) -> anyhow::Result<()> {
    stage.api.create(HPAS, stage.namespace(), &hpa("podinfo")).await?;
    stage.initialise(named()).await?;
    primary_is_as(&stage, 2).await?;
    let more = json!({"spec": {"minReplicas": 3}});
    stage.change(HPAS, "podinfo", &more).await?;
    stage.line("primary 3 of 6.0.0").await?;
    primary_is_as(&stage, 3).await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    let story = PROMOTED.replace("target 2", "target 3").replace("primary 2", "primary 3");
    stage.tells(&[INITIALISED, "primary 3 of 6.0.0", &story]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    // An autoscaler writes by way of the subresource, the operator does not.
    one_writer(&stage, "podinfo-primary", "scale").await?;
    one_writer(&stage, "podinfo", "").await?;
    stage.keeps_the_laws(INTERVAL)
}

/// The primary's autoscaler is the user's, for the primary.
async fn primary_is_as(stage: &Stage, least: i64) -> anyhow::Result<()> {
    let source = stage.api.get(HPAS, stage.namespace(), "podinfo").await?.context("no HPA")?;
    let copy =
        stage.api.get(HPAS, stage.namespace(), "podinfo-primary").await?.context("no HPA of the primary")?;
    let min = copy.pointer("/spec/minReplicas").and_then(Value::as_i64);
    ensure!(min == Some(least), "the primary has at least {min:?} pods");
    for field in ["maxReplicas", "metrics"] {
        let at = format!("/spec/{field}");
        ensure!(source.pointer(&at) == copy.pointer(&at), "{field} of the primary's HPA is another");
    }
    let target = text(&copy, "/spec/scaleTargetRef/name");
    ensure!(target == "podinfo-primary", "the primary's HPA scales {target}");
    ensure!(text(&copy, "/metadata/ownerReferences/0/kind") == "Canary", "the primary's HPA has no owner");
    Ok(())
}

/// The API server remembers who wrote the replicas last, and whether others did the same.
async fn one_writer(stage: &Stage, name: &str, subresource: &str) -> anyhow::Result<()> {
    let live = stage.api.get(DEPLOYMENTS, stage.namespace(), name).await?.context("no Deployment")?;
    let managers = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let replicas = |manager: &&Value| manager.pointer("/fieldsV1/f:spec/f:replicas").is_some();
    let writers: Vec<&Value> = managers.into_iter().flatten().filter(replicas).collect();
    let by_scaler = |writer: &Value| text(writer, "/subresource") == subresource;
    ensure!(matches!(*writers, [one] if by_scaler(one)), "the replicas of {name} are written by {writers:?}");
    Ok(())
}

pub async fn hpa_missing(stage: Stage) -> anyhow::Result<()> {
    stage.apply(named()).await?;
    let put_right = async { stage.api.create(HPAS, stage.namespace(), &hpa("podinfo")).await };
    stage.told_until_right("…podinfo…not found", put_right).await?;
    stage.tells(&[INITIALISED]).await
}

pub async fn hpa_of_another(stage: Stage) -> anyhow::Result<()> {
    stage.api.create(HPAS, stage.namespace(), &hpa("theirs")).await?;
    stage.apply(named()).await?;
    let mended = json!({"spec": {"scaleTargetRef": {"name": "podinfo"}}});
    let put_right = stage.change(HPAS, "podinfo", &mended);
    stage.told_until_right("…spec.scaleTargetRef names Deployment theirs, …", put_right).await?;
    stage.tells(&[INITIALISED]).await
}

/// KEDA is paused while the target rests, and scales it while it is analysed. KEDA itself does not run here.
pub async fn keda_pauses(stage: Stage) -> anyhow::Result<()> {
    let query = r#"sum(rate(requests{service="podinfo-canary"}[1m]))"#;
    let trigger = json!({
        "type": "prometheus",
        "metadata": {"serverAddress": "http://prometheus:9090", "query": query, "threshold": "5"},
    });
    let object = json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "podinfo"},
        "spec": {
            "scaleTargetRef": {"name": "podinfo"},
            "minReplicaCount": 2,
            "maxReplicaCount": 4,
            "triggers": [trigger],
        },
    });
    stage.api.create(SCALED_OBJECTS, stage.namespace(), &object).await?;
    let named = json!({"autoscalerRef": {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "podinfo",
    }});
    stage.initialise(named).await?;
    paused(&stage, "podinfo", true).await?;
    paused(&stage, "podinfo-primary", false).await?;
    let copy = stage.api.get(SCALED_OBJECTS, stage.namespace(), "podinfo-primary").await?.unwrap_or_default();
    let query = text(&copy, "/spec/triggers/0/metadata/query");
    ensure!(query.contains("podinfo-primary"), "the primary's ScaledObject asks {query}");
    stage.push("6.0.1").await?;
    stage.line("status Progressing 25").await?;
    paused(&stage, "podinfo", false).await?;
    stage.rests_in("Succeeded").await?;
    paused(&stage, "podinfo", true).await?;
    paused(&stage, "podinfo-primary", false).await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

async fn paused(stage: &Stage, name: &str, want: bool) -> anyhow::Result<()> {
    let live = stage.api.get(SCALED_OBJECTS, stage.namespace(), name).await?;
    let live = live.with_context(|| format!("no ScaledObject {name}"))?;
    let is = live.pointer(PAUSED).is_some();
    ensure!(is == want, "ScaledObject {name} is{} held at no pods", if is { "" } else { " not" });
    let target = text(&live, "/spec/scaleTargetRef/name");
    ensure!(target == name, "ScaledObject {name} scales {target}");
    Ok(())
}
