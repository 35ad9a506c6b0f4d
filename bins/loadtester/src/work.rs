//! Runs one task, and reports its result to the log, the metrics and the caller.

use std::{sync::Arc, time::Instant};

use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;
use vexil_egress::Transport;

use crate::{
    kinds::{Remote, Work},
    metrics::{Metrics, Underway},
    process::{self, End, Limits, Outcome},
    reply::Reply,
    tasks::{Place, Task},
};

/// A task that may start.
#[derive(Debug)]
pub struct Job {
    /// What is to be done.
    pub task: Task,
    /// Held while anything of it runs.
    pub place: Place,
    /// Counts it while anything of it runs.
    pub underway: Underway,
    /// Ends it early.
    pub cancelled: CancellationToken,
    /// The caller, if it waits for the result.
    pub answer: Option<oneshot::Sender<Reply>>,
}

/// What tasks need.
#[derive(Clone)]
pub struct Tools {
    /// Limits of commands; the deadline holds for every task.
    pub limits: Limits,
    /// The deadline as the flag has it.
    pub timeout: String,
    /// The way to other services.
    pub out: Arc<dyn Transport>,
    /// What is counted.
    pub metrics: Metrics,
}

/// Carries out a task until nothing of it is left.
pub async fn carry_out(job: Job, tools: &Tools) {
    let Job { mut task, place, underway, cancelled, answer } = job;
    let begun = Instant::now();
    tools.metrics.started(task.kind);
    let shown = task.work.shown();
    tracing::info!(
        canary = task.canary,
        task_type = task.kind.name,
        phase = task.phase,
        checksum = task.checksum,
        "task starting {shown}"
    );
    match &mut task.work {
        Work::Remote(remote) => {
            let outcome = call(remote.as_mut(), tools, &cancelled).await;
            report(&task, &outcome, tools, begun, answer);
        }
        Work::Command { command, .. } => {
            let command = command.clone();
            process::run(&command, &tools.limits, &cancelled, |outcome| {
                report(&task, &outcome, tools, begun, answer);
            })
            .await;
        }
    }
    // In this order, so that a task that is no longer counted can be started again.
    drop(place);
    drop(underway);
}

/// Has another service do it.
async fn call(remote: &mut dyn Remote, tools: &Tools, cancelled: &CancellationToken) -> Outcome {
    let end = tokio::select! {
        biased;
        () = cancelled.cancelled() => End::Cancelled,
        result = timeout(tools.limits.timeout, remote.run(tools.out.as_ref())) => match result {
            Ok(Ok(())) => End::Succeeded,
            Ok(Err(why)) => End::Failed(why),
            Err(_) => End::TimedOut,
        }
    };
    if end != End::Succeeded {
        remote.stop(tools.out.as_ref()).await;
    }
    Outcome { output: String::new(), end }
}

/// Reports the result.
fn report(
    task: &Task,
    outcome: &Outcome,
    tools: &Tools,
    begun: Instant,
    answer: Option<oneshot::Sender<Reply>>,
) {
    let (shown, canary, after) = (task.work.shown(), &task.canary, begun.elapsed());
    let seconds = after.as_secs();
    let result = match outcome.end {
        End::Succeeded => "succeeded",
        End::Failed(_) => "failed",
        End::TimedOut => "timed_out",
        End::Cancelled => "cancelled",
    };
    tools.metrics.ended(task.kind, result, after);
    let reply = Reply::result(task, outcome, &tools.timeout);
    match &outcome.end {
        End::Succeeded if task.logs_output => {
            tracing::info!(canary, seconds, output = outcome.output, "command finished {shown}");
        }
        End::Succeeded => tracing::info!(canary, seconds, "command finished {shown}"),
        end @ End::Cancelled => {
            let error = end.reason(&tools.timeout);
            tracing::warn!(canary, seconds, error, output = outcome.output, "command failed {shown}");
        }
        end => {
            let error = end.reason(&tools.timeout);
            tracing::error!(canary, seconds, error, output = outcome.output, "command failed {shown}");
        }
    }
    if let Some(answer) = answer {
        // The caller may have hung up.
        let _heard = answer.send(reply);
    }
}
