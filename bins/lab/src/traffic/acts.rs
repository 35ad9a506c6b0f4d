//! The acts: the guide's manifests, a version that is good, one that answers with errors.

use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use vexil_testbed_cluster::objects;

use super::sight::Sight;
use crate::demo::{
    guide::{CANARY, tag},
    paint::{Line, Tone},
    scene::Scene,
    stage::{APP, CONTAINER, NAMESPACE},
    summary::{Expect, Report},
};

/// The pace of the analysis, which is the only thing that is changed of a guide.
const INTERVAL: &str = "2s";
/// How long clients come before something is changed, and after it: until pods that were deleted have ended.
const AROUND: Duration = Duration::from_secs(3);

/// All acts of a guide. Where traffic is split the second one tells all: a rollback would take ten more checks.
pub async fn all(sight: &mut Sight) -> anyhow::Result<Vec<Report>> {
    let images = &sight.guide.images;
    let mut reports = vec![opening(sight, None).await?];
    reports.push(rollout(sight, images.good, ("promoted", "Succeeded")).await?);
    if sight.guide.route.is_none() {
        reports.push(rollout(sight, images.bad, ("rolled back", "Failed")).await?);
    }
    Ok(reports)
}

/// The manifests are applied, with `spec` laid over the Canary's, and the operator makes what they stand for.
pub async fn opening(sight: &mut Sight, spec: Option<&Value>) -> anyhow::Result<Report> {
    let (guide, client) = (sight.guide, sight.plane.api.client.clone());
    sight.begin();
    for (name, text) in guide.manifests {
        if *name == CANARY && guide.entrance.is_open_before {
            sight.admit().await?;
            sight.pause(AROUND).await?;
        }
        sight.tell("apply", &format!("examples/{}/{name}", guide.name));
        objects::apply_yaml(&client, text).await?;
        if *name == CANARY {
            let canary = ("flagger.app/v1beta1", "Canary");
            for spec in [Some(&json!({"analysis": {"interval": INTERVAL}})), spec].into_iter().flatten() {
                let patch = json!({"spec": spec});
                sight.tell("pace", &format!("{patch}; nothing else is changed"));
                objects::merge(&client, canary, (NAMESPACE, APP), &patch).await?;
            }
        }
    }
    sight.until("initialisation", |scene| scene.phase == "Initialized").await?;
    let took = sight.of_act();
    sight.admit().await?;
    let version = sight.scene.primary.version.clone();
    report(sight, &version, "initialised", took).await
}

/// A version is pushed, and comes to its end.
async fn rollout(
    sight: &mut Sight,
    image: &str,
    (outcome, phase): (&'static str, &str),
) -> anyhow::Result<Report> {
    sight.begin();
    let (old, new) = (sight.scene.primary.version.clone(), tag(image));
    sight.say(Line::of(Tone::Bold, format!("\n  {old} → {new}")));
    sight.tell("push", &format!("kubectl -n {NAMESPACE} set image deployment/{APP} {CONTAINER}={image}"));
    objects::set_image(&sight.plane.api.client, NAMESPACE, APP, CONTAINER, image).await?;
    sight.until("the new run", |scene| scene.phase == "Progressing").await?;
    sight.until("the end of the run", Scene::is_over).await?;
    if sight.scene.phase != phase {
        bail!("the run of {new} ended as {}, not as {phase}", sight.scene.phase);
    }
    let took = sight.of_act();
    report(sight, new, outcome, took).await
}

/// What an act came to, once clients have come for a while after it.
pub async fn report(
    sight: &mut Sight,
    version: &str,
    outcome: &'static str,
    took: Duration,
) -> anyhow::Result<Report> {
    sight.pause(AROUND).await?;
    Ok(Report {
        version: version.to_owned(),
        outcome,
        took,
        tally: sight.tally(),
        shares: sight.shares(),
        api_requests: sight.plane.operators_requests()?,
        is_rollout: outcome != "initialised" && outcome != "migrated",
        expect: Expect::NoErrors,
    })
}
