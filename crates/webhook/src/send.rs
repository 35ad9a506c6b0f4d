//! One call of one hook, with its retries.

use std::time::Duration;

use tokio::time::sleep;
use vexil_analysis::bounded_to;
use vexil_egress::{CallError, Reply, Request, Transport};

use crate::{Hook, HookError, Payload, retry::Patience};

/// How much of a reply is repeated in a message, in bytes: the message has room for its status besides.
const SAID: usize = 768;

/// Asks a hook. It has said yes when its reply is 2xx; its body is not read for meaning.
///
/// No reply, 429 and 5xx but 501 are tried again as often as the hook's `retries` say, after 1 s, 2 s, 4 s, …, at most
/// 30 s; a `Retry-After` with 429 or 503 takes the place of that wait. All together takes [`Hook::budget_ms`] at most.
/// Redirects are not followed: a login page that answers 200 must open no gate.
///
/// # Errors
/// [`HookError::Refused`] when it said no, [`HookError::Lost`] when it could not be asked.
pub async fn send(transport: &dyn Transport, hook: &Hook, payload: &Payload) -> Result<(), HookError> {
    let mut patience = Patience::of(hook);
    loop {
        let outcome = transport.call(request(hook, payload)).await;
        if matches!(&outcome, Ok(reply) if (200..300).contains(&reply.status)) {
            return Ok(());
        }
        let Some(wait_ms) = patience.wait_ms(&outcome) else { return Err(told(outcome, patience.attempts)) };
        tracing::debug!(?hook, wait_ms, "webhook is asked again");
        sleep(Duration::from_millis(wait_ms)).await;
    }
}

fn request(hook: &Hook, payload: &Payload) -> Request {
    let mut request =
        Request::post(hook.url.clone(), payload.to_json()).header("Content-Type", "application/json");
    if let Some(key) = &payload.key {
        request = request.header("Idempotency-Key", key);
    }
    Request { deadline_ms: hook.timeout_ms, skip_verify: hook.skip_verify, ..request }
}

fn told(outcome: Result<Reply, CallError>, attempts: u32) -> HookError {
    match outcome {
        Ok(reply) => HookError::Refused { status: reply.status, body: said(&reply), attempts },
        Err(CallError::Redirected { status, to, .. }) => {
            HookError::Refused { status, body: format!("redirects to {to}, which is not followed"), attempts }
        }
        Err(cause) => HookError::Lost { cause, attempts },
    }
}

/// The words of a reply, cut where they are too many.
fn said(reply: &Reply) -> String {
    bounded_to(reply.text(reply.body.len()), SAID)
}

#[cfg(test)]
mod tests;
