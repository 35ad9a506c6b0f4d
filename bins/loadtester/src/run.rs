//! Start, run, stop: listens, runs tasks, and stops all of their processes on SIGTERM.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use vexil_egress::Egress;
use vexil_program::{Limits as Peers, Listener};

use crate::{
    args::Args,
    gates::Gates,
    handlers::Handlers,
    metrics::Metrics,
    process::{self, Limits},
    routes,
    tasks::Places,
    work::{Job, Tools, carry_out},
};

/// What callers may do. All calls come from the operator's one address, and a blocking task holds its connection.
const PEERS: Peers = Peers {
    connections: 2_048,
    per_peer: 1_024,
    head_ms: 10_000,
    stalled_ms: 30_000,
    head_bytes: 16 << 10,
    // Above the limit of a body, so that a caller whose body is over it gets an answer.
    body_bytes: 2 * routes::LARGEST_BODY,
};
/// Between SIGTERM and SIGKILL to a task's process group.
const GRACE: Duration = Duration::from_secs(5);
/// How long a stop may take: what a task needs to end, and its answer to be read.
const STOP: Duration = Duration::from_secs(10);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start, or did not end in order.
pub async fn run(args: Args) -> Result<()> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("another TLS implementation is installed");
    }
    if let Err(error) = process::adopt_orphans() {
        tracing::warn!("orphans of commands are left to others: {error}");
    }
    let listener =
        Listener::bind(args.port).with_context(|| format!("cannot listen on port {}", args.port))?;
    let (handlers, jobs, tools) = set_up(&args)?;
    let port = listener.port()?;
    tracing::info!("Starting load tester v{} API on port {port}", env!("CARGO_PKG_VERSION"));
    let kinds: Vec<_> = args.task_types.iter().map(|kind| kind.name).collect();
    tracing::info!("task types that are on: {}", kinds.join(", "));
    if let Some(advice) = args.namespace_regexp.advice() {
        tracing::warn!("{advice}");
    }
    let stop = handlers.stop.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut signals = async || {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let ending = async {
        signals().await;
        tracing::info!("stopping");
        stop.cancel();
        tokio::select! {
            biased;
            () = signals() => "a second signal came",
            () = sleep(STOP) => "what runs did not end in time",
        }
    };
    let served = listener.serve(routes::router(Arc::new(handlers)), PEERS, stop.clone().cancelled_owned());
    let serving = async {
        tokio::join!(served, work(jobs, tools, stop.clone(), process::bury_orphans));
    };
    tokio::select! {
        biased;
        () = serving => {}
        why = ending => bail!("ended at once: {why}"),
    }
    process::end_orphans().await;
    tracing::info!("stopped");
    Ok(())
}

/// What the flags ask for.
fn set_up(args: &Args) -> Result<(Handlers, mpsc::Receiver<Job>, Tools)> {
    let max_tasks = usize::from(args.max_tasks);
    let (jobs, received) = mpsc::channel(max_tasks);
    let metrics = Metrics::new(&args.task_types);
    let handlers = Handlers {
        namespaces: args.namespace_regexp.clone(),
        kinds: args.task_types.clone(),
        max_tasks,
        gates: Mutex::new(Gates::default()),
        places: Places::new(max_tasks),
        jobs,
        stop: CancellationToken::new(),
        metrics: metrics.clone(),
    };
    let output_bytes = usize::try_from(args.max_output_bytes)?;
    let limits = Limits { timeout: args.timeout.duration, grace: GRACE, output_bytes };
    let tools = Tools { limits, timeout: args.timeout.text.clone(), out: Arc::new(Egress::new()?), metrics };
    Ok((handlers, received, tools))
}

/// Carries out what comes, and after the stop waits until all of it has ended. `idle` is called when nothing runs.
pub async fn work(mut jobs: mpsc::Receiver<Job>, tools: Tools, stop: CancellationToken, idle: impl Fn()) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(job) = jobs.recv() => {
                let tools = tools.clone();
                running.spawn(async move { carry_out(job, &tools).await });
            }
            Some(ended) = running.join_next() => {
                log_panic(ended);
                if running.is_empty() {
                    idle();
                }
            }
        }
    }
    // Tasks that were received and not started are dropped, and their callers get an answer.
    drop(jobs);
    while let Some(ended) = running.join_next().await {
        log_panic(ended);
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a task was lost: {error}");
    }
}
