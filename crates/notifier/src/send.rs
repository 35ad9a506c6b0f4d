//! One attempt to deliver an alert.

use vexil_egress::Transport;

use crate::{Alert, Destination, Notifier, Rejection};

/// Sends an alert once.
///
/// # Errors
/// Why it was not accepted. The text has no part of the address, the token or the proxy's password.
pub async fn send(
    transport: &dyn Transport,
    notifier: &dyn Notifier,
    to: &Destination,
    alert: &Alert,
) -> Result<(), Rejection> {
    let result = match transport.call(notifier.render(to, alert)).await {
        Ok(reply) => notifier.judge(&reply),
        Err(error) => Err(Rejection::no_reply(&error)),
    };
    result.map_err(|rejection| rejection.shown_for(to))
}
