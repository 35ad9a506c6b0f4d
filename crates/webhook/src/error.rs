//! Why a hook did not say yes.

use vexil_egress::CallError;

/// Why a hook did not say yes. The text goes into the event as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// It said no: the last status was not 2xx. The text begins with its own words.
    #[error("{}", refusal(*status, body, *attempts))]
    Refused {
        /// The last status.
        status: u16,
        /// What it said, in one line and cut.
        body: String,
        /// How often it was asked.
        attempts: u32,
    },
    /// It could not be asked: no connection, no reply in time, or the policy forbids its address.
    #[error("{cause}{}", after(*attempts))]
    Lost {
        /// What kept us from its answer.
        cause: CallError,
        /// How often it was tried.
        attempts: u32,
    },
    /// The user's block cannot be called as it is.
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

/// Says how often, when it was more than once.
fn after(attempts: u32) -> String {
    if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() }
}
