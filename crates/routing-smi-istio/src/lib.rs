//! Routes traffic with a TrafficSplit of the Service Mesh Interface.
//!
//! [`Smi::all`] has one router for each version of the API, with and without Istio's adapter. The provider says which:
//!
//! | provider | version | gateways in an annotation for Istio's adapter |
//! |---|---|---|
//! | `smi:<mesh>` | v1alpha1 | if the mesh is `istio` |
//! | `smi:v1alpha1`, `smi:v1alpha2`, `smi:v1alpha3` | that one | no |
//! | `smi:v1alpha1:<mesh>`, … | that one | if the mesh is `istio` |
//!
//! A TrafficSplit that the Canary owns is ours, except for entries and fields of others; in one of the user only our
//! two backends are written. Weights are quantities in v1alpha1, which the API writes as strings, and numbers from
//! v1alpha2 on. Drift is reported, then corrected.

mod provider;
mod router;
#[cfg(test)]
mod tests;

pub use provider::Version;
pub use router::Smi;
