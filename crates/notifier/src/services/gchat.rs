//! Google Chat: webhooks of a space. <https://developers.google.com/workspace/chat/quickstart/webhooks>

use serde_json::{Value, json};
use vexil_egress::Request;

use crate::{Alert, Destination, Notifier};

/// Google Chat.
pub(crate) struct GoogleChat;

impl Notifier for GoogleChat {
    fn render(&self, to: &Destination, alert: &Alert) -> Request {
        let message =
            section(&format!("<font color=#848484><strong>{}</strong></font>", escaped(&alert.message)));
        let fields = alert.fields.iter().map(|field| {
            let (name, value) = (escaped(&field.name), escaped(&field.value));
            section(&format!("{name}<br><font color=#848484><strong>{value}</strong></font>"))
        });
        let sections: Vec<Value> = std::iter::once(message).chain(fields).collect();
        to.post(&json!({
            "cards": [{
                "header": {
                    "title": "Flagger",
                    "subtitle": alert.subject(),
                    "imageUrl": "https://flagger.app/favicon.png",
                },
                "sections": sections,
            }],
        }))
    }
}

fn section(text: &str) -> Value {
    json!({"widgets": [{"textParagraph": {"text": text}}]})
}

/// Text of a card is HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
