//! `cargo xtask demo`: a guide from beginning to end, in a minute or two, with nothing but a Rust toolchain.
//!
//! The cluster is the testbed, inside this process, on sockets of 127.0.0.1. The operator is the real one, a process of
//! its own. What is shown is read from the API server, from the operator's `/metrics`, and from what clients saw.

mod acts;
mod checks;
pub(crate) mod guide;
pub(crate) mod guides;
mod made;
pub(crate) mod operator;
pub(crate) mod outcome;
pub(crate) mod paint;
mod panel;
pub(crate) mod record;
pub(crate) mod scene;
mod screen;
mod show;
pub(crate) mod stage;
pub(crate) mod summary;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::builder::PossibleValuesParser;
use tokio::signal::unix::{SignalKind, signal};

use self::guide::Guide;
use self::operator::Operator;
use self::outcome::Outcome;
use self::paint::{Line, Tone};
use self::screen::Screen;
use self::show::Show;
use self::stage::{APP, CONTAINER, NAMESPACE, Stage};

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Which guide; all plays them one after the other
    #[arg(long, default_value = guides::USUAL.name, value_parser = PossibleValuesParser::new(guides::names()))]
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
}

/// Runs the demo.
///
/// # Errors
/// When an act does not go as it should, or was interrupted.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let chosen = guides::named(&args.guide);
    if args.keep && chosen.len() > 1 {
        bail!("--keep is for one guide: each has a cluster of its own");
    }
    let binary = args.operator.clone().map_or_else(operator::built, Ok)?;
    let folder = operator::folder()?.with_file_name("demo");
    // Another chore may have done so already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
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
                // The others take minutes, and nobody shall have to wait for the end to see this.
                Screen::open(args.plain).show(&[Line::of(Tone::Bad, format!("  {what}"))], &[])?;
            }
            violations.push(what);
        }
    }
    if outcomes.len() > 1 {
        Screen::open(args.plain).show(&outcome::table(&outcomes), &[])?;
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
    stopped: impl Future<Output = ()> + Unpin,
) -> anyhow::Result<Outcome> {
    let stage = Stage::set(guide, folder).await?;
    let mut operator = Operator::start(binary, &stage)?;
    let played = play(args, &stage, &mut operator, stopped).await;
    operator.stop().await;
    played
}

async fn play(
    args: &Args,
    stage: &Stage,
    operator: &mut Operator,
    mut stopped: impl Future<Output = ()> + Unpin,
) -> anyhow::Result<Outcome> {
    let mut show = Show::new(stage, operator, Screen::open(args.plain))?;
    let played = tokio::select! {
        biased;
        () = &mut stopped => Err(Interrupted.into()),
        played = all_acts(&mut show) => played,
    };
    // What was told before a failure is shown before it.
    show.close()?;
    let outcome = played?;
    if args.keep {
        tokio::select! {
            biased;
            () = stopped => show.close()?,
            kept = keep(&mut show) => kept?,
        }
    }
    Ok(outcome)
}

/// Plays all acts, and tells what they came to.
async fn all_acts(show: &mut Show<'_>) -> anyhow::Result<Outcome> {
    welcome(show);
    let reports = acts::all(show).await?;
    let outcome = Outcome { guide: show.stage.guide, took: show.elapsed(), reports };
    let lines = summary::closing(&outcome.reports, outcome.took);
    lines.into_iter().for_each(|line| show.say(line));
    show.say(Line::default());
    show.say(Line::of(Tone::Dim, outcome.json()));
    Ok(outcome)
}

fn welcome(show: &mut Show<'_>) {
    let (kubeconfig, log) = (show.stage.kubeconfig.display(), show.stage.log.display());
    let operator = format!("vexil {}", operator::flags(show.stage.guide).join(" "));
    let lines = [
        Line::default(),
        Line::of(Tone::Bold, format!("  Vexil plays “{}”", show.stage.guide.title)),
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
    lines.into_iter().for_each(|line| show.say(line));
}

/// Goes on with clients and operator, for whoever wants to try something.
async fn keep(show: &mut Show<'_>) -> anyhow::Result<()> {
    show.begin("Left running for you · Ctrl-C ends it");
    let commands = [
        format!("export KUBECONFIG={}", show.stage.kubeconfig.display()),
        "kubectl get canaries --all-namespaces --watch".to_owned(),
        format!(
            "kubectl -n {NAMESPACE} set image deployment/{APP} {CONTAINER}={}",
            show.stage.guide.images.crashing
        ),
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

/// It shall end before its end.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

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
