//! `bash`: a script whose result is the answer, which is how a canary is tested before it gets traffic.

use axum::http::StatusCode;

use super::{Kind, script};

/// `bash -c <cmd>`, answered when it is done.
pub const KIND: Kind = Kind {
    name: "bash",
    background: false,
    refusal: StatusCode::BAD_REQUEST,
    read: |metadata| script("bash", metadata),
};
