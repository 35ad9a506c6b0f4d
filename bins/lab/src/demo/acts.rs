//! The acts: the guide's manifests, a version that is good, one whose pods crash, one that answers with errors.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::guide::{CANARY, tag};
use super::made;
use super::paint::{Line, Tone};
use super::scene::Scene;
use super::show::Show;
use super::stage::{APP, CONTAINER, GATEWAY_DELAY, NAMESPACE};
use super::summary::{Expect, Report};

/// The pace of the analysis, which is the only thing that the demo changes of a guide.
const INTERVAL: &str = "2s";
/// What becomes of the version that is there from the beginning.
const INITIALISED: &str = "initialised";
/// Until all that an act set in motion has come to rest at the gateway.
const AFTERMATH: Duration = Duration::from_millis(1500);
/// How long it is watched that nobody notices crashed pods any more.
const QUIET: Duration = Duration::from_secs(3);

/// All acts of a guide, one after the other.
pub async fn all(show: &mut Show<'_>) -> anyhow::Result<Vec<Report>> {
    let guide = show.stage.guide;
    let images = &guide.images;
    let first = opening(show).await?;
    let mut reports = vec![first];
    let mut act = 1..=guide.acts();
    let mut number = || format!("Act {} of {}", act.next().unwrap_or_default(), guide.acts());
    reports.push(promotion(show, &number(), images.good).await?);
    if let Some(weight) = guide.crash_at {
        reports.push(crash(show, &number(), weight, images.crashing, images.good).await?);
    }
    reports.push(rollback(show, &number(), images.bad).await?);
    Ok(reports)
}

/// The manifests are applied, and the operator makes what they stand for.
async fn opening(show: &mut Show<'_>) -> anyhow::Result<Report> {
    let guide = show.stage.guide;
    show.begin("The manifests");
    for (name, text) in guide.manifests {
        if *name == CANARY && guide.entrance.is_open_before {
            show.stage.opened().await?;
            show.admit();
            show.pause(Duration::from_millis(500)).await?;
        }
        let command = format!("kubectl apply -f examples/{}/{name}", guide.name);
        show.tell("apply", Line::of(Tone::Plain, command));
        show.stage.cluster.apply_yaml(text).await?;
        if *name == CANARY {
            quicken(show).await?;
        }
    }
    show.until("initialisation", |scene| scene.phase == "Initialized").await?;
    let took = show.elapsed().saturating_sub(show.begun);
    for object in made::found(show.stage).await? {
        show.tell("made", Line::of(Tone::Plain, object.shown()));
    }
    show.stage.opened().await?;
    show.admit();
    // The first act begins with nothing left to tell of the opening.
    show.pause(Duration::from_millis(500)).await?;
    let version = show.scene.primary.version.clone();
    report(show, &version, INITIALISED, took, Expect::NoErrors).await
}

/// Sets the pace of the analysis, in sight of everyone.
async fn quicken(show: &mut Show<'_>) -> anyhow::Result<()> {
    let canary: Value = serde_saphyr::from_str(show.stage.guide.canary()).context("the Canary's manifest")?;
    let version = canary.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let field = if canary.pointer("/spec/canaryAnalysis").is_some() { "canaryAnalysis" } else { "analysis" };
    let written = canary.pointer(&format!("/spec/{field}/interval")).and_then(Value::as_str);
    let patch = json!({"spec": {field: {"interval": INTERVAL}}});
    let command = format!("kubectl -n {NAMESPACE} patch canary/{APP} --type merge -p '{patch}'");
    show.tell("pace", Line::of(Tone::Plain, command));
    let written = written.unwrap_or("the default");
    explain(show, &format!("A check every {INTERVAL} instead of {written}; nothing else is changed."));
    show.stage.cluster.merge((version, "Canary"), (NAMESPACE, APP), &patch).await
}

/// A good version is promoted.
async fn promotion(show: &mut Show<'_>, act: &str, image: &str) -> anyhow::Result<Report> {
    let (old, new) = (show.scene.primary.version.clone(), tag(image));
    show.begin(&format!("{act} · a good version: {old} → {new}"));
    let text = match show.stage.guide.route {
        Some(_) => "Its share grows while all checks hold; then the primary becomes the new version.",
        None => "It is checked where no client comes; then the primary becomes the new version, pod by pod.",
    };
    explain(show, text);
    push(show, image).await?;
    let took = ended(show, "Succeeded").await?;
    report(show, new, "promoted", took, Expect::NoErrors).await
}

/// A version that answers with errors is rolled back.
async fn rollback(show: &mut Show<'_>, act: &str, image: &str) -> anyhow::Result<Report> {
    let (old, new) = (show.scene.primary.version.clone(), tag(image));
    show.begin(&format!("{act} · a version that answers 500: {old} → {new}"));
    let checks = show.threshold();
    let text = match show.stage.guide.route {
        Some(_) => {
            format!("Every second answer is an error; after {checks} failed checks it gets no more requests.")
        }
        None => format!(
            "Every second answer is an error; after {checks} failed checks it is gone, and no client saw it."
        ),
    };
    explain(show, &text);
    push(show, image).await?;
    let took = ended(show, "Failed").await?;
    let expect = if show.stage.guide.route.is_some() { Expect::OnlyItsOwn } else { Expect::NoErrors };
    report(show, new, "rolled back", took, expect).await
}

/// All pods of a version crash while it serves a part of the clients, and its maker takes it back.
async fn crash(
    show: &mut Show<'_>,
    act: &str,
    weight: u64,
    image: &str,
    good: &str,
) -> anyhow::Result<Report> {
    let (old, new) = (show.scene.primary.version.clone(), tag(image));
    show.begin(&format!("{act} · all pods crash at {weight} %: {old} → {new}"));
    explain(
        show,
        "No check is waited for: the route follows the pods, and the gateway the route, a second later.",
    );
    push(show, image).await?;
    let there = |scene: &Scene| scene.routed == weight || scene.is_over();
    show.until(&format!("a weight of {weight}"), there).await?;
    show.pause(GATEWAY_DELAY + Duration::from_millis(500)).await?;
    let (at, before) = (show.elapsed(), show.tally().errors());
    show.record.interrupt(at);
    show.stage.cluster.crash_pods(NAMESPACE, &[("app", APP)]);
    show.tell("crash", Line::of(Tone::Bad, format!("all pods of {new} crash now")));
    show.until("the route to leave the crashed pods", |scene| scene.routed == 0).await?;
    show.pause(QUIET).await?;
    explain(show, "Its maker takes it back. That is what the primary runs, so the rollout is over at once.");
    set_image(show, good).await?;
    let took = ended(show, "Succeeded").await?;
    let mut report = report(show, new, "taken back", took, Expect::NoErrors).await?;
    let lasted = show.record.last_error(at).map(|last| last.saturating_sub(at));
    report.expect = Expect::OnlyAfterCrash { before, lasted };
    Ok(report)
}

fn explain(show: &mut Show<'_>, text: &str) {
    show.say(Line::of(Tone::Dim, format!("  {text}")).hanging(2));
}

async fn push(show: &mut Show<'_>, image: &str) -> anyhow::Result<()> {
    set_image(show, image).await?;
    show.until("the new run", |scene| scene.phase == "Progressing").await
}

async fn set_image(show: &mut Show<'_>, image: &str) -> anyhow::Result<()> {
    let command = format!("kubectl -n {NAMESPACE} set image deployment/{APP} {CONTAINER}={image}");
    show.tell("push", Line::of(Tone::Canary, command));
    show.stage.cluster.set_image(NAMESPACE, APP, CONTAINER, image).await
}

/// Waits for the end of the run; how long it took since the act began.
async fn ended(show: &mut Show<'_>, phase: &str) -> anyhow::Result<Duration> {
    show.until("the end of the run", Scene::is_over).await?;
    if show.scene.phase != phase {
        bail!("the run ended as {}, not as {phase}; see {}", show.scene.phase, show.stage.log.display());
    }
    Ok(show.elapsed().saturating_sub(show.begun))
}

async fn report(
    show: &mut Show<'_>,
    version: &str,
    outcome: &'static str,
    took: Duration,
    expect: Expect,
) -> anyhow::Result<Report> {
    show.pause(AFTERMATH).await?;
    Ok(Report {
        version: version.to_owned(),
        outcome,
        took,
        tally: show.tally(),
        shares: show.shares(),
        api_requests: show.stage.operators_requests(),
        is_rollout: outcome != INITIALISED,
        expect,
    })
}
