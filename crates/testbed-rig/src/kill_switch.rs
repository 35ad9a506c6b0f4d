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
pub struct KillSwitch {
    writes: AtomicU32,
    cut_after: Option<u32>,
    cut: AtomicBool,
}

impl KillSwitch {
    /// A switch that cuts the connection right behind the write with this number, counted from 1; never without one.
    pub fn new(cut_after: Option<u32>) -> Arc<KillSwitch> {
        Arc::new(KillSwitch { writes: AtomicU32::new(0), cut_after, cut: AtomicBool::new(false) })
    }

    /// How many writes have been carried out.
    pub fn writes(&self) -> u32 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Whether one of the writes cuts the connection.
    pub fn may_be_cut(&self) -> bool {
        self.cut_after.is_some()
    }

    /// Whether the connection has been cut.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// The same connection, behind this kill switch.
    pub fn guard(self: Arc<Self>, client: Client) -> Client {
        let service = service_fn(move |request: http::Request<Body>| {
            let (kill_switch, client) = (Arc::clone(&self), client.clone());
            async move {
                if kill_switch.is_cut() {
                    return pending().await;
                }
                let writes = request.method() != Method::GET;
                let answer = client.send(request).await;
                let done = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
                if writes
                    && done
                    && Some(kill_switch.writes.fetch_add(1, Ordering::Relaxed) + 1) == kill_switch.cut_after
                {
                    kill_switch.cut.store(true, Ordering::Relaxed);
                    return pending().await;
                }
                answer
            }
        });
        Client::new(service, "default")
    }
}
