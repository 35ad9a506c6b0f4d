//! The cluster's network: names, addresses, and requests that reach pods as calls or over TCP.
//!
//! Names are `service.namespace`, also with `.svc` and `.svc.cluster.local` behind it, and whatever was registered. A
//! Service's requests go round its ready endpoints. Not done: TLS, HTTP/2, short names without a namespace, session
//! affinity, NodePorts, network policies, requests that do not speak HTTP.

mod directory;
mod handler;
mod mesh;
mod proxy;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, Uri};

pub(crate) use self::directory::{Address, Directory, PortRef};
pub(crate) use self::handler::is_grpc;
pub use self::handler::{FromFn, Handler, Refused, plain};
pub(crate) use self::mesh::{Call, Mesh};
pub(crate) use self::proxy::Proxy;
pub(crate) use self::wire::collect;
use self::wire::{Link, TcpClient};
use super::load::{Load, Running};
use super::settings::Wire;

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The address of the request names no host.
    #[error("the request names no host")]
    NoHost,
    /// There is no such name.
    #[error("no such host: {0}")]
    UnknownHost(String),
    /// The Service has no port of that number.
    #[error("service {0} has no port {1}")]
    NoPort(String, u16),
    /// The Service has no ready endpoints.
    #[error("service {0} has no ready endpoints")]
    NoEndpoints(String),
    /// Nothing listens there, or the connection broke.
    #[error("{0}: connection refused")]
    Refused(String),
}

/// The network; clones are the same network.
#[derive(Clone, Debug)]
pub struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wire: Wire,
    client: TcpClient,
    /// Whether addresses and names without a handler are the machine's.
    is_of_machine: bool,
    hosts: Mutex<BTreeMap<String, Link>>,
    directory: Mutex<Arc<Directory>>,
    mesh: Mutex<Option<Arc<dyn Mesh>>>,
    /// Per Service and port, whose turn it is.
    turns: Mutex<BTreeMap<(String, u16), usize>>,
}

impl Network {
    /// A network without hosts.
    pub fn new(wire: Wire) -> Self {
        Network::with(wire, TcpClient::default(), false)
    }

    /// The network of this machine, for a process of its own: addresses and names are real ones, and are asked over
    /// TCP with a connection for each request. Handlers answer to this process alone.
    pub fn of_machine() -> Self {
        Network::with(Wire::InProcess, TcpClient::without_pool(), true)
    }

    fn with(wire: Wire, client: TcpClient, is_of_machine: bool) -> Self {
        Network(Arc::new(Inner {
            wire,
            client,
            is_of_machine,
            hosts: Mutex::default(),
            directory: Mutex::default(),
            mesh: Mutex::default(),
            turns: Mutex::default(),
        }))
    }

    /// Lets `handler` answer for a name, on every port; `traefik.traefik` also as `traefik.traefik.svc` and so on. Over
    /// sockets it listens on a port of 127.0.0.1, which is answered.
    pub fn register(&self, name: &str, handler: Arc<dyn Handler>) -> Option<SocketAddr> {
        self.attach(short(name), handler)
    }

    /// Removes the handler of a name.
    pub fn unregister(&self, name: &str) {
        self.detach(short(name));
    }

    /// Lets `handler` answer at an address of the cluster.
    pub(crate) fn attach(&self, host: &str, handler: Arc<dyn Handler>) -> Option<SocketAddr> {
        let link = Link::new(self.0.wire, handler);
        let address = link.address();
        lock(&self.0.hosts).insert(host.to_owned(), link);
        address
    }

    /// Removes the handler of an address.
    pub(crate) fn detach(&self, host: &str) {
        lock(&self.0.hosts).remove(host);
    }

    /// Takes over what Services and EndpointSlices say.
    pub(crate) fn follow(&self, directory: Directory) {
        *lock(&self.0.directory) = Arc::new(directory);
    }

    /// Sends a request to the host that its address names. The header `Host` may name another one, as with a gateway.
    ///
    /// # Errors
    /// When the name leads nowhere or nothing answers; an HTTP status is never an error.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NetworkError> {
        let (host, port) = target(request.uri())?;
        let mesh = lock(&self.0.mesh).clone();
        if let (Some(mesh), Some((name, namespace))) = (mesh, self.service(host)) {
            let call = Call { namespace, name, port, request };
            return mesh.carry(call).await;
        }
        let (host, port) = self.resolve(host, port)?;
        self.deliver(&host, port, request)
            .await
            .map_err(|Refused| NetworkError::Refused(format!("{host}:{port}")))
    }

    /// Whether a name or address leads to something in this cluster.
    pub(crate) fn knows(&self, host: &str) -> bool {
        let host = short(host);
        let service =
            host.split_once('.').is_some_and(|(name, namespace)| self.directory().has(namespace, name));
        service || lock(&self.0.hosts).contains_key(host)
    }

    /// Sends a request to one address.
    pub(crate) async fn deliver(
        &self,
        host: &str,
        port: u16,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Refused> {
        let link = lock(&self.0.hosts).get(host).cloned();
        match link {
            Some(link) => link.send(&self.0.client, port, request).await,
            None if self.0.is_of_machine => self.0.client.send(&format!("{host}:{port}"), request).await,
            None => Err(Refused),
        }
    }

    /// Lets requests come over this network, until what is answered is dropped.
    pub fn load(&self, load: Load) -> Running {
        Running::start(self.clone(), load)
    }

    /// Lets a mesh carry the requests for Services from now on.
    pub(crate) fn carried_by(&self, mesh: Arc<dyn Mesh>) {
        *lock(&self.0.mesh) = Some(mesh);
    }

    /// Whether this address has a handler.
    pub(crate) fn is_attached(&self, host: &str) -> bool {
        lock(&self.0.hosts).contains_key(host)
    }

    /// Name and namespace of the Service that a host name means, unless it has a handler of its own.
    fn service(&self, host: &str) -> Option<(String, String)> {
        let host = short(host);
        let (name, namespace) = host.split_once('.').filter(|_| !self.is_attached(host))?;
        self.directory().has(namespace, name).then(|| (name.to_owned(), namespace.to_owned()))
    }

    fn resolve(&self, host: &str, port: u16) -> Result<(String, u16), NetworkError> {
        let host = short(host);
        if lock(&self.0.hosts).contains_key(host) || self.0.is_of_machine {
            return Ok((host.to_owned(), port));
        }
        let unknown = || NetworkError::UnknownHost(host.to_owned());
        let (name, namespace) = host.split_once('.').ok_or_else(unknown)?;
        let directory = self.directory();
        if !directory.has(namespace, name) {
            return Err(unknown());
        }
        let found = directory.port(namespace, name, &PortRef::Number(port));
        let found = found.ok_or_else(|| NetworkError::NoPort(host.to_owned(), port))?;
        let turn = self.turn(host, port);
        let chosen = found.ready.get(turn % found.ready.len().max(1)).cloned();
        chosen.ok_or_else(|| NetworkError::NoEndpoints(host.to_owned()))
    }

    /// Counts the requests for a Service's port.
    pub(crate) fn turn(&self, host: &str, port: u16) -> usize {
        let mut turns = lock(&self.0.turns);
        let turn = turns.entry((host.to_owned(), port)).or_insert(0);
        *turn = turn.wrapping_add(1);
        *turn
    }

    /// What Services and EndpointSlices say now.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&lock(&self.0.directory))
    }
}

/// Host and port of an absolute `http://` address; the port is 80 when none is written.
fn target(uri: &Uri) -> Result<(&str, u16), NetworkError> {
    let host = uri.host().ok_or(NetworkError::NoHost)?;
    Ok((host, uri.port_u16().unwrap_or(80)))
}

/// A cluster name without what every name may end in.
fn short(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    let name = name.strip_suffix(".cluster.local").unwrap_or(name);
    name.strip_suffix(".svc").unwrap_or(name)
}

/// A lock that a panic elsewhere does not break.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
