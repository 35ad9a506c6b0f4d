//! Routes traffic with a generated Ingress that ingress-nginx takes as the canary of the user's.
//!
//! `spec.ingressRef` names the user's Ingress. Its paths to the apex are copied to the Ingress `<ingress>-canary`, with
//! the Service of the canary instead of the apex. Annotations of that one say which requests it takes: a share, or
//! those with a header or a cookie. All others stay with the user's Ingress, whose apex selects the primary's pods. The
//! user's Ingress is only read.
//!
//! # Ownership
//!
//! The generated Ingress is the Canary's: an object of that name without this Canary as its controller is refused. Its
//! spec and its annotations with the prefix of ingress-nginx follow the user's Ingress, but for those that say which
//! requests are the canary's. A change of them is reverted, and reported if it concerns the split. Other annotations
//! and labels are copied once, without those by which tools recognise what they applied.
//!
//! # Without the user's Ingress
//!
//! When it is deleted, or no path of it leads to the apex any more, that is an error with Flagger's text. The generated
//! one stays as it is; only the canary's share can still be reduced.

mod annotations;
mod matches;
mod queries;
mod router;
#[cfg(test)]
mod tests;

pub use router::Nginx;
