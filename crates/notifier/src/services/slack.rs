//! Slack: incoming webhooks, and `chat.postMessage` with a bot token.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

use serde_json::Value;
use vexil_egress::{Reply, Request};

use super::attachments;
use crate::{Alert, Destination, Notifier, Rejection, Scope};

/// Errors of `chat.postMessage` about the message itself.
const ABOUT_THE_MESSAGE: [&str; 6] = [
    "msg_too_long",
    "no_text",
    "too_many_attachments",
    "invalid_arguments",
    "invalid_blocks",
    "invalid_json",
];

/// Slack.
pub(crate) struct Slack;

impl Notifier for Slack {
    fn render(&self, to: &Destination, alert: &Alert) -> Request {
        let request = to.post(&attachments::message(to, alert, alert.colour("good", "danger"), escaped));
        match to.token() {
            Some(token) => request.header("Authorization", format!("Bearer {}", token.expose())),
            None => request,
        }
    }

    /// The API answers 200 also when it refuses: `{"ok": false, "error": "invalid_auth"}`. A webhook answers `ok`.
    fn judge(&self, reply: &Reply) -> Result<(), Rejection> {
        Rejection::by_status(reply)?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if body.get("ok") != Some(&Value::Bool(false)) {
            return Ok(());
        }
        let error = body.get("error").and_then(Value::as_str).unwrap_or("not ok");
        let about_it = ABOUT_THE_MESSAGE.contains(&error);
        let scope = if about_it { Scope::Alert } else { Scope::Service };
        let said = vexil_egress::printable(error);
        Err(Rejection {
            said: if reply.private { String::new() } else { said },
            ..Rejection::of(scope, reply)
        })
    }
}

/// Slack takes these three characters as its own markup, such as `<!channel>`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
