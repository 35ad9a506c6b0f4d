//! HTTP listener: IPv6 and IPv4 on one port, timeouts for idle connections, and limits of their number, so that no
//! client of the port can keep the kubelet's probes from being served.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use axum::{Router, body::Body};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use http_body_util::Limited;
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower::ServiceExt as _;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// Pause after an error that no single connection caused, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Limits of connections and requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Connections at once from one address; further ones are closed.
    pub per_peer: usize,
    /// How long a connection may take to its first request, from one to the next, and for the head of each, in
    /// milliseconds.
    pub head_ms: u64,
    /// Maximum time that sent data may stay unacknowledged, in milliseconds. Linux only.
    pub stalled_ms: u64,
    /// The largest head of a request, in bytes; at least 8 KiB.
    pub head_bytes: usize,
    /// The largest body of a request, in bytes.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 512,
            per_peer: 128,
            head_ms: 10_000,
            stalled_ms: 30_000,
            head_bytes: 16 << 10,
            body_bytes: 64 << 10,
        }
    }
}

/// A listening port.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Listens on a port of all addresses: of IPv6 and IPv4, or of IPv4 where the machine has no IPv6. Port 0 selects a
    /// free port.
    ///
    /// # Errors
    /// If the port is in use, or the process may not listen on it.
    pub fn bind(port: u16) -> io::Result<Self> {
        let both = || listener(Domain::IPV6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
        let old = || listener(Domain::IPV4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
        let listener = both().or_else(|error| match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
            _ => old(),
        })?;
        Ok(Listener(TcpListener::from_std(listener.into())?))
    }

    /// The port.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn port(&self) -> io::Result<u16> {
        self.0.local_addr().map(|address| address.port())
    }

    /// Serves until `stop` is ready. Then no connection is accepted, idle connections are closed, and the others
    /// are closed when their request is answered.
    pub async fn serve(self, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let graceful = GracefulShutdown::new();
        let mut open: FuturesUnordered<BoxFuture<'static, IpAddr>> = FuturesUnordered::new();
        let mut peers: BTreeMap<IpAddr, usize> = BTreeMap::new();
        loop {
            let (stream, peer) = tokio::select! {
                biased;
                () = &mut stop => break,
                Some(peer) = open.next(), if !open.is_empty() => {
                    leave(&mut peers, peer);
                    continue;
                }
                accepted = self.accept(), if open.len() < limits.connections => accepted,
            };
            let there = peers.entry(peer).or_default();
            if *there >= limits.per_peer {
                tracing::debug!(%peer, "connection closed: {there} are open from this address");
                continue;
            }
            *there += 1;
            configure(&stream, limits);
            open.push(connection(stream, router.clone(), limits, &graceful).map(move |()| peer).boxed());
        }
        drop(self);
        let drained = async { while open.next().await.is_some() {} };
        futures::join!(graceful.shutdown(), drained);
    }

    /// The next connection. Errors of single connections are ignored.
    async fn accept(&self) -> (TcpStream, IpAddr) {
        loop {
            match poll_fn(|context| self.0.poll_accept(context)).await {
                Ok((stream, peer)) => return (stream, peer.ip().to_canonical()),
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    tracing::warn!("no connection can be accepted: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

fn listener(domain: Domain, address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

fn leave(peers: &mut BTreeMap<IpAddr, usize>, peer: IpAddr) {
    if let Some(there) = peers.get_mut(&peer) {
        *there -= 1;
        if *there == 0 {
            peers.remove(&peer);
        }
    }
}

/// Lets the operating system detect a peer that is gone or never reads. If that is not supported, the connection is
/// served without it.
fn configure(stream: &TcpStream, limits: Limits) {
    let socket = SockRef::from(stream);
    let stalled = Duration::from_millis(limits.stalled_ms);
    let _asked = socket.set_tcp_nodelay(true);
    let _asked = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(stalled));
    #[cfg(target_os = "linux")]
    let _asked = socket.set_tcp_user_timeout(Some(stalled));
}

/// Serves one connection to its end. Errors are ignored: the peer causes them.
fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    let service = router.map_request(move |request: Request<Incoming>| {
        request.map(|body| Body::new(Limited::new(body, limits.body_bytes)))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.head_ms))
        .max_buf_size(limits.head_bytes.max(8 << 10))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!("connection ended: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
