//! `cargo xtask demo`: a guide from beginning to end, in a minute or two, with nothing but a Rust toolchain.
//!
//! The cluster is the testbed, inside this process, on sockets of 127.0.0.1. The operator is the real one, a process of
//! its own. What is shown is read from the API server, from the operator's `/metrics`, and from what clients got.

mod panel;
mod screen;
mod stage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::builder::PossibleValuesParser;
use tokio::signal::unix::{SignalKind, signal};
use vexil_launcher::{build, folder};
use vexil_testbed_rig::{
    cast::PODINFO,
    guide::{Guide, NAMESPACE},
    operator::Recipe,
    outcome::{Outcome, table},
    page::{row, written},
    player::Player,
    report::closing,
    styled_line::{Line, Tone},
    systems,
};

use self::screen::Screen;
use self::stage::Stage;

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Which guide; all plays them one after the other
    #[arg(long, default_value = systems::USUAL.name,
        value_parser = PossibleValuesParser::new(systems::guide_names()))]
    guide: String,
    /// The operator's binary; without it, it is built first
    #[arg(long)]
    operator: Option<PathBuf>,
    /// Leave everything running afterwards, for kubectl; Ctrl-C ends it
    #[arg(long)]
    keep: bool,
    /// One line per event, without colours or anything redrawn, as when the output is no terminal
    #[arg(long)]
    plain: bool,
    /// Write what the rollouts came to into this page of the book
    #[arg(long, value_name = "PAGE")]
    write: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// When an act does not go as it should, or was interrupted.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let chosen = systems::guides(&args.guide);
    if args.keep && chosen.len() > 1 {
        bail!("--keep is for one guide: each has a cluster of its own");
    }
    let binary = args.operator.clone().map_or_else(|| anyhow::Ok(build(&["vexil"])?.join("vexil")), Ok)?;
    let folder = folder()?.with_file_name("demo");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(perform(args, &chosen, &binary, &folder))
}

/// Plays guides one after the other, also when one of them fails.
async fn perform(args: &Args, chosen: &[&'static Guide], binary: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut stopped = std::pin::pin!(stopped()?);
    let (mut outcomes, mut violations) = (Vec::new(), Vec::new());
    for guide in chosen {
        let found = match one(args, guide, (binary, folder), stopped.as_mut()).await {
            Ok(outcome) => {
                let found = outcome.violations();
                outcomes.push(outcome);
                found
            }
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => vec![format!("{error:#}")],
        };
        for what in found {
            let what = format!("{}: {what}", guide.name);
            if chosen.len() > 1 {
                // The others take minutes: this is shown at once.
                Screen::open(args.plain).print(&[Line::of(Tone::Bad, format!("  {what}"))])?;
            }
            violations.push(what);
        }
    }
    if outcomes.len() > 1 {
        Screen::open(args.plain).print(&table(&outcomes))?;
    }
    if let Some(page) = &args.write {
        let rows: Vec<String> = outcomes.iter().map(|outcome| row(outcome, "the testbed's")).collect();
        std::fs::write(page, written(&std::fs::read_to_string(page)?, "demo", &rows)?)?;
    }
    if !violations.is_empty() {
        bail!("{}", violations.join("\n  "));
    }
    Ok(())
}

async fn one(
    args: &Args,
    guide: &'static Guide,
    (binary, folder): (&Path, &Path),
    mut stopped: impl Future<Output = ()> + Unpin,
) -> anyhow::Result<Outcome> {
    let stage = Stage::set(guide, folder).await?;
    let recipe = Recipe::new(binary, &stage.kubeconfig, stage.log.clone())
        .with_all(guide.flags())
        .through(stage.cluster.proxy_url())
        .on_free_port()?;
    let mut player = Player::new(guide, stage, recipe.start()?, Screen::open(args.plain))?;
    let played = tokio::select! {
        biased;
        () = &mut stopped => Err(Interrupted.into()),
        played = all_acts(&mut player) => played,
    };
    if args.keep && played.is_ok() {
        tokio::select! {
            biased;
            () = stopped => {}
            kept = keep(&mut player) => kept?,
        }
    }
    // Lines from before a failure are shown before it.
    player.close(played.is_ok()).await?;
    played
}

type Play = Player<Stage, Screen>;

/// Plays all acts, and says what they came to.
async fn all_acts(player: &mut Play) -> anyhow::Result<Outcome> {
    welcome(player);
    let guide = player.guide;
    let mut reports = vec![player.opening(None).await?];
    let mut act = 1..=guide.acts();
    let mut number = || format!("Act {} of {}", act.next().unwrap_or_default(), guide.acts());
    reports.push(player.promotion(&number()).await?);
    if let Some(weight) = guide.crash_at {
        let crash = |stage: &Stage| {
            stage.cluster.crash_pods(NAMESPACE, &[("app", PODINFO)]);
        };
        reports.push(player.crash(&number(), weight, crash).await?);
    }
    reports.push(player.rollback(&number()).await?);
    let outcome = Outcome { guide, took: player.elapsed(), reports };
    closing(&outcome.reports, outcome.took).into_iter().for_each(|line| player.say(line));
    player.say(Line::default());
    player.say(Line::of(Tone::Dim, outcome.json()));
    Ok(outcome)
}

fn welcome(player: &mut Play) {
    let guide = player.guide;
    let (kubeconfig, log) = (player.environment.kubeconfig.display(), player.environment.log.display());
    let operator = format!("vexil {}", guide.flags().join(" "));
    let lines = [
        Line::default(),
        Line::of(Tone::Bold, format!("  Vexil plays “{}”", guide.title)),
        Line::of(
            Tone::Plain,
            "  A cluster inside this process, real requests over 127.0.0.1, and the operator as it ships.",
        )
        .hanging(2),
        Line::default(),
        Line::of(Tone::Dim, "  look inside   ").and(Tone::Plain, format!("export KUBECONFIG={kubeconfig}")),
        Line::of(Tone::Dim, "  the operator  ").and(Tone::Plain, operator).hanging(16),
        Line::of(Tone::Dim, "  its log       ").and(Tone::Plain, log.to_string()),
    ];
    lines.into_iter().for_each(|line| player.say(line));
}

/// Goes on with clients and operator, for users who want to try something.
async fn keep(player: &mut Play) -> anyhow::Result<()> {
    player.begin("Left running · Ctrl-C ends it");
    let commands = [
        format!("export KUBECONFIG={}", player.environment.kubeconfig.display()),
        "kubectl get canaries --all-namespaces --watch".to_owned(),
        (player.guide.system.target.push)(PODINFO, player.guide.images.crashing),
        format!("kubectl -n {NAMESPACE} describe canary/{PODINFO}"),
    ];
    commands
        .into_iter()
        .for_each(|command| player.say(Line::of(Tone::Canary, format!("    {command}")).hanging(6)));
    player.explain("Tags that begin with bad, slow, broken, crash, fragile or missing behave like that.");
    loop {
        player.pause(Duration::from_secs(60)).await?;
        player.environment.forget_requests();
    }
}

/// It ends before its end.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Ready at Ctrl-C, SIGTERM, or when the terminal is closed.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
