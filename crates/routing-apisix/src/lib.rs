//! Traffic split by a generated ApisixRoute that follows the user's (`routing.md` section 8).
//!
//! `spec.routeRef` names the user's ApisixRoute. Each of its HTTP rules that has the apex as backend is copied, as
//! untyped JSON with whatever stands in it, to the ApisixRoute `<route>-<apex>-canary`, with the primary and the canary
//! in place of the apex and a priority above the user's. The user's route is only read; it serves again when the
//! generated one goes with its Canary.
//!
//! # Whose the generated route is
//!
//! The Canary's alone: its name is one that we made up, so an object of that name without this Canary as its controller
//! is refused. Its spec is a copy, so what somebody writes into it is told, where it concerns the split, and put back;
//! what shall be in it belongs into the user's route. A default or an admission hook that completes ApisixRoutes has
//! completed the user's as well, so nobody is fought.
//!
//! # When the user's route is gone
//!
//! Or when no rule of it has the apex any more: that is an error in the words of the contract, and the generated route
//! stays as it is, for it is what serves. Only a canary that still has traffic can lose it meanwhile, so that a
//! rollback need not wait for somebody to mend the route.

mod read;
mod render;
mod router;
mod source;
#[cfg(test)]
mod tests;

pub use router::Apisix;
