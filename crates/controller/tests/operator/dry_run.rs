//! A preview says what an operator then does, and writes nothing.

use serde_json::json;
use vexil_controller::{Context, Next, Preview, Settings, preview, projections};
use vexil_kube::{Cluster, DryRun, DryWrite, Scope};
use vexil_object::{ObjectKey, kinds};
use vexil_testbed_rig::{Wire, registry};

use crate::{
    adoption::{Left, leave},
    cluster::Stage,
};

const NAME: &str = "podinfo";

/// What an operator would do to a Canary.
async fn previewed(stage: &Stage, name: &str) -> (Preview, Vec<DryWrite>) {
    let (client, dry_run) = DryRun::over(stage.cluster.server().client_as("dry-run"));
    let settings = Settings {
        provider: stage.provider.to_owned(),
        metrics_server: stage.metrics_server.clone(),
        ..Settings::default()
    };
    let registry = registry();
    let (cluster, watches) = Cluster::new(client, Scope::All, projections(&registry, &settings));
    let context = Context::new(cluster, registry, settings, Wire(stage.cluster.network().clone()));
    let key = ObjectKey::new(kinds::CANARY, "test", name);
    let found = tokio::select! {
        biased;
        found = preview(&context, &key) => found,
        () = watches.run() => unreachable!("watches never end"),
    };
    let audit = stage.cluster.server().audit().of("dry-run");
    let wrote: Vec<String> =
        audit.iter().filter(|entry| entry.is_write()).map(|entry| entry.line()).collect();
    assert_eq!(wrote, Vec::<String>::new(), "a preview writes nothing");
    let writes = dry_run.take_writes();
    (found, writes.into_iter().filter(|write| write.verb != "patch status").collect())
}

/// A preview as a text: states, whether a rollout starts, what is written, and what follows.
fn text(found: &Preview, writes: &[DryWrite]) -> Vec<String> {
    let state = |(phase, weight): (vexil_analysis::Phase, u32)| format!("{} {weight}", phase.as_str());
    let starts = if found.starts { " starts" } else { "" };
    let mut lines = vec![format!("{} -> {}{starts}", state(found.before), state(found.after))];
    lines.extend(writes.iter().map(|write| format!("{} {} {}", write.verb, write.kind, write.name)));
    lines.extend(match &found.next {
        Next::Rest => None,
        Next::Step => Some("a step".to_owned()),
        Next::Asks(what) => Some(format!("asks: {what}")),
        Next::Waits(what) => Some(format!("waits: {what}")),
        Next::Refused(what) => Some(format!("refused: {what}")),
    });
    lines
}

async fn check(left: Left, expect: &[&str]) {
    let stage = leave(&left).await;
    let (found, writes) = previewed(&stage, NAME).await;
    assert_eq!(text(&found, &writes), expect, "{}: {found:#?} {writes:#?}", left.phase);
}

#[tokio::test(start_paused = true)]
async fn what_flagger_left_at_rest_is_left_alone() {
    check(Left::at("Initialized"), &["Initialized 0 -> Initialized 0"]).await;
    check(Left { config: Some(false), ..Left::at("Succeeded") }, &["Succeeded 0 -> Succeeded 0"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_in_progress_goes_on_with_its_next_step() {
    let left = Left { target: "6.0.1", replicas: 2, weight: 25, ..Left::at("Progressing") };
    check(left, &["Progressing 25 -> Progressing 25", "a step"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_was_pushed_meanwhile_starts_a_rollout() {
    let left = Left { target: "6.0.1", ..Left::at("Succeeded") };
    check(left, &["Succeeded 0 -> Progressing 0 starts", "patch Deployment podinfo", "a step"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_canary_shows_what_is_created() {
    let mut stage = Stage::open().await;
    stage.apply(NAME, &[]).await;
    stage.pass(5.0).await;
    let (found, writes) = previewed(&stage, NAME).await;
    let lines = text(&found, &writes);
    assert_eq!(lines.first().map(String::as_str), Some(" 0 -> Initializing 0"), "{lines:#?}");
    for line in ["create Deployment podinfo-primary", "create Service podinfo-primary"] {
        assert!(lines.iter().any(|have| have == line), "{line} in {lines:#?}");
    }
    // The cluster is as it was.
    assert_eq!(stage.canary(NAME).await.get("status"), None);
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_refused_says_why_and_writes_nothing() {
    let mut stage = Stage::open().await;
    stage.apply(NAME, &[]).await;
    stage.pass(2.0).await;
    stage.apply("second", &[&json!({"spec": {"targetRef": {"name": NAME}}})]).await;
    let (found, writes) = previewed(&stage, "second").await;
    let paths: Vec<&str> = found.defects.iter().map(|defect| defect.path.as_str()).collect();
    assert_eq!(paths, ["spec.targetRef.name"], "{found:#?}");
    assert_eq!(writes, []);
}

#[tokio::test(start_paused = true)]
async fn a_missing_target_is_named() {
    let stage = Stage::open().await;
    stage.apply(NAME, &[&json!({"spec": {"targetRef": {"name": "absent"}}})]).await;
    let (found, writes) = previewed(&stage, NAME).await;
    let expect = [" 0 -> Initializing 0", "waits: the target, which does not exist"];
    assert_eq!(text(&found, &writes), expect, "{found:#?}");
}
