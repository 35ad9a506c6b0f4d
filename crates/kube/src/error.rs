//! The errors of reads and writes, by what the caller can do about them.

use crate::Altered;

/// Why a read failed. An object that does not exist is not an error: it is `Seen::Absent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Ask an administrator: the operator's role lacks a rule, or its token is not accepted (401, 403).
    #[error("not allowed: {message}")]
    Forbidden {
        /// What the API server said.
        message: String,
    },
    /// Try again after the pause that the API server asks for (429). Until then the same answer is
    /// given without a request.
    #[error("the API server asks to slow down")]
    Throttled {
        /// The pause in milliseconds.
        retry_after_ms: u64,
    },
    /// Try again later: no answer, a server error, or an answer that is no JSON.
    #[error("no answer from the API server: {message}")]
    Unavailable {
        /// What happened.
        message: String,
    },
    /// Do not try again: the request itself is wrong, such as a name that no object can have.
    #[error("the API server refuses the request: {message}")]
    Invalid {
        /// What is wrong.
        message: String,
    },
}

/// Why a write failed, or was not stored as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another client wrote the object since it was read: read it and decide again (409).
    #[error("the object has changed since it was read: {message}")]
    Conflict {
        /// What the API server said.
        message: String,
    },
    /// An object of that name exists: look at it, then decide (409).
    #[error("an object of that name exists already")]
    AlreadyExists,
    /// The object, or the namespace it shall be made in, is gone (404).
    #[error("not found: {message}")]
    NotFound {
        /// What the API server said.
        message: String,
    },
    /// Ask an administrator: role, token, quota, or an admission policy (401, 403).
    #[error("not allowed: {message}")]
    Forbidden {
        /// What the API server said.
        message: String,
    },
    /// Do not try again: the API server will never take this object (400, 413, 422, …).
    #[error("refused as invalid: {message}")]
    Invalid {
        /// What the API server said.
        message: String,
    },
    /// Nothing was written: try again after the pause that the API server asks for (429), at most 60 s. Until then the
    /// same answer is given without a request, also after a 503 that asked for a pause.
    #[error("the API server asks to slow down")]
    Throttled {
        /// The pause in milliseconds.
        retry_after_ms: u64,
    },
    /// It may or may not have been written: the object is not known until it is read again (timeout, lost answer, 5xx).
    #[error("outcome unknown: {message}")]
    Unknown {
        /// What happened.
        message: String,
    },
    /// It was written, but the API server dropped these fields: the CRD in the cluster is an older one.
    #[error("the cluster's CRD dropped {}: apply the CRDs of this release", fields.join(", "))]
    Pruned {
        /// JSON pointers into the status.
        fields: Vec<String>,
    },
    /// It was written, but fields of it are missing in the answer or have another value. The same write gets this
    /// answer without a request until the object, its definition or the wanted state changes. The message names the
    /// object.
    #[error("{0}")]
    Altered(Box<Altered>),
    /// The API server has no such resource: its CRD is missing or has other versions.
    #[error("the API server does not serve {resource}")]
    NotServed {
        /// Group, version and plural, such as `traefik.io/v1alpha1/traefikservices`.
        resource: String,
    },
}
