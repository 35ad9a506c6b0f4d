//! Traffic split by a TrafficSplit of the Service Mesh Interface (`routing.md` section 6).
//!
//! One router for each version of the API, with and without Istio behind it: [`Smi::all`]. The provider says which:
//!
//! | provider | version | the adapter for Istio is told the gateways |
//! |---|---|---|
//! | `smi:<mesh>` | v1alpha1 | when the mesh is `istio` |
//! | `smi:v1alpha1`, `smi:v1alpha2`, `smi:v1alpha3` | that one | no |
//! | `smi:v1alpha1:<mesh>`, … | that one | when the mesh is `istio` |
//!
//! A TrafficSplit that the Canary owns is ours but for entries and fields of others; of a user's own only our two
//! backends are written. Weights are quantities in v1alpha1, which the API writes as texts, and numbers from v1alpha2
//! on. A split that was edited by hand is told and put back.

mod provider;
mod router;
mod split;
#[cfg(test)]
mod tests;

pub use provider::Version;
pub use router::Smi;
