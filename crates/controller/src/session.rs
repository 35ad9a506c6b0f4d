//! What a reconcile works with while it is under way: its turn among the others, the limits for what it asks outside,
//! and who tells it that something came up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vexil_analysis::Question;
use vexil_object::ObjectKey;

use crate::{
    fair_semaphore::{FairSemaphore, HeldPermit},
    watch_index::{Dependencies, WatchIndex},
};

/// What is done at once in the whole process.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Reconciles that work: look, decide and write. One that waits for an answer from outside does not count.
    pub(crate) reconciles: FairSemaphore,
    /// Calls of webhooks that decide.
    pub(crate) hooks: FairSemaphore,
    /// Queries of metrics.
    pub(crate) metrics: FairSemaphore,
    /// Notices that wait to be delivered, or for another attempt.
    pub(crate) notices: FairSemaphore,
    /// Calls of webhooks that are webhooks.
    pub(crate) webhooks: FairSemaphore,
    /// Events that are being recorded.
    pub(crate) events: FairSemaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            reconciles: FairSemaphore::new(64, 1),
            hooks: FairSemaphore::new(512, 1),
            metrics: FairSemaphore::new(256, 1),
            notices: FairSemaphore::new(4096, 128),
            webhooks: FairSemaphore::new(256, 4),
            events: FairSemaphore::new(32, 2),
        }
    }
}

/// Who looks at what, as reconciles and the runner share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedWatchIndex(Arc<Mutex<WatchIndex>>);

impl SharedWatchIndex {
    pub(crate) fn lock(&self) -> MutexGuard<'_, WatchIndex> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reconcile works with.
#[derive(Debug)]
pub(crate) struct Session {
    key: ObjectKey,
    watch_index: SharedWatchIndex,
    limits: Limits,
    permit: HeldPermit,
    woken: Arc<Notify>,
    dependencies: Option<Dependencies>,
}

impl Session {
    pub(crate) fn new(
        key: &ObjectKey,
        watch_index: &SharedWatchIndex,
        limits: &Limits,
        permit: HeldPermit,
    ) -> Self {
        Session {
            key: key.clone(),
            watch_index: watch_index.clone(),
            limits: limits.clone(),
            permit,
            woken: Arc::default(),
            dependencies: None,
        }
    }

    /// How to tell the reconcile that something came up.
    pub(crate) fn wake_handle(&self) -> Arc<Notify> {
        Arc::clone(&self.woken)
    }

    /// Changes of what was dependencies at matter from now on.
    pub(crate) fn set_dependencies(&mut self, dependencies: Dependencies) {
        if self.dependencies.as_ref() != Some(&dependencies) {
            self.watch_index.lock().set(&self.key, &dependencies);
            self.dependencies = Some(dependencies);
        }
    }

    /// What was dependencies at last; none when it did not come to that.
    pub(crate) fn dependencies(self) -> Option<Dependencies> {
        self.dependencies
    }

    /// Ready when something came up since the last time.
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Asks something outside, when it is this Canary's permit. Others are reconciled meanwhile.
    pub(crate) async fn ask_outside<T>(&self, question: Question, answer: impl Future<Output = T>) -> T {
        let permits = match question {
            Question::Hook(..) => &self.limits.hooks,
            Question::Check(_) | Question::Providers => &self.limits.metrics,
            _ => return answer.await,
        };
        let asked = async {
            let _turn = permits.permit(&self.key).await;
            answer.await
        };
        self.permit.release_while(asked).await
    }
}

#[cfg(test)]
mod tests;
