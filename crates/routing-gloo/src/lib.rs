//! Routes traffic with a RouteTable of Gloo.
//!
//! The RouteTable has the name of the apex: the user's VirtualService delegates to it. One of its routes has an
//! Upstream for the primary and one for the canary, with their weights. For A/B testing the route before it sends
//! requests that meet an entry of `analysis.match` to the canary; Gloo takes the first route that fits.
//!
//! # Ownership
//!
//! RouteTable and Upstreams are the Canary's: one of these names without this Canary as its controller is refused. What
//! others add to them is kept. With `upstreamRef` the Upstreams have the settings of the one that it names, and follow
//! it.

mod matchers;
mod queries;
mod router;
mod routes;
#[cfg(test)]
mod tests;
mod upstreams;

pub use router::Gloo;
