//! How a request gets to its handler: as a call, or as HTTP/1.1 over TCP on 127.0.0.1.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::handler::{Handler, Refused};
use crate::settings::Wire;

/// The largest body that is carried, in bytes.
const MAX_BODY: usize = 4 << 20;
/// Says which port of a pod a request was sent to, since over TCP each pod listens on one port only.
const PORT_HEADER: &str = "x-testbed-port";

/// The way to one handler; clones lead to the same one, which stops listening with the last of them.
#[derive(Clone)]
pub(super) struct Link(Arc<Way>);

enum Way {
    Call(Arc<dyn Handler>),
    Tcp(SocketAddr, #[expect(dead_code, reason = "held for its drop")] Listening),
}

/// Ends a listener, and with it its connections.
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => write!(f, "Link({address})"),
            None => f.write_str("Link(call)"),
        }
    }
}

impl Link {
    /// A way to `handler`. Where no port can be had the link is a call, which answers the same.
    pub fn new(wire: Wire, handler: Arc<dyn Handler>) -> Self {
        let listening = match wire {
            Wire::InProcess => None,
            Wire::Sockets => listen(Arc::clone(&handler)).ok(),
        };
        Link(Arc::new(match listening {
            Some((address, task)) => Way::Tcp(address, Listening(task)),
            None => Way::Call(handler),
        }))
    }

    /// Where it listens, over sockets.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.0.as_ref() {
            Way::Call(_) => None,
            Way::Tcp(address, _) => Some(*address),
        }
    }

    /// Sends a request.
    pub async fn send(
        &self,
        client: &TcpClient,
        port: u16,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Refused> {
        match self.0.as_ref() {
            Way::Call(handler) => handler.call(port, request).await,
            Way::Tcp(address, _) => {
                let mut request = request;
                request.headers_mut().insert(PORT_HEADER, HeaderValue::from(port));
                client.send(&address.to_string(), request).await
            }
        }
    }
}

fn listen(handler: Arc<dyn Handler>) -> std::io::Result<(SocketAddr, AbortHandle)> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&handler)));
            while connections.try_join_next().is_some() {}
        }
    });
    Ok((address, task.abort_handle()))
}

/// Answers on one connection. Who refuses a request breaks the connection, as a process that dies does.
async fn serve(stream: TcpStream, handler: Arc<dyn Handler>) {
    let answer = |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let request = collect(request).await?;
            let port = request.headers().get(PORT_HEADER).and_then(|port| port.to_str().ok()?.parse().ok());
            let response = handler.call(port.unwrap_or(80), request).await?;
            Ok::<_, Refused>(response.map(Full::new))
        }
    };
    // The error is the peer's, who has seen it too.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

/// Reads a request's body, up to a limit.
pub(crate) async fn collect(request: Request<Incoming>) -> Result<Request<Bytes>, Refused> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Refused)?;
    Ok(Request::from_parts(parts, body.to_bytes()))
}

/// Sends requests over TCP.
#[derive(Clone, Debug)]
pub(super) struct TcpClient(Client<HttpConnector, Full<Bytes>>);

impl Default for TcpClient {
    fn default() -> Self {
        TcpClient(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl TcpClient {
    /// One that makes a connection for each request, so that a proxy that spreads connections spreads requests.
    pub fn without_pool() -> Self {
        TcpClient(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http())
    }

    /// Sends a request to `to`, an address or name with a port.
    pub async fn send(&self, to: &str, request: Request<Bytes>) -> Result<Response<Bytes>, Refused> {
        let request = readdress(to, request).ok_or(Refused)?;
        let response = self.0.request(request.map(Full::new)).await.map_err(|_| Refused)?;
        let (mut parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Refused)?;
        parts.headers.remove(TRANSFER_ENCODING);
        parts.headers.remove(CONNECTION);
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

/// Points a request at a socket; the name it was meant for stays in the header `Host`.
fn readdress(to: &str, mut request: Request<Bytes>) -> Option<Request<Bytes>> {
    if !request.headers().contains_key(HOST)
        && let Some(authority) = request.uri().authority()
    {
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        request.headers_mut().insert(HOST, host);
    }
    request.headers_mut().remove(CONNECTION);
    request.headers_mut().remove(TRANSFER_ENCODING);
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(to.parse::<Authority>().ok()?);
    parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(request)
}
