//! Request handlers: decide what a caller may do, and enqueue its task.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    gates::{GateKey, Gates},
    kinds::Kinds,
    metrics::{Metrics, Refusal},
    namespaces::Namespaces,
    payload::Payload,
    reply::Reply,
    tasks::{Admission, Places, Task},
    work::Job,
};

/// The state that handlers share.
#[derive(Debug)]
pub struct Handlers {
    /// Namespaces that may call.
    pub namespaces: Namespaces,
    /// Task types that are switched on.
    pub kinds: Kinds,
    /// Maximum number of tasks that run at once.
    pub max_tasks: usize,
    /// The open gates.
    pub gates: Mutex<Gates>,
    /// The running tasks.
    pub places: Places,
    /// Queue of tasks to start.
    pub jobs: mpsc::Sender<Job>,
    /// Stops every task.
    pub stop: CancellationToken,
    /// The process's metrics.
    pub metrics: Metrics,
}

/// An operation on a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Query whether it is open.
    Check,
    /// Open it.
    Open,
    /// Close it.
    Close,
}

impl Handlers {
    /// Queries, opens or closes a gate.
    pub fn gate(&self, key: GateKey, act: Act) -> Reply {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let canary = format!("{}.{}", key.name, key.namespace);
        let word = match key.gate {
            crate::gates::Gate::Confirm => "gate",
            crate::gates::Gate::Rollback => "rollback",
        };
        match act {
            Act::Check => {
                let open = gates.is_open(&key);
                tracing::info!(canary, "{key} {word} check: approved {open}");
                Reply::gate(open)
            }
            Act::Open if !gates.open(key.clone()) => Reply::too_many("too many gates are open"),
            Act::Open => {
                self.metrics.gates(gates.count());
                tracing::info!(canary, "{key} {word} opened");
                Reply::accepted()
            }
            Act::Close => {
                gates.close(&key);
                self.metrics.gates(gates.count());
                tracing::info!(canary, "{key} {word} closed");
                Reply::accepted()
            }
        }
    }

    /// Starts a task. Dropping the future stops a task whose result it waits for.
    pub async fn task(&self, payload: &Payload) -> Reply {
        let canary = payload.canary();
        let task = match Task::read(payload, &self.kinds) {
            Ok(task) => task,
            Err(reply) => {
                self.metrics.refused(Refusal::Invalid);
                tracing::warn!(canary, "task refused: {}", reply.text);
                return reply;
            }
        };
        let place = match self.places.take(&task) {
            Admission::Granted(place) => place,
            Admission::AlreadyRunning => {
                self.metrics.refused(Refusal::AlreadyRunning);
                tracing::info!(canary, "command skipped {} is already running", task.work.shown());
                return Reply::accepted();
            }
            Admission::Full => {
                self.metrics.refused(Refusal::TooMany);
                let text = format!("too many tasks: {} are running (-max-tasks)", self.max_tasks);
                tracing::warn!(canary, "task refused: {text}");
                return Reply::too_many(text);
            }
        };
        if self.stop.is_cancelled() {
            return Reply::stopping();
        }
        let (background, cancelled) = (task.kind.background, self.stop.child_token());
        let (answer, answered) = oneshot::channel();
        let answer = (!background).then_some(answer);
        let underway = self.metrics.begin(task.kind);
        let job = Job { task, place, underway, cancelled: cancelled.clone(), answer };
        // The queue has room for as many jobs as there are places, so this fails only after the worker has stopped.
        if self.jobs.try_send(job).is_err() {
            return Reply::stopping();
        }
        if background {
            return Reply::accepted();
        }
        let guard = cancelled.drop_guard();
        let reply = answered.await.unwrap_or_else(|_| Reply::stopping());
        // Processes that the task left in the background run on after its answer.
        let _cancelled = guard.disarm();
        reply
    }
}
