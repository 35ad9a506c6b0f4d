//! Routes traffic with the HTTPRoute or GRPCRoute of the Gateway API that has the name of the apex.
//!
//! # Which kind
//!
//! HTTPRoute. With `service.appProtocol: grpc` it is GRPCRoute, unless the cluster does not serve that kind, or has an
//! HTTPRoute of this name and no GRPCRoute: Flagger writes HTTPRoutes only, and its routes stay in use. `v1` is written
//! where it is served, else `v1beta1`; the provider name may contain either, since both are the same object.
//!
//! # Rules
//!
//! Each rule that sends requests to our Services is split: its backends are the primary and the canary, with weights
//! that sum to 100, beside the backends of others. Other strategies add rules before it, which are copies of it but for
//! their matches and backends:
//!
//! * A/B testing: one whose matches also have the conditions of `analysis.match`; its only backend of ours is the
//!   canary.
//! * Session affinity: one for requests with the canary's cookie, and one for those with the primary's. The entries of
//!   the split rule set the cookies. At weight 0 one for requests with the last rollout's cookie deletes it.
//!
//! Mirroring adds a `RequestMirror` filter to the split rule.
//!
//! # Ownership
//!
//! A route without a controller is the user's: parents, hostnames, matches, filters, timeouts, other rules, other
//! backends and fields that this version does not know are kept. Rules that name the apex are split in place, and keep
//! the apex as their entry for the primary, because the apex selects the primary's pods. A route that was created
//! follows `spec.service` of the Canary, with filters of others (`ExtensionRef`) and further rules kept.
//!
//! # Acceptance
//!
//! A step waits until each parent has accepted the route in its present generation and resolved its references.

mod acceptance;
mod added;
mod conditions;
mod cookie;
mod kinds;
mod overlay;
mod release;
mod render;
mod router;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use router::GatewayApi;
