//! Routes traffic with Contour's HTTPProxy.
//!
//! The HTTPProxy has the name of the apex and no virtual host: the user's root HTTPProxy includes it. One of its routes
//! has the primary and the canary with their weights. For A/B testing there is a route for each entry of
//! `analysis.match`, which sends to the canary; Contour prefers the route with more conditions, so their order has no
//! meaning.
//!
//! # Ownership
//!
//! An HTTPProxy that the Canary owns has its settings: conditions, timeout, retries. In one of the user every route to
//! the apex is split; the apex leads to the primary's pods and stays. Everything else is kept, and a release removes
//! the canary.
//!
//! # Drift
//!
//! Reading is strict: weights that do not sum to 100, a route to our Services that is not as this router writes it, and
//! conditions that are not those of the Canary are reported with their path, then corrected.

mod queries;
mod router;
mod routes;
mod settings;
#[cfg(test)]
mod tests;
mod view;

pub use router::Contour;
