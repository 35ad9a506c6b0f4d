//! Who must look again, as a stream: each name waits once, however often it changed, and none is lost.

use std::{
    collections::{BTreeSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use futures::{Stream, task::AtomicWaker};
use vexil_object::{Kind, ObjectKey};

/// Something that looks different than before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheEvent {
    /// [`crate::Cluster::look`] answers differently for this object: it came, changed, went, or our own write was laid
    /// over.
    Object(ObjectKey),
    /// [`crate::Cluster::list_by`] answers differently for this part of an index.
    Listed(Listed),
    /// What is known of the whole kind changed: its first list has come, it is served or no longer served, or its
    /// trouble began or ended. What the first list brings, and what it shows to be absent, is told by this alone.
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
            Some(noted) => {
                waiting.members.remove(&noted);
                Poll::Ready(Some(noted))
            }
            None => Poll::Pending,
        }
    }
}

/// All who listen.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<Weak<Listener>>>);

impl Listeners {
    pub(crate) fn add(&self) -> Changes {
        let listener = Arc::new(Listener::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&listener));
        Changes(listener)
    }

    pub(crate) fn tell(&self, noted: impl IntoIterator<Item = CacheEvent>) {
        let noted: Vec<CacheEvent> = noted.into_iter().collect();
        if noted.is_empty() {
            return;
        }
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.add(&noted);
        }
    }
}

impl Listener {
    fn add(&self, noted: &[CacheEvent]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for item in noted {
            if waiting.members.insert(item.clone()) {
                waiting.order.push_back(item.clone());
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
        listeners.tell([object("b"), object("a"), object("b")]);
        listeners.tell([CacheEvent::Kind(SERVICE), object("a")]);
        let mut next = || changes.next().now_or_never().flatten();
        assert_eq!(next(), Some(object("b")));
        assert_eq!(next(), Some(object("a")));
        listeners.tell([object("b")]);
        assert_eq!(next(), Some(CacheEvent::Kind(SERVICE)));
        assert_eq!(next(), Some(object("b")));
        assert_eq!(next(), None);
    }

    #[test]
    fn nobody_listening_costs_nothing() {
        let listeners = Listeners::default();
        drop(listeners.add());
        listeners.tell([CacheEvent::Kind(POD)]);
        assert!(listeners.0.lock().unwrap().is_empty());
    }
}
