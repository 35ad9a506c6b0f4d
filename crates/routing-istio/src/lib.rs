//! Routes traffic with Istio's VirtualService, and sets the traffic policy of its DestinationRules.
//!
//! # What is ours
//!
//! A VirtualService that does not exist is created with one HTTP route (TCP with `appProtocol: tcp`) to the primary
//! and the canary. In one that exists, ours are the routes that name these two Services or the apex, and of such a
//! route the destinations, their weights, and the fields that the Canary declares. Everything else is kept: further
//! routes, fault injection, fields that this version does not know.
//!
//! For A/B testing and session affinity, routes with conditions are put before ours. They have a name
//! (`podinfo-canary-match`), by which they are found again, and are removed with the request.
//!
//! A VirtualService of the user keeps its hosts, gateways, conditions and settings: the destination that is the apex,
//! which leads to the primary's pods, gets a weight, and the canary is added beside it.
//!
//! # Drift
//!
//! Reading is strict about what moves traffic: weights, mirrors, routes with conditions, routes that send to the canary
//! beside ours. All of that is [`vexil_routing::RouteError::Edited`] with its path, and rendering corrects it.

mod destination_rules;
mod http_route;
mod provider;
mod release;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod view;

pub use provider::Istio;
