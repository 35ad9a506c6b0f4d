//! One call of one hook, with its retries.

use std::time::Duration;

use tokio::time::sleep;
use vexil_analysis::bounded_to;
use vexil_egress::{CallError, Reply, Request, Transport};

use crate::{Hook, HookError, Payload, retry::RetryBudget};

/// How much of a reply is repeated in a message, in bytes. The rest of the message is left for its status.
const MAX_BODY_BYTES: usize = 768;

/// Calls a hook. It passes when its reply is 2xx, whatever the body.
///
/// After no reply, 429 and 5xx but 501 it is called again, up to the hook's `retries`, after 1 s, 2 s, 4 s, …, at most
/// 30 s; a `Retry-After` with 429 or 503 replaces that wait. All together takes [`Hook::budget_ms`] at most. Redirects
/// are not followed: a login page that answers 200 must not pass a gate.
///
/// # Errors
/// [`HookError::Refused`] when it refused, [`HookError::Unavailable`] when it could not be called.
pub async fn send(transport: &dyn Transport, hook: &Hook, payload: &Payload) -> Result<(), HookError> {
    let mut budget = RetryBudget::of(hook);
    loop {
        let outcome = transport.call(request(hook, payload)).await;
        if matches!(&outcome, Ok(reply) if (200..300).contains(&reply.status)) {
            return Ok(());
        }
        let Some(wait_ms) = budget.wait_ms(&outcome) else { return Err(error(outcome, budget.attempts)) };
        tracing::debug!(?hook, wait_ms, "webhook is called again");
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

fn error(outcome: Result<Reply, CallError>, attempts: u32) -> HookError {
    match outcome {
        Ok(reply) => HookError::Refused { status: reply.status, body: said(&reply), attempts },
        Err(CallError::Redirected { status, to, .. }) => {
            HookError::Refused { status, body: format!("redirects to {to}, which is not followed"), attempts }
        }
        Err(cause) => HookError::Unavailable { cause, attempts },
    }
}

/// The body of a reply as text, cut to its limit.
fn said(reply: &Reply) -> String {
    bounded_to(reply.text(reply.body.len()), MAX_BODY_BYTES)
}

#[cfg(test)]
mod tests;
