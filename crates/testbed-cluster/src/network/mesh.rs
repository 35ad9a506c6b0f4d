//! What is between callers and Services when there is a mesh: the sidecars on both sides.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

use super::NetworkError;

/// A request on its way to a Service.
#[derive(Debug)]
pub(crate) struct Call {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service's name.
    pub name: String,
    /// The port that the caller asks for.
    pub port: u16,
    /// The request.
    pub request: Request<Bytes>,
}

/// Carries every request for a Service; those for addresses and for names that have a handler of their own are left
/// alone.
pub(crate) trait Mesh: Send + Sync {
    /// Brings a call to some pod, and its answer back.
    fn carry(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, NetworkError>>;
}

impl std::fmt::Debug for dyn Mesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mesh")
    }
}
