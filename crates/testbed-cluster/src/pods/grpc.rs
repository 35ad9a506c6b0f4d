//! gRPC as the application speaks it: the status of a call is in the headers of its answer, which has no message, since
//! the network has no trailers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// The call that every server of gRPC answers: of the health service.
pub(super) const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// The answer to a call, from what HTTP would have answered.
pub(super) fn answer(mut response: Response<Bytes>) -> Response<Bytes> {
    let status = match response.status() {
        StatusCode::OK => "0",
        StatusCode::NOT_FOUND => "12",
        _ => "13",
    };
    *response.status_mut() = StatusCode::OK;
    *response.body_mut() = Bytes::new();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert("grpc-status", HeaderValue::from_static(status));
    response
}
