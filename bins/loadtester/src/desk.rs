//! Where calls are received: what they may ask for is decided here, and handed on to be done.

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

/// What the process knows while it runs.
#[derive(Debug)]
pub struct Desk {
    /// Who may ask.
    pub namespaces: Namespaces,
    /// For what.
    pub kinds: Kinds,
    /// How many at once.
    pub max_tasks: usize,
    /// Which gates are open.
    pub gates: Mutex<Gates>,
    /// Which tasks run.
    pub places: Places,
    /// Where tasks go that may start.
    pub jobs: mpsc::Sender<Job>,
    /// Ends every task.
    pub stop: CancellationToken,
    /// What is counted.
    pub metrics: Metrics,
}

/// What is done with a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is asked.
    Check,
    /// It is opened.
    Open,
    /// It is closed.
    Close,
}

impl Desk {
    /// A gate is asked, opened or closed (`loadtester-and-charts.md` A4).
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

    /// A task is asked for (`loadtester-and-charts.md` A6, A7). Dropping the future ends a task whose result it waits
    /// for.
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
        let (tell, told) = oneshot::channel();
        let answer = (!background).then_some(tell);
        let underway = self.metrics.begin(task.kind);
        let job = Job { task, place, underway, cancelled: cancelled.clone(), answer };
        // There is room for as many jobs as there are places, so this fails only when nobody takes them any more.
        if self.jobs.try_send(job).is_err() {
            return Reply::stopping();
        }
        if background {
            return Reply::accepted();
        }
        let guard = cancelled.drop_guard();
        let reply = told.await.unwrap_or_else(|_| Reply::stopping());
        // What the task left in the background outlives its answer.
        let _cancelled = guard.disarm();
        reply
    }
}
