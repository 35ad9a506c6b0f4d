//! What a guide has its reader apply, word for word.

use std::fs;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{CANARIES, DEPLOYMENTS, Resource},
        manifests,
        recorder::text,
        stage::Stage,
    },
    rollout::INTERVAL,
};

const HPAS: Resource = ("/apis/autoscaling/v2", "horizontalpodautoscalers");
/// The version of the older guides.
const V1ALPHA3: Resource = ("/apis/flagger.app/v1alpha3", "canaries");

/// SMI with Istio's adapter is written for `flagger.app/v1alpha3`: what is applied so is read so, and as `v1beta1`,
/// with nothing lost before and after a rollout.
pub async fn smi_istio(stage: Stage) -> anyhow::Result<()> {
    for object in guide("smi-istio/podinfo.yaml")? {
        let of = if text(&object, "/kind") == "Deployment" { DEPLOYMENTS } else { HPAS };
        stage.api.create(of, stage.namespace(), &here(&stage, object)).await?;
    }
    let canary = guide("smi-istio/podinfo-canary.yaml")?.into_iter().next().context("no Canary")?;
    let mut canary = here(&stage, canary);
    if let Some(url) = canary.pointer_mut("/spec/canaryAnalysis/webhooks/0/url") {
        *url = stage.stand_in.hook(stage.namespace(), "load-test").into();
    }
    stage.api.create(V1ALPHA3, stage.namespace(), &canary).await?;
    nothing_is_lost(&stage, &canary).await?;
    stage.rests_in("Initialized").await?;
    // The guide takes a minute for its steps.
    let pace = json!({"spec": {"canaryAnalysis": {"interval": "2s", "stepWeight": 25}}});
    manifests::merge(&mut canary, &pace);
    stage.api.merge(V1ALPHA3, (stage.namespace(), "podinfo"), &pace).await?;
    let image = json!([{"name": "podinfod", "image": "quay.io/stefanprodan/podinfo:1.7.1"}]);
    let push = json!({"spec": {"template": {"spec": {"containers": image}}}});
    stage.change(DEPLOYMENTS, "podinfo", &push).await?;
    stage.rests_in("Succeeded").await?;
    nothing_is_lost(&stage, &canary).await?;
    for line in ["route primary 75 canary 25", "route primary 50 canary 50", "primary 2 of 1.7.1"] {
        stage.line(line).await?;
    }
    let copy = stage.api.get(HPAS, stage.namespace(), "podinfo-primary").await?;
    ensure!(copy.is_some(), "the primary has no HPA");
    stage.keeps_the_laws(INTERVAL)
}

/// The objects of a file in `examples/`.
fn guide(file: &str) -> anyhow::Result<Vec<Value>> {
    let file = vexil_launcher::root().join("examples").join(file);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let all: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}

/// The same in the namespace of this scene.
fn here(stage: &Stage, mut object: Value) -> Value {
    manifests::merge(&mut object, &json!({"metadata": {"namespace": stage.namespace()}}));
    object
}

async fn nothing_is_lost(stage: &Stage, applied: &Value) -> anyhow::Result<()> {
    for of in [V1ALPHA3, CANARIES] {
        let read = stage.api.get(of, stage.namespace(), "podinfo").await?.context("no Canary")?;
        let version = of.0.trim_start_matches("/apis/");
        ensure!(text(&read, "/apiVersion") == version, "asked for {version}, got {read}");
        let (want, have) = (applied.get("spec"), read.get("spec"));
        ensure!(want == have, "read as {version}: {have:?} instead of {want:?}");
    }
    Ok(())
}
