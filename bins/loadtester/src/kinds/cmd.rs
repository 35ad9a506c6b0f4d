//! `cmd`: a shell's line that runs in the background, which is how load is made.

use axum::http::StatusCode;

use super::{Kind, script};

/// `sh -c <cmd>`, answered at once.
pub const KIND: Kind = Kind {
    name: "cmd",
    background: true,
    refusal: StatusCode::BAD_REQUEST,
    read: |metadata| script("sh", metadata),
};
