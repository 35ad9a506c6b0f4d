//! Why a call got no reply, one variant for each way in which the caller can react.

use std::{error::Error, io};

use reqwest::Url;

use crate::{resolve::Forbidden, url::host_and_port};

/// Why a call got no reply. No message holds a header, a user name, a password or a query string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The policy forbids the address. A retry does not help; the user has to change it.
    #[error("{address} is not allowed: {rule}")]
    Refused {
        /// The address, or the name that leads to it.
        address: String,
        /// The rule that forbids it.
        rule: &'static str,
    },
    /// The request cannot be sent as it is. The user has to correct it.
    #[error("{reason}")]
    BadRequest {
        /// What is wrong with it.
        reason: String,
    },
    /// The server's certificate is not trusted: a retry does not help.
    #[error("certificate of {host} is not trusted: {cause}")]
    Untrusted {
        /// Host and port.
        host: String,
        /// What the check said.
        cause: String,
    },
    /// No connection, or it broke before the reply was complete: a retry may help.
    #[error("no answer from {host}: {cause}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The reply was not complete at the deadline: a retry may help.
    #[error("no answer from {host} within {after_ms}ms")]
    TimedOut {
        /// Host and port.
        host: String,
        /// The deadline, in milliseconds.
        after_ms: u64,
    },
    /// The reply is larger than the caller wants to hold.
    #[error("answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server redirects, and the caller does not follow.
    #[error("{host} redirects to {to} (status {status}), which is not followed")]
    Redirected {
        /// Host and port.
        host: String,
        /// The status: 301, 302, 303, 307 or 308.
        status: u16,
        /// Where it points, without user, password and query.
        to: String,
    },
}

impl CallError {
    /// Whether the same request may succeed a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, CallError::Unreachable { .. } | CallError::TimedOut { .. })
    }
}

/// The innermost message of an error's chain. The outer ones repeat the URL, credentials included.
pub(crate) fn cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// What a failed call means for the caller.
pub(crate) fn call_error(url: &Url, error: &reqwest::Error) -> CallError {
    let host = host_and_port(url);
    for part in chain(error) {
        if let Some(found) = part.downcast_ref::<Forbidden>() {
            return CallError::Refused { address: format!("{} ({})", host, found.address), rule: found.rule };
        }
        if let Some(rustls::Error::InvalidCertificate(why)) = part.downcast_ref() {
            return CallError::Untrusted { host, cause: why.to_string() };
        }
    }
    if error.is_builder() {
        return CallError::BadRequest { reason: format!("request cannot be built: {}", cause(error)) };
    }
    CallError::Unreachable { host, cause: cause(error) }
}

/// The error and its sources, those that an IO error wraps included.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
