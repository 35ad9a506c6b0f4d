//! The trait of services that receive alerts.

use vexil_egress::{Reply, Request};

use crate::{Alert, Destination, Rejection};

/// A kind of service that receives alerts. Implementors do no IO.
pub trait Notifier: Send + Sync {
    /// The request that delivers an alert. [`Destination::post`] has the address, the limits and the proxy.
    fn render(&self, to: &Destination, alert: &Alert) -> Request;

    /// Whether the reply says that the alert was accepted.
    ///
    /// # Errors
    /// Why it was not. By default this follows from the status ([`Rejection::by_status`]).
    fn judge(&self, reply: &Reply) -> Result<(), Rejection> {
        Rejection::by_status(reply)
    }
}
