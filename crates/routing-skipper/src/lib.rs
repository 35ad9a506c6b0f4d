//! Routes traffic with a generated Ingress that Skipper prefers to the user's.
//!
//! `spec.ingressRef` names the user's Ingress. Its paths to the apex are copied to the Ingress `<ingress>-canary`, each
//! for the Service of the primary and for that of the canary, whose shares are in an annotation. While the canary gets
//! traffic, the predicate `Weight(100)` gives these paths precedence; otherwise `False()` switches them off, and the
//! user's Ingress serves, whose apex selects the pods of the primary. The user's Ingress is only read.
//!
//! # Ownership
//!
//! The generated Ingress is the Canary's: an object of that name without this Canary as its controller is refused. Its
//! spec and Skipper's annotations follow the user's Ingress. A change of them is reverted, and reported if it concerns
//! the split. Other annotations and labels are copied once, without those by which tools recognise what they applied.
//!
//! # Without the user's Ingress
//!
//! When it is deleted, or no path of it leads to the apex any more, that is an error with Flagger's text. The generated
//! one stays as it is; only the canary's share can still be reduced.

mod annotations;
mod queries;
mod router;
#[cfg(test)]
mod tests;

pub use router::Skipper;
