//! Rocket.Chat: incoming webhooks. <https://docs.rocket.chat/docs/integrations>

use serde_json::Value;
use vexil_egress::{Reply, Request};

use super::attachments;
use crate::{Alert, Destination, Notifier, Rejection, Scope};

/// Rocket.Chat.
pub(crate) struct Rocket;

impl Notifier for Rocket {
    fn render(&self, to: &Destination, alert: &Alert) -> Request {
        to.post(&attachments::message(to, alert, alert.colour("#0076D7", "#FF0000"), str::to_owned))
    }

    /// `{"success": false}` may come with status 200, and a rate limit with status 400.
    fn judge(&self, reply: &Reply) -> Result<(), Rejection> {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let error = body.get("error").and_then(Value::as_str).unwrap_or_default();
        if error.contains("error-too-many-requests") {
            return Err(Rejection::of(Scope::Service, reply));
        }
        Rejection::by_status(reply)?;
        match body.get("success") {
            Some(Value::Bool(false)) => Err(Rejection::of(Scope::Alert, reply)),
            _ => Ok(()),
        }
    }
}
