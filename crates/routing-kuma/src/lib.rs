//! Routes traffic with Kuma's TrafficRoute or MeshHTTPRoute.
//!
//! # Which of the two
//!
//! TrafficRoute where the cluster serves it (Kuma 1 and 2): Flagger writes it, so a Canary of Flagger keeps its route.
//! Otherwise MeshHTTPRoute, the only one that Kuma 3 has. In Kuma a MeshHTTPRoute takes precedence over a TrafficRoute
//! for the same proxy, and combining them is discouraged: a user who has own MeshHTTPRoutes on Kuma 2, or kept the CRDs
//! of Kuma 2 on Kuma 3, forces [`Api::MeshHttpRoute`]. A MeshHTTPRoute names Services by the labels of their
//! MeshService, as Kuma 3 requires, if its CRD has a field for labels; from Kuma 2.9 on that needs
//! `meshServices.mode: Exclusive`. An older CRD drops labels silently: there Services are named by their tag,
//! `podinfo_test_svc_80`.
//!
//! # Ownership
//!
//! Neither object can have the Canary as owner: a TrafficRoute is cluster-scoped, and a MeshHTTPRoute applies to all
//! proxies only in Kuma's system namespace. So a route that this router created carries the Canary's uid and name
//! ([`CANARY`], [`UID`]), is refused to every other Canary (Services of the same name in two namespaces need the same
//! TrafficRoute), is deleted when it is released, and is swept when its Canary is gone ([`vexil_routing::Unowned`]). A
//! route without this label is the user's: it is adopted if it routes the traffic of our Service, and only our two
//! entries are written to it.
//!
//! # Drift
//!
//! Drift of our fields is reported and corrected: weights that do not sum to 100, selectors that do not name our
//! Service, a `conf.destination` beside our split. Further rules, entries and settings of the user are kept.

mod api;
mod claim;
mod queries;
mod reference;
mod render;
mod router;
mod tag;
#[cfg(test)]
mod tests;
mod view;

pub use api::Api;
pub use claim::{CANARY, UID};
pub use router::Kuma;
