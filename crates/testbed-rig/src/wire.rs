//! The operator's way out, answered by the cluster's network within the limits of each request.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::timeout;
use vexil_egress::{CallError, Method, Oversize, Redirects, Reply, Request, Transport};
use vexil_testbed_cluster::Network;

/// The operator's way out over a cluster's network.
#[derive(Clone, Debug)]
pub struct Wire(pub Network);

#[async_trait]
impl Transport for Wire {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let url = &request.url;
        let host =
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let limit = Duration::from_millis(request.deadline_ms);
        let outgoing = outgoing(&request)
            .map_err(|error| CallError::Unreachable { host: host.clone(), cause: error.to_string() })?;
        let response = match timeout(limit, self.0.send(outgoing)).await {
            Err(_) => return Err(CallError::TimedOut { host, after_ms: request.deadline_ms }),
            Ok(Err(error)) => return Err(CallError::Unreachable { host, cause: error.to_string() }),
            Ok(Ok(response)) => response,
        };
        let mut reply = Reply::new(response.status().as_u16(), Vec::new());
        for (name, value) in response.headers() {
            reply = reply.with_header(name.as_str(), value.to_str().unwrap_or_default());
        }
        if response.status().is_redirection() && request.redirects == Redirects::Refuse {
            let to = reply.header("location").unwrap_or_default().to_owned();
            return Err(CallError::Redirected { host, status: reply.status, to });
        }
        let body = response.body();
        let limit = request.max_reply_bytes;
        if body.len() > limit && request.oversize == Oversize::Fail {
            return Err(CallError::TooLarge { host, limit });
        }
        reply.truncated = body.len() > limit;
        reply.body = body.iter().copied().take(limit).collect();
        Ok(reply)
    }
}

fn outgoing(request: &Request) -> http::Result<http::Request<Bytes>> {
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
    };
    let mut outgoing = http::Request::builder().method(method).uri(request.url.as_str());
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value.expose());
    }
    outgoing.body(Bytes::from(request.body.clone()))
}
