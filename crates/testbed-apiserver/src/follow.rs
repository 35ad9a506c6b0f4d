//! What happens to the objects, as it happens: for judges, which may not miss what clients' watches miss.

use std::sync::Arc;

use serde_json::Value;
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

use super::{
    server::ApiServer,
    store::{Event, Happening},
};

/// One thing that happened to an object.
#[derive(Clone, Debug)]
pub struct Happened {
    /// When.
    pub at: Instant,
    /// Its resource, with its group behind it: `pods`, `deployments.apps`.
    pub resource: String,
    /// The object after it, or as it last was when it is gone.
    pub object: Arc<Value>,
    /// Whether it is gone.
    pub gone: bool,
}

/// Everything that happens from the moment it was asked for. No fault reaches it.
#[derive(Debug)]
pub struct Following(UnboundedReceiver<Event>);

impl Following {
    /// The next thing that has happened already; `None` when there is no more of it yet.
    pub fn take(&mut self) -> Option<Happened> {
        let event = self.0.try_recv().ok()?;
        let gone = event.happening == Happening::Deleted;
        Some(Happened { at: event.at, resource: event.bucket, object: event.object, gone })
    }
}

impl ApiServer {
    /// Follows everything that happens from now on.
    pub fn follow(&self) -> Following {
        Following(self.inner.state().store.follow())
    }
}
