//! Names that hardly fit, do not fit, or are taken.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{
    super::{
        api::{CANARIES, DEPLOYMENTS, Resource, SERVICES},
        cast::PODINFO,
        manifests,
        recorder::text,
        stage::Stage,
    },
    rollout::INTERVAL,
    texts::{INITIALISED, PROMOTED},
};

/// A name that begins so and is so long.
fn long(begin: &str, length: usize) -> String {
    begin.chars().chain("x".repeat(length).chars()).take(length).collect()
}

/// The longest names of which no generated one is too long for its kind: 63 for Services, and so 55 for the apex.
pub async fn long_names(mut stage: Stage) -> anyhow::Result<()> {
    stage.cast.apex = long(&format!("{}-", stage.cast.apex), 55);
    stage.cast.target = long("podinfo-", 63);
    stage.initialise(json!({})).await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

pub async fn too_long(stage: Stage) -> anyhow::Result<()> {
    let name = long("podinfo-", 56);
    stage.apply(json!({"service": {"name": name}})).await?;
    let clear = format!(
        "invalid canary spec: spec.service.name: `{name}-primary` would be longer than 63 characters"
    );
    let mended = json!({"spec": {"service": {"name": null}}});
    let put_right = stage.change(CANARIES, PODINFO, &mended);
    stage.told_until_right(&clear, put_right).await?;
    stage.tells(&[INITIALISED]).await
}

pub async fn primary_is_taken(stage: Stage) -> anyhow::Result<()> {
    let mut theirs = manifests::deployment(&stage.cast, "5.0.0");
    manifests::merge(&mut theirs, &json!({"metadata": {"name": "podinfo-primary"}}));
    for labels in ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
        if let Some(labels) = theirs.pointer_mut(labels) {
            *labels = json!({"app": "theirs"});
        }
    }
    let clear = "is controlled by no Canary and is left alone; remove or rename it once nothing uses it, or, if it was \
                 restored from a backup, add an owner reference to Canary podinfo with its uid and controller: true";
    taken(stage, DEPLOYMENTS, &theirs, clear).await
}

pub async fn service_is_taken(stage: Stage) -> anyhow::Result<()> {
    let theirs = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "podinfo-canary"},
        "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 81}]},
    });
    taken(stage, SERVICES, &theirs, "belongs to …").await
}

/// A user has an object under a name that is generated. It is not touched; once it is gone, all goes on.
async fn taken(stage: Stage, of: Resource, theirs: &Value, clear: &str) -> anyhow::Result<()> {
    let name = text(theirs, "/metadata/name");
    stage.api.create(of, stage.namespace(), theirs).await?;
    stage.apply(json!({})).await?;
    let put_right = async {
        let live = stage.api.get(of, stage.namespace(), name).await?.unwrap_or_default();
        let is = |at: &str| live.pointer(at) == theirs.pointer(at);
        ensure!(is("/spec/template/metadata") && is("/spec/selector"), "their {name} was touched");
        let marked = live.pointer("/metadata/annotations/kustomize.toolkit.fluxcd.io~1reconcile").is_some();
        ensure!(!marked, "their {name} was marked");
        stage.api.delete(of, stage.namespace(), name).await
    };
    stage.told_until_right(&format!("…{name}.{{ns}} {clear}"), put_right).await
}
