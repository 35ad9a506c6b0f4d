//! What answers requests on the network: pods, the gateway, the load tester, the metric store.

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};

/// Nothing listens, or the connection broke before there was an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection refused")]
pub struct Refused;

/// Answers HTTP requests.
pub trait Handler: Send + Sync {
    /// Answers a request that came to `port`.
    fn call(&self, port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>>;
}

/// Makes an asynchronous function a [`Handler`].
pub struct FromFn<F>(pub F);

impl<F, A> Handler for FromFn<F>
where
    F: Fn(Request<Bytes>) -> A + Send + Sync,
    A: Future<Output = Response<Bytes>> + Send + 'static,
{
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        let answer = (self.0)(request);
        async move { Ok(answer.await) }.boxed()
    }
}

impl<F> std::fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FromFn")
    }
}

/// Whether a request is a call of gRPC.
pub(crate) fn is_grpc(request: &Request<Bytes>) -> bool {
    let kind = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind == "application/grpc" || kind.starts_with("application/grpc+"))
}

/// An answer of plain text.
pub fn plain(status: http::StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let text = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, text);
    response
}
