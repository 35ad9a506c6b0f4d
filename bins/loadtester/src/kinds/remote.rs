//! Tasks that another service does: started by a call, watched by calls.

#[cfg(test)]
pub mod stand_in;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use vexil_egress::{Redirects, Reply, Request, Transport};

/// How long one call may take.
const CALL_MS: u64 = 60_000;
/// How much of an answer that is not understood is shown, in bytes.
const SHOWN: usize = 256;

/// Work at another service.
#[async_trait]
pub trait Remote: Send + Sync + fmt::Debug {
    /// How logs name it, without what is secret in it. Tasks that are shown alike are the same.
    fn shown(&self) -> String;

    /// Starts it and waits until it is done, for as long as it takes.
    ///
    /// # Errors
    /// Says why it failed.
    async fn run(&mut self, out: &dyn Transport) -> Result<(), String>;

    /// Stops what was started and has not succeeded, because its caller no longer waits.
    async fn stop(&mut self, out: &dyn Transport);
}

/// A request to such a service: its answer counts when it is complete and comes from the address that was asked.
pub fn patient(request: Request) -> Request {
    Request { deadline_ms: CALL_MS, redirects: Redirects::Refuse, ..request }
}

/// The JSON of an answer of 2xx.
///
/// # Errors
/// Names the service, and shows the beginning of what it said instead.
pub fn json(service: &str, reply: &Reply) -> Result<Value, String> {
    if !(200..300).contains(&reply.status) {
        return Err(format!("{service} answered {}: {}", reply.status_line(), reply.text(SHOWN)));
    }
    serde_json::from_slice(&reply.body)
        .map_err(|error| format!("{service} answered no JSON ({error}): {}", reply.text(SHOWN)))
}

/// Asks until `judge` finds that it is done. A call that gets no answer for a passing reason is made again at the next
/// turn.
///
/// # Errors
/// What `judge` says, or why the service cannot be asked.
pub async fn poll(
    out: &dyn Transport,
    request: &Request,
    every: Duration,
    judge: impl Fn(&Reply) -> Result<bool, String> + Send + Sync,
) -> Result<(), String> {
    loop {
        tokio::time::sleep(every).await;
        match out.call(request.clone()).await {
            Ok(reply) if (500..600).contains(&reply.status) => again(&reply.status_line()),
            Ok(reply) if judge(&reply)? => return Ok(()),
            Ok(_) => {}
            Err(error) if error.is_passing() => again(&error.to_string()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn again(why: &str) {
    tracing::warn!("status could not be read, it is asked for again: {why}");
}
