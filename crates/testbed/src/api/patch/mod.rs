//! Patches: how each of the four types turns a stored object into a new one.

mod json;
mod merge;

use std::sync::Arc;

use serde_json::Value;

use super::{
    errors::{Reply, Status},
    request::Request,
    state::{Call, State},
};

impl State {
    /// Patches the object that the URL names.
    ///
    /// # Errors
    /// 400, 404, 409, 415 and 422 as the real server gives them.
    pub fn patch(&mut self, call: &mut Call, request: &Request) -> Reply<(u16, Arc<Value>)> {
        let old = self.found(call)?;
        let new = match request.content_type() {
            "application/json-patch+json" => json::apply(&old, &request.body)?,
            "application/merge-patch+json" => merge::apply(&old, &request.body)?,
            other => {
                return Err(Status::unsupported_media(format!(
                    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json ({other})",
                )));
            }
        };
        self.replace(call, &old, new).map(|object| (200, object))
    }
}
