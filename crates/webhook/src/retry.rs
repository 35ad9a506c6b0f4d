//! When a hook is called again: pure arithmetic, so that the bound holds without a clock.

use jiff::fmt::rfc2822::DateTimeParser;
use vexil_egress::{CallError, Reply};
use vexil_object::Backoff;

use crate::Hook;

/// Between two attempts of one call, unless the reply says when to call again.
pub(crate) const RETRIES: Backoff = Backoff::new(1_000, 30_000);

/// The retries and the time that are left. Each attempt counts with its full timeout, however soon it ended, so the sum
/// of all attempts and waits stays below [`Hook::budget_ms`].
pub(crate) struct RetryBudget {
    timeout_ms: u64,
    retries_left: u32,
    left_ms: u64,
    /// The number of attempts so far.
    pub(crate) attempts: u32,
}

impl RetryBudget {
    /// Before the first attempt, which is always made.
    pub(crate) fn of(hook: &Hook) -> Self {
        RetryBudget {
            timeout_ms: hook.timeout_ms,
            retries_left: hook.retries,
            left_ms: hook.budget_ms().saturating_sub(hook.timeout_ms),
            attempts: 1,
        }
    }

    /// How long to wait, in milliseconds, before the next attempt; `None` when that was the last one.
    pub(crate) fn wait_ms(&mut self, outcome: &Result<Reply, CallError>) -> Option<u64> {
        if self.retries_left == 0 || !may_pass(outcome) {
            return None;
        }
        let room_ms = self.left_ms.checked_sub(self.timeout_ms)?;
        let wait_ms = match retry_after_ms(outcome) {
            Some(retry_after) => retry_after.min(room_ms),
            None => Some(RETRIES.pause_ms(self.attempts - 1)).filter(|wait| *wait <= room_ms)?,
        };
        self.left_ms = room_ms.saturating_sub(wait_ms);
        self.retries_left -= 1;
        self.attempts += 1;
        Some(wait_ms)
    }
}

/// Whether another attempt may help: no reply, 429, and 5xx but 501.
fn may_pass(outcome: &Result<Reply, CallError>) -> bool {
    match outcome {
        Ok(reply) => reply.status == 429 || (reply.status >= 500 && reply.status != 501),
        Err(error) => error.is_passing(),
    }
}

/// The `Retry-After` of the server (RFC 9110, 10.2.3): seconds, or a date, which is measured against the reply's own
/// `Date`. Only for 429 and 503.
fn retry_after_ms(outcome: &Result<Reply, CallError>) -> Option<u64> {
    let reply = outcome.as_ref().ok().filter(|reply| matches!(reply.status, 429 | 503))?;
    let text = reply.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let at = |text| DateTimeParser::new().parse_timestamp(text).ok().map(|t| t.as_millisecond());
    let span_ms = at(text)?.checked_sub(at(reply.header("date")?)?)?;
    Some(u64::try_from(span_ms).unwrap_or(0))
}
