//! Routes that others touch or own.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{
    super::{api::CONFIG_MAPS, manifests, pace::LONG_INTERVAL, recorder::text, stage::Stage},
    texts::{INITIALISED, PROMOTED, TOLD_INITIALISED, TOLD_PROMOTED},
};

/// Edited at 25 %, deleted at 50 %: both times it is at once as the status says.
pub async fn put_back(stage: Stage) -> anyhow::Result<()> {
    stage.first_step(json!({})).await?;
    // Each edit comes when the operator has seen the route as it wrote it: an edit within that millisecond is part of
    // the same write for it.
    stage.event("Advance {} canary weight 25").await?;
    stage.edit_route(60).await?;
    stage.line("route primary 50 canary 50").await?;
    stage.event("Advance {} canary weight 50").await?;
    stage.delete_route().await?;
    stage.rests_in("Succeeded").await?;
    let story = PROMOTED
        .replace(
            "route primary 75 canary 25",
            "route primary 75 canary 25
             route primary 40 canary 60
             route primary 75 canary 25",
        )
        .replace(
            "route primary 50 canary 50",
            "route primary 50 canary 50
             route primary 50 canary 50, deleted
             route primary 50 canary 50",
        );
    stage.tells(&[INITIALISED, &story]).await?;
    let edited = "were changed by someone else (primary 40, canary 60) and have been put back";
    let told = TOLD_PROMOTED
        .replace("weight 25\n", &format!("weight 25\nWarning Routes of {{}} {edited}\n"))
        .replace("weight 50\n", "weight 50\nWarning Routes of {} were …\n");
    stage.events(&[TOLD_INITIALISED, &told]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

/// Someone has a route under the name that ours would have. In the end ours goes with its Canary.
pub async fn foreign(stage: Stage) -> anyhow::Result<()> {
    let place = stage.place()?;
    let theirs = theirs(&stage).await?;
    stage.api.create(place.of, &place.namespace, &theirs).await?;
    let before = stage.route().await?;
    stage.apply(json!({})).await?;
    let put_right = async {
        let now = stage.route().await?;
        let version = |route: &Value| text(route, "/metadata/resourceVersion").to_owned();
        ensure!(version(&before) == version(&now), "their route was touched");
        stage.delete_route().await
    };
    stage.told_until_right(&format!("…{}… belongs to …", place.name), put_right).await?;
    stage.delete_canary().await?;
    stage.line("route primary 100, deleted").await.map(drop)
}

/// A route of the kind and name of ours that a ConfigMap owns; where it can have no owner, one that is not about us.
async fn theirs(stage: &Stage) -> anyhow::Result<Value> {
    let (place, kind) = (stage.place()?, stage.cast.system.route.as_ref());
    let spec: Value = serde_json::from_str(kind.map(|kind| kind.theirs).unwrap_or_default())?;
    let mut object = json!({
        "apiVersion": place.of.0.trim_start_matches("/apis/"),
        "kind": kind.map(|kind| kind.kind),
        "metadata": {"name": place.name},
        "spec": spec,
    });
    if place.namespace == stage.namespace() {
        let owners = json!([config_map(stage).await?]);
        manifests::merge(&mut object, &json!({"metadata": {"ownerReferences": owners}}));
    }
    Ok(object)
}

/// A ConfigMap as the controller of another object.
async fn config_map(stage: &Stage) -> anyhow::Result<Value> {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}});
    stage.api.create(CONFIG_MAPS, stage.namespace(), &object).await?;
    let live = stage.api.get(CONFIG_MAPS, stage.namespace(), "theirs").await?.unwrap_or_default();
    Ok(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": text(&live, "/metadata/uid"),
        "controller": true,
    }))
}
