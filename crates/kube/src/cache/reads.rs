//! What the answer to a read adds to the cache.
//!
//! "Not found" has no version, so it settles only the object that was known when the read was sent.

use serde_json::Value;
use vexil_object::{ObjectKey, meta};

use super::Cache;
use crate::{
    changes::CacheEvent,
    pending::{Pending, PendingState, uid, version},
};

/// What was known when a read was sent, so that its answer does not replace what was learned since then.
#[derive(Clone, Debug)]
pub(crate) struct ReadStart {
    ticket: u64,
    epoch: u64,
    uid: Option<String>,
}

/// What the answer "not found" adds to the cache.
enum ReadOutcome {
    Nothing,
    CacheIsRight,
    Pending(PendingState),
}

impl Cache {
    /// A read is about to be sent.
    pub(crate) fn read_started(&self, key: &ObjectKey) -> ReadStart {
        let uid = self.cached(key).map(uid);
        ReadStart { ticket: self.ticket, epoch: self.epoch, uid }
    }

    /// The read was answered; `None` = there is no such object. Returns what looks different now.
    pub(crate) fn read_finished(
        &mut self,
        key: &ObjectKey,
        start: &ReadStart,
        object: Option<Value>,
    ) -> Vec<CacheEvent> {
        let outcome = match object {
            Some(object) if self.is_outdated(key, start, &object) => ReadOutcome::Nothing,
            Some(object) => return self.set_present(key.clone(), object, start.epoch),
            None => self.not_found(key, start),
        };
        match outcome {
            ReadOutcome::Nothing => Vec::new(),
            ReadOutcome::CacheIsRight => self.clear_pending(key),
            ReadOutcome::Pending(state) => self.set_pending(key.clone(), state),
        }
    }

    /// Whether more than this answer is known already.
    fn is_outdated(&self, key: &ObjectKey, start: &ReadStart, object: &Value) -> bool {
        let at = version(object);
        self.pending.get(key).is_some_and(|pending| {
            let deleted =
                matches!(&pending.state, PendingState::Deleted { uid, .. } if *uid == meta::uid(object));
            let known = pending.state.version();
            at < known || (pending.ticket > start.ticket && (at == known || deleted))
        })
    }

    fn not_found(&self, key: &ObjectKey, start: &ReadStart) -> ReadOutcome {
        match self.pending.get(key) {
            Some(Pending { state: PendingState::Deleted { .. }, .. }) => return ReadOutcome::Nothing,
            Some(Pending { state: PendingState::Present(object), ticket, .. }) => {
                let (uid, version) = (uid(object), object.version());
                return ReadOutcome::Pending(if *ticket <= start.ticket {
                    PendingState::Deleted { uid, version }
                } else {
                    // Sent before the write: it did not exist before, or does not any more.
                    PendingState::Unknown { floor: version, fenced: Some(uid), deleted: None }
                });
            }
            Some(Pending { state: PendingState::Unknown { .. }, ticket, .. }) if *ticket > start.ticket => {
                return ReadOutcome::Nothing;
            }
            Some(Pending { state: PendingState::Unknown { floor, fenced, deleted }, .. }) => {
                if let Some(uid) = fenced.as_ref().or(deleted.as_ref()) {
                    return ReadOutcome::Pending(PendingState::Deleted { uid: uid.clone(), version: *floor });
                }
            }
            None => {}
        }
        let Some(cached) = self.cached(key) else { return ReadOutcome::CacheIsRight };
        let (uid, version) = (uid(cached), cached.version());
        ReadOutcome::Pending(if start.uid.as_deref() == Some(uid.as_str()) {
            PendingState::Deleted { uid, version }
        } else {
            // Another object than when the read was sent: created since then, or deleted since then.
            PendingState::Unknown { floor: version, fenced: Some(uid), deleted: None }
        })
    }
}
