//! The changes of the caches as a stream: each name is queued once, however often it changed, and none is lost.

use std::{
    collections::{BTreeSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use futures::{Stream, task::AtomicWaker};
use vexil_object::{Kind, ObjectKey};

/// A change of what the caches know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheEvent {
    /// [`crate::Cluster::look`] answers differently for this object: it was created, changed or deleted, by the watch's
    /// report or by a write of our own.
    Object(ObjectKey),
    /// [`crate::Cluster::list_by`] answers differently for this part of an index.
    Listed(Listed),
    /// What is known of the whole kind changed: its first list is complete, it is served or no longer served, or the
    /// error of its watch began or ended. The objects of the first list have no events of their own.
    Kind(Kind),
}

/// The objects of one kind and namespace that an index has under one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Their kind.
    pub kind: Kind,
    /// Their namespace.
    pub namespace: String,
    /// The index, as the kind's projection names it.
    pub index: &'static str,
    /// Its value.
    pub value: String,
}

/// The stream of [`crate::Cluster::changes`]. It never ends.
#[derive(Debug)]
pub struct Changes(Arc<Listener>);

#[derive(Debug, Default)]
struct Listener {
    waiting: Mutex<Waiting>,
    waker: AtomicWaker,
}

/// In order of arrival, so that one busy object does not starve the others; each at most once, so that it is bounded.
#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<CacheEvent>,
    members: BTreeSet<CacheEvent>,
}

impl Stream for Changes {
    type Item = CacheEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<CacheEvent>> {
        self.0.waker.register(context.waker());
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.order.pop_front() {
            Some(event) => {
                waiting.members.remove(&event);
                Poll::Ready(Some(event))
            }
            None => Poll::Pending,
        }
    }
}

/// All subscribers.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<Weak<Listener>>>);

impl Listeners {
    pub(crate) fn add(&self) -> Changes {
        let listener = Arc::new(Listener::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&listener));
        Changes(listener)
    }

    pub(crate) fn send(&self, events: impl IntoIterator<Item = CacheEvent>) {
        let events: Vec<CacheEvent> = events.into_iter().collect();
        if events.is_empty() {
            return;
        }
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.add(&events);
        }
    }
}

impl Listener {
    fn add(&self, events: &[CacheEvent]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if waiting.members.insert(event.clone()) {
                waiting.order.push_back(event.clone());
            }
        }
        drop(waiting);
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};
    use vexil_object::kinds::{POD, SERVICE};

    use super::*;

    #[test]
    fn a_name_waits_once_and_in_order_of_arrival() {
        let listeners = Listeners::default();
        let mut changes = listeners.add();
        let object = |name: &str| CacheEvent::Object(ObjectKey::new(POD, "test", name));
        listeners.send([object("b"), object("a"), object("b")]);
        listeners.send([CacheEvent::Kind(SERVICE), object("a")]);
        let mut next = || changes.next().now_or_never().flatten();
        assert_eq!(next(), Some(object("b")));
        assert_eq!(next(), Some(object("a")));
        listeners.send([object("b")]);
        assert_eq!(next(), Some(CacheEvent::Kind(SERVICE)));
        assert_eq!(next(), Some(object("b")));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_dropped_subscriber_is_forgotten() {
        let listeners = Listeners::default();
        drop(listeners.add());
        listeners.send([CacheEvent::Kind(POD)]);
        assert!(listeners.0.lock().unwrap().is_empty());
    }
}
