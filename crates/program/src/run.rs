//! An HTTP server on a thread of its own, so that a busy process still answers probes.

use std::{io, thread};

use axum::Router;
use futures::channel::oneshot;

use crate::{Limits, Listener};

/// Listens on a port and serves on a thread of its own, for as long as the returned future is held. It is ready when
/// the thread has ended, which it does by itself only after an error.
///
/// # Errors
/// If the port cannot be listened on, or no thread can be started.
pub fn on_a_thread_of_its_own(
    port: u16,
    router: Router,
    limits: Limits,
) -> io::Result<impl Future<Output = ()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        Listener::bind(port)?
    };
    let (hold, held) = oneshot::channel::<()>();
    let (ending, ended) = oneshot::channel::<()>();
    thread::Builder::new().name("http".to_owned()).spawn(move || {
        // Also when it panics.
        let _ending = ending;
        runtime.block_on(listener.serve(router, limits, async {
            let _released = held.await;
        }));
    })?;
    Ok(async move {
        let _hold = hold;
        let _ended = ended.await;
    })
}
