//! A message with one attachment: the format of Slack, which Discord and Rocket.Chat accept too.

use serde_json::{Value, json};

use crate::{Alert, Destination};

/// The message. `escape` makes a text safe for the service.
pub(super) fn message(
    to: &Destination,
    alert: &Alert,
    colour: &str,
    escape: impl Fn(&str) -> String,
) -> Value {
    let fields = alert.fields.iter();
    let fields: Vec<Value> = fields
        .map(|field| json!({"title": escape(&field.name), "value": escape(&field.value), "short": false}))
        .collect();
    json!({
        "channel": to.channel(),
        "username": to.username(),
        "icon_url": "",
        "icon_emoji": ":rocket:",
        "attachments": [{
            "color": colour,
            "author_name": alert.subject(),
            "text": escape(&alert.message),
            "mrkdwn_in": ["text"],
            "fields": fields,
        }],
    })
}
