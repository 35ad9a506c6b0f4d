//! Routes traffic with Traefik's TraefikService.
//!
//! The user's IngressRoute names a TraefikService. Its list `spec.weighted.services` holds an entry for the primary
//! and, while the canary gets traffic, one for the canary. Only name, port and weight of these entries and our
//! metadata are ours; everything else in the object is kept.
//!
//! # Drift
//!
//! Drift is reported, then corrected. Reading is strict: a weight that is missing, is not an integer or does not sum to
//! 100 with the other is [`vexil_routing::RouteError::Edited`], which names the path. Rendering writes these fields
//! whatever they contain. When something that is not ours is in the way (`spec.weighted` is a string, an entry is a
//! number), reading and rendering both fail with [`vexil_routing::RouteError::Malformed`].

mod queries;
mod router;
#[cfg(test)]
mod tests;

pub use router::{Group, Traefik};
