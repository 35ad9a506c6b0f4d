//! Who is to be ticked when: each Canary at most once at a time, and again when something came up meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use vexil_object::ObjectKey;

/// The queue of ticks.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<ObjectKey, Instant>,
    running: BTreeSet<ObjectKey>,
}

impl Queue {
    /// Ticks `key` at `at`, or earlier if that was wanted already.
    pub(crate) fn wake(&mut self, key: ObjectKey, at: Instant) {
        self.due.entry(key).and_modify(|due| *due = at.min(*due)).or_insert(at);
    }

    /// Takes one Canary that is due and not being ticked.
    pub(crate) fn take(&mut self, now: Instant) -> Option<ObjectKey> {
        let ready = |(key, due): &(&ObjectKey, &Instant)| **due <= now && !self.running.contains(*key);
        let key = self.due.iter().filter(ready).min_by_key(|(_, due)| **due).map(|(key, _)| key.clone())?;
        self.due.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// A tick has ended.
    pub(crate) fn ended(&mut self, key: &ObjectKey) {
        self.running.remove(key);
    }

    /// When the next Canary that is not being ticked is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.iter().filter(|(key, _)| !self.running.contains(*key)).map(|(_, due)| *due).min()
    }

    /// Forgets a Canary that is gone.
    pub(crate) fn forget(&mut self, key: &ObjectKey) {
        self.due.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vexil_object::kinds::CANARY;

    use super::*;

    #[test]
    fn a_canary_is_ticked_once_at_a_time_and_again_when_woken_meanwhile() {
        let (mut queue, start) = (Queue::default(), Instant::now());
        let key = ObjectKey::new(CANARY, "test", "podinfo");
        queue.wake(key.clone(), start + Duration::from_secs(5));
        assert_eq!(queue.take(start), None);
        queue.wake(key.clone(), start);
        assert_eq!(queue.take(start), Some(key.clone()));
        queue.wake(key.clone(), start);
        assert_eq!((queue.take(start), queue.next()), (None, None));
        queue.ended(&key);
        assert_eq!(queue.take(start), Some(key.clone()));
        queue.ended(&key);
        assert_eq!(queue.take(start), None);
    }
}
