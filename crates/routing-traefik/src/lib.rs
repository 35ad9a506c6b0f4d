//! Traffic split by Traefik's TraefikService (`routing.md` section 7).
//!
//! The user's IngressRoute names a TraefikService; its list `spec.weighted.services` holds one entry for the primary
//! and, while the canary has traffic, one for the canary. Of that object only these entries (name, port, weight) and
//! our metadata are ours; whatever else stands in it is kept.
//!
//! # A route that was edited by hand
//!
//! It is put back, and never in silence. [`Traefik`]'s `read` is strict: a weight that is missing, is no whole number
//! or does not sum to 100 with the other is [`vexil_routing::RouteError::Edited`], which names the path and which the
//! caller tells. Its `render` asks nothing of those leaves, they are ours, and writes them. Only where the way to them
//! is blocked by something that is not ours (`spec.weighted` is a text, an entry is a number) both refuse with
//! [`vexil_routing::RouteError::Malformed`].

mod read;
mod render;
mod router;
#[cfg(test)]
mod tests;
mod view;

pub use router::{Group, Traefik};
