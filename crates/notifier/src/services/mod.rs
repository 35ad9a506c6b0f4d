//! The kinds of services. A new one is one file and one line in [`all`].

mod attachments;
mod discord;
mod gchat;
mod msteams;
mod rocket;
mod slack;

use std::sync::Arc;

use crate::Notifier;

/// Every kind there is, by the `type` that users write.
pub(crate) fn all() -> Vec<(&'static str, Arc<dyn Notifier>)> {
    vec![
        ("slack", Arc::new(slack::Slack)),
        ("msteams", Arc::new(msteams::MsTeams)),
        ("discord", Arc::new(discord::Discord)),
        ("rocket", Arc::new(rocket::Rocket)),
        ("gchat", Arc::new(gchat::GoogleChat)),
    ]
}

#[cfg(test)]
mod tests;
