//! `helm` and `helmv3`: arguments for Helm, mostly `test <release>`. There is one program for both.

use axum::http::StatusCode;

use super::{Kind, arguments};

/// `helm <cmd>`, answered when it is done.
pub const HELM: Kind = Kind {
    name: "helm",
    background: false,
    refusal: StatusCode::BAD_REQUEST,
    read: |metadata| arguments("helm", metadata),
};

/// The same under its name of the time when there were two.
pub const HELM_V3: Kind = Kind { name: "helmv3", ..HELM };
