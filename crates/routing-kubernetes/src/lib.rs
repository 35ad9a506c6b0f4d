//! The apex, primary and canary Services (`routing.md` section 4).
//!
//! `<apex>-canary` selects the target's pods and `<apex>-primary` the primary's; both are always ours. The apex selects
//! the primary's pods; it may be the user's own, and then only its ports and selector are written, and given back.
//!
//! [`Kubernetes`] is the provider that has nothing but these Services: the canary is judged beside the traffic.
//!
//! Every comparison is with the live object as the API server has completed it, so a Service that was written once is
//! not written again: fields that the server fills in (`clusterIPs`, `sessionAffinity`, `nodePort`, …) are not ours,
//! and those of a port are compared as the server would complete them.

mod aside;
mod beside;
mod ports;
mod render;
mod services;
#[cfg(test)]
mod tests;

pub use aside::Kubernetes;
pub use services::KubernetesServices;
