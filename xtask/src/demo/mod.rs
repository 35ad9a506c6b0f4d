//! `cargo xtask demo`: the Traefik guide from beginning to end, in about a minute, with nothing but a Rust toolchain.
//!
//! The cluster is the testbed, inside this process, on sockets of 127.0.0.1. The operator is the real one, a process of
//! its own. What is shown is read from the API server, from the operator's `/metrics`, and from what clients saw.

mod acts;
mod checks;
mod operator;
mod paint;
mod panel;
mod record;
mod scene;
mod screen;
mod show;
mod stage;
mod summary;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use tokio::signal::unix::{SignalKind, signal};

use self::operator::Operator;
use self::paint::{Line, Tone};
use self::screen::Screen;
use self::show::Show;
use self::stage::{APP, NAMESPACE, Stage};

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Leave everything running afterwards, for kubectl; Ctrl-C ends it
    #[arg(long)]
    keep: bool,
    /// One line per event, without colours or anything redrawn, as when the output is no terminal
    #[arg(long)]
    plain: bool,
}

/// Runs the demo.
///
/// # Errors
/// When an act does not go as it should, or was interrupted.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let binary = operator::built()?;
    let folder = operator::folder()?.with_file_name("demo");
    // Another chore may have done so already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(perform(args, &binary, &folder))
}

async fn perform(args: &Args, binary: &Path, folder: &Path) -> anyhow::Result<()> {
    let stage = Stage::set(folder).await?;
    let mut operator = Operator::start(binary, &stage)?;
    let played = play(args, &stage, &mut operator).await;
    operator.stop().await;
    played
}

async fn play(args: &Args, stage: &Stage, operator: &mut Operator) -> anyhow::Result<()> {
    let mut stopped = std::pin::pin!(stopped()?);
    let mut show = Show::new(stage, operator, Screen::open(args.plain))?;
    let played = tokio::select! {
        biased;
        () = &mut stopped => Err(anyhow::anyhow!("interrupted")),
        played = all_acts(&mut show) => played,
    };
    // What was told before a failure is shown before it.
    show.close()?;
    let violations = played?;
    if !violations.is_empty() {
        bail!("{}", violations.join("; "));
    }
    if !args.keep {
        return Ok(());
    }
    tokio::select! {
        biased;
        () = &mut stopped => show.close(),
        kept = keep(&mut show) => kept,
    }
}

/// Plays all acts; what was not as it should be.
async fn all_acts(show: &mut Show<'_>) -> anyhow::Result<Vec<String>> {
    welcome(show);
    acts::opening(show).await?;
    let reports = [acts::promotion(show).await?, acts::rollback(show).await?, acts::crash(show).await?];
    let (lines, violations) = summary::closing(&reports, show.elapsed());
    lines.into_iter().for_each(|line| show.say(line));
    Ok(violations)
}

fn welcome(show: &mut Show<'_>) {
    let (kubeconfig, log) = (show.stage.kubeconfig.display(), show.stage.log.display());
    let lines = [
        Line::default(),
        Line::of(Tone::Bold, "  Vexil plays the guide “Traefik Canary Deployments”, in about a minute"),
        Line::of(
            Tone::Plain,
            "  A cluster inside this process, real requests over 127.0.0.1, and the operator as it ships.",
        ),
        Line::default(),
        Line::of(Tone::Dim, "  look inside   ").and(Tone::Plain, format!("export KUBECONFIG={kubeconfig}")),
        Line::of(Tone::Dim, "  its log       ").and(Tone::Plain, log.to_string()),
    ];
    lines.into_iter().for_each(|line| show.say(line));
}

/// Goes on with clients and operator, for whoever wants to try something.
async fn keep(show: &mut Show<'_>) -> anyhow::Result<()> {
    show.begin("Left running for you · Ctrl-C ends it");
    let commands = [
        format!("export KUBECONFIG={}", show.stage.kubeconfig.display()),
        "kubectl get canaries --all-namespaces --watch".to_owned(),
        format!("kubectl -n {NAMESPACE} set image deployment/{APP} podinfod=stefanprodan/podinfo:6.0.4"),
        format!("kubectl -n {NAMESPACE} describe canary/{APP}"),
    ];
    commands
        .into_iter()
        .for_each(|command| show.say(Line::of(Tone::Canary, format!("    {command}")).hanging(6)));
    let hint = "  Tags that begin with bad, slow, broken, crash, fragile or missing behave like that.";
    show.say(Line::of(Tone::Dim, hint));
    loop {
        show.pause(Duration::from_secs(60)).await?;
        // The record of requests would grow for as long as this goes on.
        let _of_this_minute = show.stage.operators_requests();
    }
}

/// Ready at the first sign that it shall end: Ctrl-C, SIGTERM, or a terminal that was closed.
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
