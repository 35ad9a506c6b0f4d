//! Patches: how each of the four types turns a stored object into a new one.

mod apply;
mod json;
mod merge;

pub(crate) use self::merge::go_type;
#[cfg(feature = "kubectl")]
pub(crate) use self::merge::object_in;

use std::sync::Arc;

use serde_json::Value;

use super::{
    errors::{Reply, Status},
    json::name,
    kinds, kubectl,
    request::Request,
    state::{Call, State},
    versions::versioned,
};

impl State {
    /// Patches the object that the URL names.
    ///
    /// # Errors
    /// 400, 404, 409, 415 and 422 as the real server gives them.
    pub fn patch(&mut self, call: &mut Call, request: &Request) -> Reply<(u16, Arc<Value>)> {
        let kind = request.content_type();
        if kind == "application/apply-patch+yaml" {
            return self.apply(call, request);
        }
        let known = kind.ends_with("-patch+json") || call.resource.custom.is_some();
        if !known {
            return Err(Status::unsupported_media("415: Unsupported Media Type"));
        }
        if !accepted(call).contains(&kind) {
            return Err(Status::unsupported_patch(format!(
                "the body of the request was in an unknown format - accepted media types include: {}",
                accepted(call).join(", ")
            )));
        }
        let old = self.found(call)?;
        let new = patched(call, kind, versioned(&call.resource, &old), &request.body)?;
        if name(&new) != call.name {
            return Err(Status::wrong_name(name(&new), &call.name));
        }
        self.replace(call, &old, new, None).map(|object| (200, object))
    }
}

/// The object after a patch of this media type.
///
/// # Errors
/// 400 for a patch that cannot be read, 422 for one that does not fit.
pub(crate) fn patched(call: &Call, kind: &str, object: Value, body: &[u8]) -> Reply<Value> {
    match kind {
        "application/json-patch+json" => json::apply(&object, body),
        "application/merge-patch+json" => merge::apply(object, body),
        _ => kubectl::strategic::apply(kinds::root(&call.resource).node, &object, body),
    }
}

fn accepted(call: &Call) -> &'static [&'static str] {
    let all: &[&str] = &[
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
        "application/strategic-merge-patch+json",
    ];
    match call.resource.custom.is_some() {
        true => all.split_last().map(|(_, rest)| rest).unwrap_or_default(),
        false => all,
    }
}
