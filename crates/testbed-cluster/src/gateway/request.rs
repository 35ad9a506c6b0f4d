//! What every gateway reads of a request, and adds to it.

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};

/// The host that a request asks for, without a port.
pub(super) fn host(request: &Request<Bytes>) -> String {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = header.or(request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default();
    host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned()
}

/// The request as a proxy passes it on.
pub(super) fn forwarded(mut request: Request<Bytes>, host: &str) -> Request<Bytes> {
    if let Ok(host) = HeaderValue::from_str(host) {
        request.headers_mut().insert("x-forwarded-host", host);
    }
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("127.0.0.1"));
    request
}
