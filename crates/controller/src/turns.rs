//! A bound on what is done at once, fair to namespaces: one may have as many turns as are left to the others, so that
//! however long a tenant keeps its own, another finds one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, oneshot};
use vexil_object::ObjectKey;

use crate::fair::Fair;

/// A number of turns.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// All turns, and those of one Canary.
    most: usize,
    of_one: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    by_namespace: BTreeMap<String, usize>,
    by_canary: BTreeMap<ObjectKey, usize>,
    waiting: Fair<oneshot::Sender<Turn>>,
}

/// A turn; dropped, the next one has it.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    key: ObjectKey,
}

impl Turns {
    /// So many turns, of which one Canary has at most `of_one`.
    pub(crate) fn new(most: usize, of_one: usize) -> Self {
        Turns(Arc::new(Inner { most, of_one, state: Mutex::default(), freed: Notify::new() }))
    }

    /// Whether no Canary may have a turn now.
    pub(crate) fn is_full(&self) -> bool {
        self.state().taken >= self.0.most
    }

    /// Whether a Canary may have a turn now.
    pub(crate) fn may(&self, key: &ObjectKey) -> bool {
        self.state().may(&self.0, key)
    }

    /// A turn, if the Canary may have one now.
    pub(crate) fn take(&self, key: &ObjectKey) -> Option<Turn> {
        let mut state = self.state();
        let turn = state.may(&self.0, key).then(|| state.add(key));
        turn.map(|()| Turn { turns: self.clone(), key: key.clone() })
    }

    /// A turn, when it is this Canary's.
    pub(crate) async fn turn(&self, key: &ObjectKey) -> Turn {
        if let Some(turn) = self.take(key) {
            return turn;
        }
        let (sender, receiver) = oneshot::channel();
        self.state().waiting.push(key, sender, |waiting| !waiting.is_closed());
        self.hand_on();
        match receiver.await {
            Ok(turn) => turn,
            // Never: it is kept until it is sent. One more does less harm than none.
            Err(_) => self.more(key),
        }
    }

    /// A turn beyond the bound: for work that was let go of while it waited, and goes on.
    fn more(&self, key: &ObjectKey) -> Turn {
        self.state().add(key);
        Turn { turns: self.clone(), key: key.clone() }
    }

    /// Ready when a turn has become free since the last time.
    pub(crate) async fn freed(&self) {
        self.0.freed.notified().await;
    }

    /// Gives free turns to those who wait.
    fn hand_on(&self) {
        loop {
            let mut state = self.state();
            let next = {
                let State { waiting, taken, by_namespace, by_canary } = &mut *state;
                let bound = |key: &ObjectKey| may(&self.0, *taken, by_namespace, by_canary, key);
                waiting.pop(bound)
            };
            let Some((key, sender)) = next else { break };
            if sender.is_closed() {
                continue;
            }
            state.add(&key);
            drop(state);
            // One that is not taken any more is dropped here, and handed on by the next round.
            let _unwanted = sender.send(Turn { turns: self.clone(), key });
        }
        self.0.freed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may(
    inner: &Inner,
    taken: usize,
    by_namespace: &BTreeMap<String, usize>,
    by_canary: &BTreeMap<ObjectKey, usize>,
    key: &ObjectKey,
) -> bool {
    let free = inner.most.saturating_sub(taken);
    let has = by_namespace.get(key.namespace()).copied().unwrap_or_default();
    free > has && by_canary.get(key).copied().unwrap_or_default() < inner.of_one
}

impl State {
    fn may(&self, inner: &Inner, key: &ObjectKey) -> bool {
        may(inner, self.taken, &self.by_namespace, &self.by_canary, key)
    }

    fn add(&mut self, key: &ObjectKey) {
        self.taken += 1;
        *self.by_namespace.entry(key.namespace().to_owned()).or_default() += 1;
        *self.by_canary.entry(key.clone()).or_default() += 1;
    }

    fn give(&mut self, key: &ObjectKey) {
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

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.state().give(&self.key);
        self.turns.hand_on();
    }
}

/// The turn of work that may let go of it while it waits for something outside.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Option<Turn>>);

impl Held {
    /// Holds a turn.
    pub(crate) fn of(turn: Turn) -> Self {
        Held(Mutex::new(Some(turn)))
    }

    /// Waits for something outside without the turn.
    pub(crate) async fn without<T>(&self, waits: impl Future<Output = T>) -> T {
        let turn = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let whose = turn.as_ref().map(|turn| (turn.turns.clone(), turn.key.clone()));
        drop(turn);
        let come = waits.await;
        let again = whose.map(|(turns, key)| turns.more(&key));
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
        let turns = Turns::new(8, 8);
        let take = |namespace: &str| {
            let all = (0..20).map_while(|number| turns.take(&key(namespace, &number.to_string())));
            all.collect::<Vec<_>>()
        };
        let (a, b, c) = (take("a"), take("b"), take("c"));
        assert_eq!([a.len(), b.len(), c.len()], [4, 2, 1]);
        drop(a);
        assert_eq!(take("d").len(), 3);
    }

    #[test]
    fn one_canary_has_no_more_than_its_own() {
        let turns = Turns::new(100, 2);
        let held: Vec<_> = (0..5).map_while(|_| turns.take(&key("a", "1"))).collect();
        assert_eq!(held.len(), 2);
        assert!(turns.take(&key("a", "2")).is_some());
    }

    #[test]
    fn who_waits_has_what_becomes_free_and_who_gave_up_does_not() {
        let turns = Turns::new(2, 1);
        let (one, other, gone) = (key("a", "1"), key("a", "2"), key("a", "3"));
        let first = turns.take(&one).unwrap();
        let mut waits = Box::pin(turns.turn(&other));
        let mut gives_up = Box::pin(turns.turn(&gone));
        assert!(gives_up.as_mut().now_or_never().is_none());
        assert!(waits.as_mut().now_or_never().is_none());
        drop(gives_up);
        drop(first);
        let second = waits.as_mut().now_or_never().unwrap();
        drop((waits, second));
        assert!(turns.may(&one), "none is lost");
    }

    #[tokio::test]
    async fn what_waits_outside_holds_no_turn_and_goes_on_at_once() {
        let turns = Turns::new(2, 1);
        let held = Held::of(turns.take(&key("a", "1")).unwrap());
        assert!(!turns.may(&key("a", "2")));
        let inside = held.without(async { turns.take(&key("a", "2")).unwrap() }).await;
        drop(inside);
        assert!(!turns.may(&key("a", "2")), "it has its turn again");
        drop(held);
        assert!(turns.may(&key("a", "2")));
    }
}
