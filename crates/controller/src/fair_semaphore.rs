//! A bound on what is done at once, fair to namespaces: one may have as many permits as are left to the others, so that
//! however long a tenant keeps its own, another finds one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, oneshot};
use vexil_object::ObjectKey;

use crate::fair_queue::FairQueue;

/// A number of permits.
#[derive(Clone, Debug)]
pub(crate) struct FairSemaphore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// All permits, and those of one Canary.
    total: usize,
    per_canary: usize,
    state: Mutex<State>,
    released: Notify,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    by_namespace: BTreeMap<String, usize>,
    by_canary: BTreeMap<ObjectKey, usize>,
    waiting: FairQueue<oneshot::Sender<Permit>>,
}

/// A permit; dropped, the next one has it.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: FairSemaphore,
    key: ObjectKey,
}

impl FairSemaphore {
    /// So many permits, of which one Canary has at most `per_canary`.
    pub(crate) fn new(total: usize, per_canary: usize) -> Self {
        FairSemaphore(Arc::new(Inner { total, per_canary, state: Mutex::default(), released: Notify::new() }))
    }

    /// Whether no Canary may have a turn now.
    pub(crate) fn is_full(&self) -> bool {
        self.state().taken >= self.0.total
    }

    /// Whether a Canary may have a turn now.
    pub(crate) fn allows(&self, key: &ObjectKey) -> bool {
        self.state().allows(&self.0, key)
    }

    /// A permit, if the Canary may have one now.
    pub(crate) fn take(&self, key: &ObjectKey) -> Option<Permit> {
        let mut state = self.state();
        let permit = state.allows(&self.0, key).then(|| state.add(key));
        permit.map(|()| Permit { permits: self.clone(), key: key.clone() })
    }

    /// A permit, when it is this Canary's.
    pub(crate) async fn permit(&self, key: &ObjectKey) -> Permit {
        if let Some(permit) = self.take(key) {
            return permit;
        }
        let (sender, receiver) = oneshot::channel();
        self.state().waiting.push(key, sender, |waiting| !waiting.is_closed());
        self.wake_waiting();
        match receiver.await {
            Ok(permit) => permit,
            // Never: it is kept until it is sent. One more does less harm than none.
            Err(_) => self.acquire_over_limit(key),
        }
    }

    /// A turn beyond the bound: for work that was let go of while it waited, and goes on.
    fn acquire_over_limit(&self, key: &ObjectKey) -> Permit {
        self.state().add(key);
        Permit { permits: self.clone(), key: key.clone() }
    }

    /// Ready when a turn has become free since the last time.
    pub(crate) async fn released(&self) {
        self.0.released.notified().await;
    }

    /// Gives free permits to those who wait.
    fn wake_waiting(&self) {
        loop {
            let mut state = self.state();
            let next = {
                let State { waiting, taken, by_namespace, by_canary } = &mut *state;
                let bound = |key: &ObjectKey| allows(&self.0, *taken, by_namespace, by_canary, key);
                waiting.pop(bound)
            };
            let Some((key, sender)) = next else { break };
            if sender.is_closed() {
                continue;
            }
            state.add(&key);
            drop(state);
            // One that is not taken any more is dropped here, and handed on by the next round.
            let _unwanted = sender.send(Permit { permits: self.clone(), key });
        }
        self.0.released.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn allows(
    inner: &Inner,
    taken: usize,
    by_namespace: &BTreeMap<String, usize>,
    by_canary: &BTreeMap<ObjectKey, usize>,
    key: &ObjectKey,
) -> bool {
    let free = inner.total.saturating_sub(taken);
    let has = by_namespace.get(key.namespace()).copied().unwrap_or_default();
    free > has && by_canary.get(key).copied().unwrap_or_default() < inner.per_canary
}

impl State {
    fn allows(&self, inner: &Inner, key: &ObjectKey) -> bool {
        allows(inner, self.taken, &self.by_namespace, &self.by_canary, key)
    }

    fn add(&mut self, key: &ObjectKey) {
        self.taken += 1;
        *self.by_namespace.entry(key.namespace().to_owned()).or_default() += 1;
        *self.by_canary.entry(key.clone()).or_default() += 1;
    }

    fn release(&mut self, key: &ObjectKey) {
        self.taken = self.taken.saturating_sub(1);
        if let Some(count) = self.by_namespace.get_mut(key.namespace()) {
            *count -= 1;
            if *count == 0 {
                self.by_namespace.remove(key.namespace());
            }
        }
        if let Some(count) = self.by_canary.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.by_canary.remove(key);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.state().release(&self.key);
        self.permits.wake_waiting();
    }
}

/// The turn of work that may let go of it while it waits for something outside.
#[derive(Debug, Default)]
pub(crate) struct HeldPermit(Mutex<Option<Permit>>);

impl HeldPermit {
    /// Holds a permit.
    pub(crate) fn of(permit: Permit) -> Self {
        HeldPermit(Mutex::new(Some(permit)))
    }

    /// Waits for something outside without the permit.
    pub(crate) async fn release_while<T>(&self, waits: impl Future<Output = T>) -> T {
        let permit = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let whose = permit.as_ref().map(|permit| (permit.permits.clone(), permit.key.clone()));
        drop(permit);
        let come = waits.await;
        let again = whose.map(|(permits, key)| permits.acquire_over_limit(&key));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = again;
        come
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use vexil_object::kinds::CANARY;

    use super::*;

    fn key(namespace: &str, name: &str) -> ObjectKey {
        ObjectKey::new(CANARY, namespace, name)
    }

    #[test]
    fn a_namespace_has_as_many_as_it_leaves_to_the_others() {
        let permits = FairSemaphore::new(8, 8);
        let take = |namespace: &str| {
            let all = (0..20).map_while(|number| permits.take(&key(namespace, &number.to_string())));
            all.collect::<Vec<_>>()
        };
        let (a, b, c) = (take("a"), take("b"), take("c"));
        assert_eq!([a.len(), b.len(), c.len()], [4, 2, 1]);
        drop(a);
        assert_eq!(take("d").len(), 3);
    }

    #[test]
    fn one_canary_has_no_more_than_its_own() {
        let permits = FairSemaphore::new(100, 2);
        let held: Vec<_> = (0..5).map_while(|_| permits.take(&key("a", "1"))).collect();
        assert_eq!(held.len(), 2);
        assert!(permits.take(&key("a", "2")).is_some());
    }

    #[test]
    fn who_waits_has_what_becomes_free_and_who_gave_up_does_not() {
        let permits = FairSemaphore::new(2, 1);
        let (one, other, gone) = (key("a", "1"), key("a", "2"), key("a", "3"));
        let first = permits.take(&one).unwrap();
        let mut waits = Box::pin(permits.permit(&other));
        let mut gives_up = Box::pin(permits.permit(&gone));
        assert!(gives_up.as_mut().now_or_never().is_none());
        assert!(waits.as_mut().now_or_never().is_none());
        drop(gives_up);
        drop(first);
        let second = waits.as_mut().now_or_never().unwrap();
        drop((waits, second));
        assert!(permits.allows(&one), "none is lost");
    }

    #[tokio::test]
    async fn what_waits_outside_holds_no_turn_and_goes_on_at_once() {
        let permits = FairSemaphore::new(2, 1);
        let held = HeldPermit::of(permits.take(&key("a", "1")).unwrap());
        assert!(!permits.allows(&key("a", "2")));
        let inside = held.release_while(async { permits.take(&key("a", "2")).unwrap() }).await;
        drop(inside);
        assert!(!permits.allows(&key("a", "2")), "it has its turn again");
        drop(held);
        assert!(permits.allows(&key("a", "2")));
    }
}
