//! Pods that really serve: what an image and its environment mean, the application, and the node that runs it.

mod app;
mod behaviour;
mod grpc;
mod measures;
mod node;
mod status;

pub(crate) use app::{App, Fate};
pub(crate) use behaviour::Behaviour;
pub(crate) use node::Node;

/// Header of every answer of a pod: the version (image tag) that served it.
pub const VERSION_HEADER: &str = "x-app-version";
/// Header of every answer of a pod: the pod's name.
pub const HOSTNAME_HEADER: &str = "x-app-hostname";
