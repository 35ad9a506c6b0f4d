//! `kubectl`: arguments for kubectl, with the rights of the pod's service account.

use axum::http::StatusCode;

use super::{Kind, arguments};

/// `kubectl <cmd>`, answered when it is done.
pub const KIND: Kind = Kind {
    name: "kubectl",
    background: false,
    refusal: StatusCode::BAD_REQUEST,
    read: |metadata| arguments("kubectl", metadata),
};
