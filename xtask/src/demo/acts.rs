//! The three acts: a version that is good, one that answers with errors, one whose pods crash.

use std::time::Duration;

use anyhow::bail;

use super::paint::{Line, Tone};
use super::scene::Scene;
use super::show::Show;
use super::stage::{APP, GATEWAY_DELAY, MANIFESTS, NAMESPACE};
use super::summary::{Expect, Report};

const FIRST: &str = "6.0.0";
const GOOD: &str = "6.0.1";
/// Every second answer of a tag that begins with `bad` is a 500.
const BAD: &str = "bad-6.0.2";
const CRASHING: &str = "6.0.3";

/// The weight at which the pods of the third act crash.
const CRASH_AT: u64 = 25;
/// Until all that an act set in motion has come to rest at the gateway.
const AFTERMATH: Duration = Duration::from_millis(1500);

/// The manifests are applied, and the operator makes what they stand for.
pub async fn opening(show: &mut Show<'_>) -> anyhow::Result<()> {
    show.begin(&format!("The guide's manifests · {FIRST}"));
    for (name, text) in MANIFESTS {
        show.tell("apply", Line::of(Tone::Plain, format!("kubectl apply -f examples/traefik/{name}")));
        show.stage.cluster.apply_yaml(text).await?;
    }
    show.until("initialisation", |scene| scene.phase == "Initialized").await?;
    show.stage.opened().await?;
    let _of_the_initialisation = show.stage.operators_requests();
    show.admit();
    // The first act begins with nothing left to tell of the opening.
    show.pause(Duration::from_millis(500)).await
}

/// A good version is promoted.
pub async fn promotion(show: &mut Show<'_>) -> anyhow::Result<Report> {
    show.begin(&format!("Act 1 of 3 · a good version: {FIRST} → {GOOD}"));
    explain(show, "Its share grows while all checks hold; then the primary becomes the new version.");
    push(show, GOOD).await?;
    let took = ended(show, "Succeeded").await?;
    report(show, GOOD, "promoted", took, Expect::NoErrors).await
}

/// A version that answers with errors is rolled back.
pub async fn rollback(show: &mut Show<'_>) -> anyhow::Result<Report> {
    show.begin(&format!("Act 2 of 3 · a version that answers 500: {GOOD} → {BAD}"));
    explain(show, "Every second answer is an error; after three failed checks it gets no more requests.");
    push(show, BAD).await?;
    let took = ended(show, "Failed").await?;
    report(show, BAD, "rolled back", took, Expect::OnlyItsOwn).await
}

/// All pods of a version crash while it serves a quarter of the clients.
pub async fn crash(show: &mut Show<'_>) -> anyhow::Result<Report> {
    show.begin(&format!("Act 3 of 3 · all pods crash at {CRASH_AT} %: {GOOD} → {CRASHING}"));
    explain(
        show,
        "No check is waited for: the route follows the pods, and the gateway the route, a second later.",
    );
    push(show, CRASHING).await?;
    show.until(&format!("a weight of {CRASH_AT}"), |scene| scene.routed == CRASH_AT || scene.is_over())
        .await?;
    show.pause(GATEWAY_DELAY + Duration::from_millis(500)).await?;
    let (at, before) = (show.elapsed(), show.tally().errors());
    show.record.interrupt(at);
    show.stage.cluster.crash_pods(NAMESPACE, &[("app", APP)]);
    show.tell("crash", Line::of(Tone::Bad, format!("all pods of {CRASHING} crash now")));
    let took = ended(show, "Failed").await?;
    let mut report = report(show, CRASHING, "rolled back", took, Expect::NoErrors).await?;
    let lasted = show.record.last_error(at).map(|last| last.saturating_sub(at));
    report.expect = Expect::OnlyAfterCrash { before, lasted };
    Ok(report)
}

fn explain(show: &mut Show<'_>, text: &str) {
    show.say(Line::of(Tone::Dim, format!("  {text}")).hanging(2));
}

async fn push(show: &mut Show<'_>, version: &str) -> anyhow::Result<()> {
    let image = format!("stefanprodan/podinfo:{version}");
    let command = format!("kubectl -n {NAMESPACE} set image deployment/{APP} podinfod={image}");
    show.tell("push", Line::of(Tone::Canary, command));
    show.stage.cluster.set_image(NAMESPACE, APP, "podinfod", &image).await?;
    show.until("the new run", |scene| scene.phase == "Progressing").await
}

/// Waits for the end of the run; how long it took since the push.
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
        expect,
    })
}
