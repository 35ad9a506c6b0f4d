//! Routes traffic with a TrafficSplit of the Service Mesh Interface.
//!
//! [`Smi::all`] has the routers of each version of the API: for Istio's adapter, for Linkerd, and for any other mesh.
//! The provider says which:
//!
//! | provider | version | gateways in an annotation for Istio's adapter | built-in queries |
//! |---|---|---|---|
//! | `linkerd` | v1alpha1 | no | Linkerd's |
//! | `smi:<mesh>` | v1alpha1 | if the mesh is `istio` | Linkerd's if the mesh is `linkerd`, else Istio's |
//! | `smi:v1alpha1`, `smi:v1alpha2`, `smi:v1alpha3` | that one | no | Istio's |
//! | `smi:v1alpha1:<mesh>`, … | that one | if the mesh is `istio` | as `smi:<mesh>` |
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
