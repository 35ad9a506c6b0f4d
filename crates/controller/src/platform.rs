//! What metric providers may use of the operator's own identity: environment, token files, and the API server.

use std::time::Duration;

use async_trait::async_trait;
use vexil_egress::{CallError, Reply};
use vexil_kube::{Cluster, Method};
use vexil_metrics::{ApiMethod, ApiRequest, Platform};

/// Largest file that is read, in bytes; tokens have a few thousand.
const MOST_BYTES: u64 = 64 << 10;

/// The process and its cluster.
pub(crate) struct OfProcess<'a> {
    pub(crate) cluster: &'a Cluster,
}

#[async_trait]
impl Platform for OfProcess<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Option<String> {
        let small = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MOST_BYTES);
        small.then(|| std::fs::read_to_string(path).ok()).flatten()
    }

    async fn api_server(&self, request: ApiRequest) -> Result<Reply, CallError> {
        let method = match request.method {
            ApiMethod::Get => Method::Get,
            ApiMethod::Create => Method::Create,
            ApiMethod::Delete => Method::Delete,
        };
        match self.cluster.raw(method, &request.path, request.body).await {
            Ok((status, body)) => Ok(Reply::new(status, body)),
            Err(error) => {
                Err(CallError::Unreachable { host: "the API server".to_owned(), cause: error.to_string() })
            }
        }
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
