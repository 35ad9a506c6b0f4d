//! What a reconcile works with while it is under way: its turn among the others, the bounds for what it asks outside,
//! and who tells it that something came up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vexil_analysis::Question;
use vexil_object::ObjectKey;

use crate::{
    interest::{Interest, Looked},
    turns::{Held, Turns},
};

/// What is done at once in the whole process.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Reconciles that work: look, decide and write. One that waits for an answer from outside does not count.
    pub(crate) reconciles: Turns,
    /// Calls of webhooks that decide.
    pub(crate) hooks: Turns,
    /// Queries of metrics.
    pub(crate) metrics: Turns,
    /// Notices that wait to be delivered, or for another attempt.
    pub(crate) notices: Turns,
    /// Calls of webhooks that are told.
    pub(crate) told: Turns,
    /// Events that are being recorded.
    pub(crate) events: Turns,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            reconciles: Turns::new(64, 1),
            hooks: Turns::new(512, 1),
            metrics: Turns::new(256, 1),
            notices: Turns::new(4096, 128),
            told: Turns::new(256, 4),
            events: Turns::new(32, 2),
        }
    }
}

/// Who looks at what, as reconciles and the runner share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedInterest(Arc<Mutex<Interest>>);

impl SharedInterest {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Interest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reconcile works with.
#[derive(Debug)]
pub(crate) struct Desk {
    key: ObjectKey,
    interest: SharedInterest,
    bounds: Bounds,
    turn: Held,
    disturbed: Arc<Notify>,
    looked: Option<Looked>,
}

impl Desk {
    pub(crate) fn new(key: &ObjectKey, interest: &SharedInterest, bounds: &Bounds, turn: Held) -> Self {
        Desk {
            key: key.clone(),
            interest: interest.clone(),
            bounds: bounds.clone(),
            turn,
            disturbed: Arc::default(),
            looked: None,
        }
    }

    /// How to tell the reconcile that something came up.
    pub(crate) fn disturbance(&self) -> Arc<Notify> {
        Arc::clone(&self.disturbed)
    }

    /// Changes of what was looked at matter from now on.
    pub(crate) fn look_at(&mut self, looked: Looked) {
        if self.looked.as_ref() != Some(&looked) {
            self.interest.lock().set(&self.key, &looked);
            self.looked = Some(looked);
        }
    }

    /// What was looked at last; none when it did not come to that.
    pub(crate) fn looked(self) -> Option<Looked> {
        self.looked
    }

    /// Ready when something came up since the last time.
    pub(crate) async fn disturbed(&self) {
        self.disturbed.notified().await;
    }

    /// Asks something outside, when it is this Canary's turn. Others are reconciled meanwhile.
    pub(crate) async fn outside<T>(&self, question: Question, answer: impl Future<Output = T>) -> T {
        let turns = match question {
            Question::Hook(..) => &self.bounds.hooks,
            Question::Check(_) | Question::Providers => &self.bounds.metrics,
            _ => return answer.await,
        };
        let asked = async {
            let _turn = turns.turn(&self.key).await;
            answer.await
        };
        self.turn.without(asked).await
    }
}

#[cfg(test)]
mod tests;
