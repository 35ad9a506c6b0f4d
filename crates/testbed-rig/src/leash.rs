//! The operator's connection to the API server, which can be cut right behind a write: the write is carried out, its
//! answer and everything after it never arrive. What the operator then does not know is all that a `kill -9` makes it
//! forget.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use http::Method;
use kube::{Client, client::Body};
use tower::service_fn;

/// Counts writes and cuts the connection after one of them.
#[derive(Debug)]
pub struct Leash {
    writes: AtomicU32,
    cut_after: Option<u32>,
    cut: AtomicBool,
}

impl Leash {
    /// A leash that is cut right behind the write with this number, counted from 1; never without one.
    pub fn new(cut_after: Option<u32>) -> Arc<Leash> {
        Arc::new(Leash { writes: AtomicU32::new(0), cut_after, cut: AtomicBool::new(false) })
    }

    /// How many writes have been carried out.
    pub fn writes(&self) -> u32 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Whether it is cut one day.
    pub fn may_be_cut(&self) -> bool {
        self.cut_after.is_some()
    }

    /// Whether it has been cut.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// The same connection, on this leash.
    pub fn hold(self: Arc<Self>, client: Client) -> Client {
        let service = service_fn(move |request: http::Request<Body>| {
            let (leash, client) = (Arc::clone(&self), client.clone());
            async move {
                if leash.is_cut() {
                    return pending().await;
                }
                let writes = request.method() != Method::GET;
                let answer = client.send(request).await;
                let done = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
                if writes && done && Some(leash.writes.fetch_add(1, Ordering::Relaxed) + 1) == leash.cut_after
                {
                    leash.cut.store(true, Ordering::Relaxed);
                    return pending().await;
                }
                answer
            }
        });
        Client::new(service, "default")
    }
}
