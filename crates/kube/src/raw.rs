//! Requests for resources that no cache holds and no type describes, such as those of aggregated API servers.

use std::time::Duration;

use http::{Request, header};
use http_body_util::{BodyExt, Limited};

use crate::{Cluster, ReadError, call::signed};

/// Longest wait for the answer.
const LIMIT: Duration = Duration::from_secs(5);
/// Largest answer, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads it.
    Get,
    /// Creates it.
    Create,
    /// Deletes it.
    Delete,
}

impl Cluster {
    /// Sends a request with this path and query and a JSON body, and returns status and body whatever the status: at
    /// most 1 MiB, within 5 s.
    ///
    /// # Errors
    /// When the path is none, or there is no answer.
    pub async fn raw(&self, method: Method, path: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), ReadError> {
        let method = match method {
            Method::Get => http::Method::GET,
            Method::Create => http::Method::POST,
            Method::Delete => http::Method::DELETE,
        };
        let built =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = built.body(body).map_err(|error| ReadError::Invalid { message: error.to_string() })?;
        let lost = |message: String| ReadError::Unavailable { message };
        let exchange = async {
            let answer = self.shared.client.send(signed(request).map(kube::client::Body::from)).await;
            let (head, body) = answer.map_err(|error| lost(error.to_string()))?.into_parts();
            let body =
                Limited::new(body, SIZE_LIMIT).collect().await.map_err(|error| lost(error.to_string()))?;
            Ok((head.status.as_u16(), body.to_bytes().to_vec()))
        };
        match tokio::time::timeout(LIMIT, exchange).await {
            Ok(result) => result,
            Err(_) => Err(lost(format!("no answer within {} s", LIMIT.as_secs()))),
        }
    }
}
