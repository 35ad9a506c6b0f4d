//! The apex, primary and canary Services, which every provider needs.
//!
//! `<apex>-canary` selects the target's pods and `<apex>-primary` the primary's; the Canary always owns both. The apex
//! selects the primary's pods. It may be the user's: then only its ports and selector are written, and restored when
//! the Canary is deleted.
//!
//! [`Kubernetes`] is the provider that has only these Services and does not route traffic to the canary.
//!
//! Every comparison is with the live object, completed by the API server, so an unchanged Service is not written again:
//! fields that the server sets (`clusterIPs`, `sessionAffinity`, `nodePort`, …) are not ours, and the fields of a port
//! are compared as the server completes them.

mod copy;
mod ports;
mod render;
mod router;
mod services;
#[cfg(test)]
mod tests;
mod user_ports;

pub use router::Kubernetes;
pub use services::KubernetesServices;
