//! A number that only grows, and whose growth wakes all that wait for it, in the order in which they began to wait.
//! tokio's `watch` wakes its receivers in an order that it throws dice for, which no run could be replayed with.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

/// The number and those who wait. Clones are the same bell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bell(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    number: AtomicU64,
    waiting: Notify,
}

impl Bell {
    /// A bell that shows `number`.
    pub fn new(number: u64) -> Self {
        let bell = Bell::default();
        bell.ring(number);
        bell
    }

    /// What it shows.
    pub fn number(&self) -> u64 {
        self.0.number.load(Ordering::SeqCst)
    }

    /// Shows another number and wakes everyone.
    pub fn ring(&self, number: u64) {
        self.0.number.store(number, Ordering::SeqCst);
        self.0.waiting.notify_waiters();
    }

    /// Shows the next number and wakes everyone.
    pub fn ring_next(&self) {
        self.0.number.fetch_add(1, Ordering::SeqCst);
        self.0.waiting.notify_waiters();
    }

    /// Waits until it shows another number than `seen`.
    pub async fn beyond(&self, seen: u64) {
        loop {
            let mut rung = std::pin::pin!(self.0.waiting.notified());
            // From here on no ring is missed.
            rung.as_mut().enable();
            if self.number() != seen {
                return;
            }
            rung.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everyone_is_woken_in_the_order_of_their_waiting() {
        let (bell, woken) = (Bell::new(1), Arc::new(Mutex::new(Vec::new())));
        let mut waiting = tokio::task::JoinSet::new();
        for place in 0..40 {
            let (bell, woken) = (bell.clone(), Arc::clone(&woken));
            waiting.spawn(async move {
                bell.beyond(1).await;
                woken.lock().unwrap().push(place);
            });
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(woken.lock().unwrap().is_empty());
        bell.ring_next();
        bell.beyond(1).await;
        while waiting.join_next().await.is_some() {}
        assert_eq!((bell.number(), woken.lock().unwrap().clone()), (2, (0..40).collect::<Vec<_>>()));
    }
}
