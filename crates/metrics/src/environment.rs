//! What a query may use besides the provider's own block: the HTTP client, the time, and the operator's own identity.

use std::fmt;

use async_trait::async_trait;
use vexil_egress::{CallError, Reply, Transport};

/// What a query may use besides the provider's own block.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// Sends requests to the addresses of users.
    pub transport: &'a dyn Transport,
    /// The operator's own identity.
    pub platform: &'a dyn Platform,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// Only the time: what the others are is not for logs.
impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

/// The operator's own identity, for metric servers that are queried with it (CloudWatch, Google Cloud Monitoring, the
/// API server). What is not overridden does not exist: `()` has none of it.
#[async_trait]
pub trait Platform: Send + Sync {
    /// An environment variable of the process.
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    /// A small text file that a variable names, such as a token that the kubelet renews.
    fn file(&self, _path: &str) -> Option<String> {
        None
    }

    /// The reply of the API server to a request with the operator's own rights.
    ///
    /// # Errors
    /// When there is no reply.
    async fn api_server(&self, _request: ApiRequest) -> Result<Reply, CallError> {
        Err(CallError::BadRequest { reason: "no API server is configured".to_owned() })
    }

    /// Waits, in milliseconds.
    async fn pause(&self, _ms: u64) {}
}

impl Platform for () {}

/// A request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// The method.
    pub method: ApiMethod,
    /// Path and query, from `/apis/` on; every name in it is encoded.
    pub path: String,
    /// JSON; empty for none.
    pub body: Vec<u8>,
}

/// What is done with a resource of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiMethod {
    /// `GET`.
    Get,
    /// `POST`.
    Create,
    /// `DELETE`.
    Delete,
}

impl ApiRequest {
    /// Reads a resource.
    pub(crate) fn get(path: String) -> Self {
        ApiRequest { method: ApiMethod::Get, path, body: Vec::new() }
    }
}
