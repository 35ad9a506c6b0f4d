//! Discord: webhooks in the format of Slack. <https://docs.discord.com/developers/resources/webhook>

use vexil_egress::Request;

use super::attachments;
use crate::{Alert, Destination, Notifier};

/// Discord.
pub(crate) struct Discord;

impl Notifier for Discord {
    /// `/slack` after the path of the webhook makes Discord accept the format of Slack. Attachments become embeds, in
    /// which `@everyone` notifies no one.
    fn render(&self, to: &Destination, alert: &Alert) -> Request {
        let body = attachments::message(to, alert, alert.colour("good", "danger"), str::to_owned);
        let mut request = to.post(&body);
        let path = request.url.path().trim_end_matches('/').to_owned();
        if !path.ends_with("/slack") {
            request.url.set_path(&format!("{path}/slack"));
        }
        request
    }
}
