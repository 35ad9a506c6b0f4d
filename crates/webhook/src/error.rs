//! Why a hook did not pass.

use vexil_egress::CallError;

/// Why a hook did not pass. The text becomes part of the Event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// It refused: the last status was not 2xx. The text begins with its body.
    #[error("{}", refusal(*status, body, *attempts))]
    Refused {
        /// The last status.
        status: u16,
        /// Its body, in one line and cut.
        body: String,
        /// How often it was called.
        attempts: u32,
    },
    /// It could not be called: no connection, no reply in time, or the policy forbids its address.
    #[error("{cause}{}", after(*attempts))]
    Unavailable {
        /// Why there is no reply.
        cause: CallError,
        /// How often it was called.
        attempts: u32,
    },
    /// The hook is invalid as it is written.
    #[error("webhook {field}: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

fn refusal(status: u16, body: &str, attempts: u32) -> String {
    let after = after(attempts);
    if body.is_empty() {
        format!("status {status}{after}")
    } else {
        format!("{body} (status {status}{after})")
    }
}

/// How often, when it was more than once.
fn after(attempts: u32) -> String {
    if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() }
}
