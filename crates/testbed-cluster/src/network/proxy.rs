//! A forward HTTP proxy, so that a process outside (with `HTTP_PROXY`) reaches the names of the cluster.
//!
//! It answers absolute-form `http://` requests for names of the cluster, forwards those for loopback addresses as they
//! are (the API server, with watches that stream), tunnels `CONNECT` to loopback addresses, and refuses all else.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::handler::{Refused, plain};
use super::{Network, wire};

type Body = BoxBody<Bytes, hyper::Error>;

/// A listening proxy; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(network: Network) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, network));
        Ok(Proxy { address, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener, network: Network) {
    let loopback = Client::builder(TokioExecutor::new()).build_http();
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, network.clone(), loopback.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, network: Network, loopback: Client<HttpConnector, Incoming>) {
    let answer = |request| {
        let (network, loopback) = (network.clone(), loopback.clone());
        async move { Ok::<_, hyper::Error>(forward(request, &network, &loopback).await) }
    };
    let server = hyper::server::conn::http1::Builder::new().preserve_header_case(true).clone();
    // The error is the peer's, who has seen it too.
    let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).with_upgrades().await;
}

async fn forward(
    request: Request<Incoming>,
    network: &Network,
    loopback: &Client<HttpConnector, Incoming>,
) -> Response<Body> {
    let Some(host) = request.uri().host().map(str::to_owned) else {
        return whole(plain(StatusCode::BAD_REQUEST, "the request names no host"));
    };
    if *request.method() == Method::CONNECT {
        return match loopback_address(request.uri()) {
            Some(address) => tunnel(request, address),
            None => whole(plain(StatusCode::FORBIDDEN, format!("no tunnel to {host}"))),
        };
    }
    if network.knows(&host) {
        return whole(inside(request, network).await);
    }
    if loopback_address(request.uri()).is_none() {
        return whole(plain(StatusCode::BAD_GATEWAY, format!("no such host: {host}")));
    }
    match loopback.request(request).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(error) => whole(plain(StatusCode::BAD_GATEWAY, error.to_string())),
    }
}

async fn inside(request: Request<Incoming>, network: &Network) -> Response<Bytes> {
    let sent = match wire::collect(request).await {
        Ok(request) => network.send(request).await,
        Err(Refused) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "the body cannot be read"),
    };
    sent.unwrap_or_else(|error| plain(StatusCode::BAD_GATEWAY, error.to_string()))
}

fn loopback_address(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let ip: IpAddr = if host == "localhost" { [127, 0, 0, 1].into() } else { host.parse().ok()? };
    ip.is_loopback().then(|| SocketAddr::new(ip, uri.port_u16().unwrap_or(80)))
}

/// Connects the two ends once the answer is out. The copy ends with either of them, at the latest with the process.
fn tunnel(request: Request<Incoming>, address: SocketAddr) -> Response<Body> {
    tokio::spawn(async move {
        if let (Ok(near), Ok(mut far)) =
            (hyper::upgrade::on(request).await, TcpStream::connect(address).await)
        {
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(near), &mut far).await;
        }
    });
    whole(Response::new(Bytes::new()))
}

fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(|body| Full::new(body).map_err(|never| match never {}).boxed())
}
