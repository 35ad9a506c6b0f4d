//! Microsoft Teams: an adaptive card for webhooks of workflows, a message card for connectors and everything else.
//!
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>

use serde_json::{Value, json};
use vexil_egress::{Reply, Request, Url};

use crate::{Alert, Destination, Notifier, Rejection, Scope};

/// Microsoft Teams.
pub(crate) struct MsTeams;

impl Notifier for MsTeams {
    fn render(&self, to: &Destination, alert: &Alert) -> Request {
        let card = if is_workflow(to.address()) { adaptive_card(alert) } else { message_card(alert) };
        to.post(&card)
    }

    /// A connector answers 200 with `1`, and 200 with a sentence when Teams did not accept the message.
    fn judge(&self, reply: &Reply) -> Result<(), Rejection> {
        Rejection::by_status(reply)?;
        let body = String::from_utf8_lossy(&reply.body);
        if !body.contains("message delivery failed") && !body.contains("returned HTTP error") {
            return Ok(());
        }
        let about_it = ["HTTP error 400", "HTTP error 413"].iter().any(|error| body.contains(error));
        Err(Rejection::of(if about_it { Scope::Alert } else { Scope::Service }, reply))
    }
}

/// Workflows accept adaptive cards only. Their URLs have `/workflows/` in the path, also behind a proxy.
fn is_workflow(address: &Url) -> bool {
    address.path_segments().into_iter().flatten().any(|segment| segment == "workflows")
}

fn message_card(alert: &Alert) -> Value {
    let facts = alert.fields.iter().map(|field| json!({"name": field.name, "value": field.value}));
    json!({
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": alert.colour("0076D7", "FF0000"),
        "summary": alert.subject(),
        "sections": [{
            "activityTitle": alert.message,
            "activitySubtitle": alert.subject(),
            "facts": facts.collect::<Vec<_>>(),
        }],
    })
}

fn adaptive_card(alert: &Alert) -> Value {
    let title = json!({
        "type": "TextBlock", "text": alert.message, "wrap": true, "size": "medium", "weight": "bolder",
        "color": alert.colour("accent", "attention"),
    });
    let subtitle = json!({
        "type": "TextBlock", "text": alert.subject(), "wrap": true, "isSubtle": true, "spacing": "none",
    });
    let facts = alert.fields.iter().map(|field| json!({"title": field.name, "value": field.value}));
    let facts: Vec<_> = facts.collect();
    let mut body = vec![title, subtitle];
    if !facts.is_empty() {
        body.push(json!({"type": "FactSet", "facts": facts}));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": body,
            },
        }],
    })
}
