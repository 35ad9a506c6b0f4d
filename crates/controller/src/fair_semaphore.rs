//! A semaphore that is fair to namespaces: one namespace gets as many permits as it leaves free for the others, so that
//! however long one tenant keeps its permits, another one finds a free permit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, oneshot};
use vexil_object::ObjectKey;

use crate::fair_queue::FairQueue;

/// A number of permits. All clones share them.
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

/// A permit; dropped, it goes to the next one who waits.
#[derive(Debug)]
pub(crate) struct Permit {
    semaphore: FairSemaphore,
    key: ObjectKey,
}

impl FairSemaphore {
    /// A semaphore with `total` permits, of which one Canary has at most `per_canary`.
    pub(crate) fn new(total: usize, per_canary: usize) -> Self {
        FairSemaphore(Arc::new(Inner { total, per_canary, state: Mutex::default(), released: Notify::new() }))
    }

    /// Whether all permits are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.state().taken >= self.0.total
    }

    /// Whether a Canary would get a permit now.
    pub(crate) fn allows(&self, key: &ObjectKey) -> bool {
        self.state().allows(&self.0, key)
    }

    /// A permit, if the Canary gets one now.
    pub(crate) fn try_acquire(&self, key: &ObjectKey) -> Option<Permit> {
        let mut state = self.state();
        let allowed = state.allows(&self.0, key).then(|| state.add(key));
        allowed.map(|()| Permit { semaphore: self.clone(), key: key.clone() })
    }

    /// A permit, as soon as it is this Canary's turn.
    pub(crate) async fn acquire(&self, key: &ObjectKey) -> Permit {
        if let Some(permit) = self.try_acquire(key) {
            return permit;
        }
        let (sender, receiver) = oneshot::channel();
        self.state().waiting.push(key, sender, |waiting| !waiting.is_closed());
        self.wake_waiting();
        match receiver.await {
            Ok(permit) => permit,
            // Cannot happen: a sender is kept until it has sent. One permit too many does less harm than none.
            Err(_) => self.acquire_over_limit(key),
        }
    }

    /// A permit beyond the limit: for work that released its own while it waited, and goes on.
    fn acquire_over_limit(&self, key: &ObjectKey) -> Permit {
        self.state().add(key);
        Permit { semaphore: self.clone(), key: key.clone() }
    }

    /// Resolves when a permit has been released since the last time.
    pub(crate) async fn released(&self) {
        self.0.released.notified().await;
    }

    /// Gives free permits to those who wait.
    fn wake_waiting(&self) {
        loop {
            let mut state = self.state();
            let next = {
                let State { waiting, taken, by_namespace, by_canary } = &mut *state;
                let allowed = |key: &ObjectKey| allows(&self.0, *taken, by_namespace, by_canary, key);
                waiting.pop(allowed)
            };
            let Some((key, sender)) = next else { break };
            if sender.is_closed() {
                continue;
            }
            state.add(&key);
            drop(state);
            // If the receiver is gone, the permit is dropped here and given away in the next round.
            let _unwanted = sender.send(Permit { semaphore: self.clone(), key });
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
        self.semaphore.state().release(&self.key);
        self.semaphore.wake_waiting();
    }
}

/// The permit of work that releases it while it awaits an answer from outside.
#[derive(Debug, Default)]
pub(crate) struct HeldPermit(Mutex<Option<Permit>>);

impl HeldPermit {
    /// Holds a permit.
    pub(crate) fn of(permit: Permit) -> Self {
        HeldPermit(Mutex::new(Some(permit)))
    }

    /// Awaits a future without the permit, and goes on at once afterwards, if need be beyond the limit.
    pub(crate) async fn release_while<T>(&self, future: impl Future<Output = T>) -> T {
        let permit = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let owner = permit.as_ref().map(|permit| (permit.semaphore.clone(), permit.key.clone()));
        drop(permit);
        let output = future.await;
        let again = owner.map(|(semaphore, key)| semaphore.acquire_over_limit(&key));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = again;
        output
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
    fn a_namespace_gets_as_many_permits_as_it_leaves_free() {
        let semaphore = FairSemaphore::new(8, 8);
        let take = |namespace: &str| {
            let all = (0..20).map_while(|number| semaphore.try_acquire(&key(namespace, &number.to_string())));
            all.collect::<Vec<_>>()
        };
        let (a, b, c) = (take("a"), take("b"), take("c"));
        assert_eq!([a.len(), b.len(), c.len()], [4, 2, 1]);
        drop(a);
        assert_eq!(take("d").len(), 3);
    }

    #[test]
    fn one_canary_gets_no_more_than_its_limit() {
        let semaphore = FairSemaphore::new(100, 2);
        let held: Vec<_> = (0..5).map_while(|_| semaphore.try_acquire(&key("a", "1"))).collect();
        assert_eq!(held.len(), 2);
        assert!(semaphore.try_acquire(&key("a", "2")).is_some());
    }

    #[test]
    fn a_released_permit_goes_to_the_next_that_still_waits() {
        let semaphore = FairSemaphore::new(2, 1);
        let (one, other, gone) = (key("a", "1"), key("a", "2"), key("a", "3"));
        let first = semaphore.try_acquire(&one).unwrap();
        let mut waits = Box::pin(semaphore.acquire(&other));
        let mut gives_up = Box::pin(semaphore.acquire(&gone));
        assert!(gives_up.as_mut().now_or_never().is_none());
        assert!(waits.as_mut().now_or_never().is_none());
        drop(gives_up);
        drop(first);
        let second = waits.as_mut().now_or_never().unwrap();
        drop((waits, second));
        assert!(semaphore.allows(&one), "no permit is lost");
    }

    #[tokio::test]
    async fn a_permit_is_free_while_its_owner_awaits_an_answer() {
        let semaphore = FairSemaphore::new(2, 1);
        let held = HeldPermit::of(semaphore.try_acquire(&key("a", "1")).unwrap());
        assert!(!semaphore.allows(&key("a", "2")));
        let inside = held.release_while(async { semaphore.try_acquire(&key("a", "2")).unwrap() }).await;
        drop(inside);
        assert!(!semaphore.allows(&key("a", "2")), "it has its permit again");
        drop(held);
        assert!(semaphore.allows(&key("a", "2")));
    }
}
