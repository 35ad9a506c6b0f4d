//! Why an alert was not accepted, by what the sender can do.

use std::fmt;

use vexil_analysis::bounded_to;
use vexil_egress::{CallError, Reply};

use crate::Destination;

/// How much of a reply is repeated, in bytes.
const MAX_SAID_BYTES: usize = 256;

/// What a rejection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This alert: the service refuses it as it is, and would refuse a repeat.
    Alert,
    /// Every alert: the service cannot be reached, fails, limits the rate, or does not accept address, token or
    /// channel. A repeat may succeed after a while, or after the user has corrected the AlertProvider.
    Service,
}

/// Why an alert was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What it is about.
    pub scope: Scope,
    /// The status line, or why there is no reply.
    pub status: String,
    /// What the service said; may be empty.
    pub said: String,
    /// How long the service asks to wait before the next attempt, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Rejection {
    /// Judges a reply by its status: 2xx is accepted; 400, 413 and 422 refuse the alert; everything else the service.
    ///
    /// # Errors
    /// When the status is not 2xx.
    pub fn by_status(reply: &Reply) -> Result<(), Rejection> {
        match reply.status {
            200..300 => Ok(()),
            400 | 413 | 422 => Err(Rejection::of(Scope::Alert, reply)),
            _ => Err(Rejection::of(Scope::Service, reply)),
        }
    }

    /// A rejection with what the service said.
    pub fn of(scope: Scope, reply: &Reply) -> Self {
        Rejection {
            scope,
            status: reply.status_line(),
            said: reply.text(reply.body.len()),
            retry_after_ms: retry_after_ms(reply),
        }
    }

    /// No reply.
    pub(crate) fn no_reply(error: &CallError) -> Self {
        let status = match error {
            // Where it points to may repeat the address.
            CallError::Redirected { host, status, .. } => {
                format!("{host} redirects (status {status}), which is not followed")
            }
            other => other.to_string(),
        };
        Rejection { scope: Scope::Service, status, said: String::new(), retry_after_ms: None }
    }

    /// The same without secrets, and with as much of the reply as readers may see.
    pub(crate) fn shown_for(self, to: &Destination) -> Self {
        let said = if to.hides_replies() { String::new() } else { to.scrubbed(&self.said) };
        Rejection { said: bounded_to(said, MAX_SAID_BYTES), status: to.scrubbed(&self.status), ..self }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said.as_str() {
            "" => f.write_str(&self.status),
            said => write!(f, "{}: {said}", self.status),
        }
    }
}

/// The `Retry-After` of the service in seconds, which may have a fraction (Discord). At most an hour.
fn retry_after_ms(reply: &Reply) -> Option<u64> {
    let text = reply.header("retry-after")?.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds = whole.parse::<u64>().ok()?.saturating_add(u64::from(!fraction.is_empty()));
    Some(seconds.saturating_mul(1_000).min(3_600_000))
}
