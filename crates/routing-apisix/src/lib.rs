//! Routes traffic with a generated ApisixRoute that follows the user's.
//!
//! `spec.routeRef` names the user's ApisixRoute. Each of its HTTP rules that has the apex as backend is copied, as
//! untyped JSON with all its fields, to the ApisixRoute `<route>-<apex>-canary`, with the primary and the canary
//! instead of the apex and a higher priority. The user's route is only read; it serves again when the generated one
//! is deleted with its Canary.
//!
//! # Ownership
//!
//! The generated route is the Canary's: an object of that name without this Canary as its controller is refused. Its
//! spec is a copy, so a change of it is reverted, and reported if it concerns the split; what the route should
//! contain belongs in the user's route. A defaulting or admission webhook for ApisixRoutes has completed the user's
//! route as well, so there is no conflict with it.
//!
//! # Without the user's route
//!
//! When it is deleted, or no rule of it has the apex any more, that is an error with Flagger's text. The generated
//! route stays as it is, because it serves the traffic. Only the canary's weight can still be reduced, so that a
//! rollback does not wait until the route is corrected.

mod queries;
mod read;
mod render;
mod router;
mod source;
#[cfg(test)]
mod tests;

pub use router::Apisix;
