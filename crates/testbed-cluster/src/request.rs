//! One request to the API server, JSON in and JSON out.

use http::{Method, Request, header::CONTENT_TYPE};
use kube::Client;
use serde_json::Value;

/// Sends a request. The body of a PATCH is a merge patch (RFC 7386).
///
/// # Errors
/// When the API server cannot be reached or refuses it.
pub async fn send(client: &Client, method: Method, path: &str, body: Option<&Value>) -> kube::Result<Value> {
    let content = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let body = body.map(Value::to_string).unwrap_or_default().into_bytes();
    let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, content).body(body);
    client.request(request.map_err(kube::Error::HttpError)?).await
}
