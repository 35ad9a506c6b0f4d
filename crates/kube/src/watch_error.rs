//! Why listing or watching a kind failed, by what is to be done about it.

use std::time::Duration;

use kube::runtime::watcher;

use crate::{
    ReadError,
    call::{self, Refusal},
};

/// Why listing or watching failed.
#[derive(Debug)]
pub(crate) enum WatchError {
    /// The position in the history is lost (410), or an event cannot be read: list again.
    Restart(String),
    /// There is no such resource (404).
    NotServed(String),
    /// The role or the token is not accepted (401, 403).
    Refused(String),
    /// There is no answer, or the API server has a problem: try the same request again.
    Outage { message: String, retry_after: Option<Duration> },
}

/// The head of an unsuccessful answer. `kube::Client` does not pass its headers on.
#[derive(Clone, Debug)]
pub(crate) struct FailedAnswer {
    pub(crate) code: u16,
    pub(crate) retry_after: Option<String>,
}

impl WatchError {
    pub(crate) fn outage(message: impl Into<String>) -> Self {
        WatchError::Outage { message: message.into(), retry_after: None }
    }

    /// The error of a stream; `head` is the head of the answer that it was made from.
    pub(crate) fn of(error: &watcher::Error, head: Option<&FailedAnswer>) -> Self {
        match error {
            watcher::Error::InitialListFailed(kube::Error::SerdeError(error)) => {
                WatchError::outage(format!("list is no JSON: {error}"))
            }
            // `watcher` goes on behind an event that it cannot read, which would lose it.
            watcher::Error::WatchFailed(kube::Error::SerdeError(error)) => {
                WatchError::Restart(format!("an event is no JSON: {error}"))
            }
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
                call::from_client(error, head).into()
            }
            watcher::Error::WatchFailed(error) => call::from_client(error, None).into(),
            watcher::Error::WatchError(status) => call::from_status(status.code, None, status).into(),
            watcher::Error::NoResourceVersion => {
                WatchError::Restart("an event or a list without resourceVersion".to_owned())
            }
        }
    }
}

impl From<Refusal> for WatchError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Status { code: 404, message, .. } => WatchError::NotServed(message),
            // 0: an event of an unknown type, which reads as an empty status.
            Refusal::Status { code: 0 | 410, message, .. } => WatchError::Restart(message),
            Refusal::Status { code: 401 | 403, message, .. } => WatchError::Refused(message),
            Refusal::Status { code, message, retry_after_ms, .. } => WatchError::Outage {
                message: format!("{code}: {message}"),
                retry_after: retry_after_ms.map(Duration::from_millis),
            },
            Refusal::Lost { message } => WatchError::outage(message),
        }
    }
}

/// The fields of a definition could not be read: list again, which reads them again.
impl From<ReadError> for WatchError {
    fn from(error: ReadError) -> Self {
        WatchError::outage(format!("fields of a definition: {error}"))
    }
}
