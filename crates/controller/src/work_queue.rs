//! The queue of reconciles: a Canary is reconciled at most once at a time, again if it was enqueued meanwhile, and
//! namespaces alternate. No operation is linear in the number of Canaries.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use vexil_object::ObjectKey;

use crate::fair_queue::FairQueue;

/// The queue of reconciles.
#[derive(Debug, Default)]
pub(crate) struct WorkQueue {
    timers: BTreeSet<(Instant, ObjectKey)>,
    due: BTreeMap<ObjectKey, Instant>,
    ready: FairQueue<()>,
    /// Whether it was enqueued during the reconcile.
    running: BTreeMap<ObjectKey, bool>,
}

impl WorkQueue {
    /// Reconciles `key` as soon as possible.
    pub(crate) fn enqueue(&mut self, key: &ObjectKey) {
        self.unset(key);
        if let Some(again) = self.running.get_mut(key) {
            *again = true;
        } else if !self.ready.contains(key) {
            self.ready.push(key, (), |_| true);
        }
    }

    /// Reconciles `key` at `at`, or earlier if it is already requeued for an earlier time.
    pub(crate) fn requeue_at(&mut self, key: &ObjectKey, at: Instant) {
        let wanted = self.due.get(key).is_some_and(|due| *due <= at);
        if wanted || self.ready.contains(key) {
            return;
        }
        self.unset(key);
        self.timers.insert((at, key.clone()));
        self.due.insert(key.clone(), at);
    }

    /// Takes a Canary that is due, is not being reconciled, and that `may` accepts.
    pub(crate) fn take(&mut self, now: Instant, may: impl Fn(&ObjectKey) -> bool) -> Option<ObjectKey> {
        while let Some((at, key)) = self.timers.first().cloned()
            && at <= now
        {
            self.enqueue(&key);
        }
        let (key, ()) = self.ready.pop(may)?;
        self.running.insert(key.clone(), false);
        Some(key)
    }

    /// A reconcile has ended. Returns whether the Canary was enqueued meanwhile; the caller enqueues it again.
    pub(crate) fn ended(&mut self, key: &ObjectKey) -> bool {
        self.running.remove(key).unwrap_or_default()
    }

    /// When the next requeued Canary is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Removes a Canary that is gone.
    pub(crate) fn forget(&mut self, key: &ObjectKey) {
        self.unset(key);
        self.ready.remove(key);
    }

    fn unset(&mut self, key: &ObjectKey) {
        if let Some(at) = self.due.remove(key) {
            self.timers.remove(&(at, key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vexil_object::kinds::CANARY;

    use super::*;

    fn key(namespace: &str, name: &str) -> ObjectKey {
        ObjectKey::new(CANARY, namespace, name)
    }

    const ANY: fn(&ObjectKey) -> bool = |_| true;

    #[test]
    fn a_canary_is_reconciled_once_at_a_time_and_a_wake_meanwhile_is_reported() {
        let (mut queue, start) = (WorkQueue::default(), Instant::now());
        let key = key("test", "podinfo");
        queue.requeue_at(&key, start + Duration::from_secs(5));
        assert_eq!(queue.take(start, ANY), None);
        queue.enqueue(&key);
        assert_eq!(queue.take(start, ANY), Some(key.clone()));
        queue.enqueue(&key);
        assert_eq!((queue.take(start, ANY), queue.next()), (None, None));
        assert!(queue.ended(&key));
        assert_eq!(queue.take(start, ANY), None);
        queue.enqueue(&key);
        assert_eq!(queue.take(start, ANY), Some(key.clone()));
        assert!(!queue.ended(&key));
    }

    #[test]
    fn the_earliest_requeue_counts() {
        let (mut queue, start) = (WorkQueue::default(), Instant::now());
        let (key, after) = (key("test", "podinfo"), |seconds| start + Duration::from_secs(seconds));
        for seconds in [9, 3, 6] {
            queue.requeue_at(&key, after(seconds));
        }
        assert_eq!(queue.next(), Some(after(3)));
        assert_eq!((queue.take(after(2), ANY), queue.take(after(3), ANY)), (None, Some(key.clone())));
        queue.requeue_at(&key, after(4));
        assert_eq!(queue.take(after(4), ANY), None, "it is still being reconciled");
        assert!(queue.ended(&key));
    }

    #[test]
    fn a_namespace_of_a_thousand_does_not_keep_another_waiting() {
        let (mut queue, now) = (WorkQueue::default(), Instant::now());
        (0..1000).for_each(|number| queue.enqueue(&key("crowd", &number.to_string())));
        queue.enqueue(&key("quiet", "podinfo"));
        let taken: Vec<_> = (0..2).filter_map(|_| queue.take(now, ANY)).collect();
        assert_eq!(taken.last(), Some(&key("quiet", "podinfo")));
        assert_eq!(queue.take(now, |key| key.namespace() == "quiet"), None);
    }
}
