//! Traffic split by Kuma's TrafficRoute or MeshHTTPRoute (`routing.md` section 5).
//!
//! # Which of the two
//!
//! TrafficRoute where the cluster serves it (Kuma 1 and 2), since that is what Flagger wrote: a Canary of its goes on
//! with the route it has. Else MeshHTTPRoute, which is what Kuma 3 has left. Kuma lets a MeshHTTPRoute take precedence
//! over a TrafficRoute for the same proxy and advises not to combine them; who has MeshHTTPRoutes of his own on Kuma 2,
//! or has kept the CRDs of Kuma 2 on Kuma 3, forces [`Api::MeshHttpRoute`]. It names Services by the labels of their
//! MeshService, the only way that Kuma 3 knows, where the definition in the cluster has room for labels; from Kuma 2.9
//! on that needs `meshServices.mode: Exclusive`. An older definition drops labels silently: there Services are named by
//! their tag, `podinfo_test_svc_80`.
//!
//! # Where it stands, and whose it is
//!
//! Neither object can have the Canary as its owner: a TrafficRoute belongs to the whole cluster, and a MeshHTTPRoute
//! concerns all proxies only in Kuma's system namespace. So a route that this router made carries the Canary's uid and
//! name ([`CANARY`], [`UID`]), is refused to every other Canary (two Services of one name in two namespaces want the
//! same TrafficRoute), is deleted when it is released, and is swept once its Canary is gone
//! ([`vexil_routing::Unowned`]). A route without these marks is its user's: it is adopted if it concerns our Service,
//! and only our two entries are written to it.
//!
//! # A route that was edited by hand
//!
//! Is told and put back, as far as it is ours: weights that do not sum to 100, selectors that no longer name our
//! Service, a `conf.destination` beside our split. Further rules, entries and settings of the user's stay.

mod api;
mod claim;
mod read;
mod reference;
mod render;
mod router;
#[cfg(test)]
mod tests;
mod view;

pub use api::Api;
pub use claim::{CANARY, UID};
pub use router::Kuma;
