//! Why listing or watching stopped, by what is to be done about it.

use std::time::Duration;

use crate::{
    ReadError,
    call::{self, Refusal},
};

/// Why listing or watching stopped.
#[derive(Debug)]
pub(crate) enum Setback {
    /// The place in the history is lost (410), or what came makes no sense: list anew.
    Restart(String),
    /// There is no such resource.
    NotServed(String),
    /// Role or token are not accepted.
    Refused(String),
    /// No answer, or the API server has trouble: try the same again.
    Outage { message: String, retry_after: Option<Duration> },
}

/// A definition whose fields could not be read is told of again.
pub(crate) fn unread(error: &ReadError) -> Setback {
    Setback::outage(format!("fields of a definition: {error}"))
}

/// What a broken stream of events means: a lost connection is resumed, an unreadable event would come again.
pub(crate) fn broken(error: &kube::Error) -> Setback {
    match error {
        kube::Error::SerdeError(error) => Setback::Restart(format!("an event is no JSON: {error}")),
        other => call::from_client(other).into(),
    }
}

impl Setback {
    pub(crate) fn outage(message: String) -> Self {
        Setback::Outage { message, retry_after: None }
    }
}

impl From<Refusal> for Setback {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Status { code: 404, message, .. } => Setback::NotServed(message),
            // 0: an event of a type that is none, which reads as an empty status.
            Refusal::Status { code: 0 | 410, message, .. } => Setback::Restart(message),
            Refusal::Status { code: 401 | 403, message, .. } => Setback::Refused(message),
            Refusal::Status { code, message, retry_after_ms, .. } => Setback::Outage {
                message: format!("{code}: {message}"),
                retry_after: retry_after_ms.map(Duration::from_millis),
            },
            Refusal::Lost { message } => Setback::outage(message),
        }
    }
}
