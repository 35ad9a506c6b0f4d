//! What a reconcile in progress works with: its permit, the limits for calls to the outside, and what wakes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vexil_analysis::Question;
use vexil_object::ObjectKey;

use crate::{
    fair_semaphore::HeldPermit,
    limits::Limits,
    watch_index::{Dependencies, WatchIndex},
};

/// Which Canary depends on what, shared by the reconciles and the operator's loop.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedWatchIndex(Arc<Mutex<WatchIndex>>);

impl SharedWatchIndex {
    pub(crate) fn lock(&self) -> MutexGuard<'_, WatchIndex> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reconcile in progress works with.
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

    /// Notified when a dependency of the reconcile changes.
    pub(crate) fn wake_handle(&self) -> Arc<Notify> {
        Arc::clone(&self.woken)
    }

    /// Changes of these objects and lists wake the reconcile from now on.
    pub(crate) fn set_dependencies(&mut self, dependencies: Dependencies) {
        if self.dependencies.as_ref() != Some(&dependencies) {
            self.watch_index.lock().set(&self.key, &dependencies);
            self.dependencies = Some(dependencies);
        }
    }

    /// The last dependencies; `None` if the reconcile ended before it had any.
    pub(crate) fn dependencies(self) -> Option<Dependencies> {
        self.dependencies
    }

    /// Resolves when a dependency has changed since the last time.
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Awaits an answer from outside of the cluster, within the limits for such calls. Meanwhile another Canary has the
    /// permit to reconcile.
    pub(crate) async fn ask_outside<T>(&self, question: &Question, answer: impl Future<Output = T>) -> T {
        let limit = match question {
            Question::Hook(..) => &self.limits.hooks,
            Question::Check(_) | Question::Providers => &self.limits.metrics,
            _ => return answer.await,
        };
        let asked = async {
            let _permit = limit.acquire(&self.key).await;
            answer.await
        };
        self.permit.release_while(asked).await
    }
}

#[cfg(test)]
mod tests;
