//! Parts of the world as processes of their own, for a cluster whose pods have real addresses: pods, gateways and the
//! metric server are the same code as in the process, and find each other by what the API server says.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::discovery;
use super::gateway::Follower;
use super::metrics::Metrics;
use super::network::{FromFn, Handler, Network, Refused, collect, plain};
use super::pods::{App, Behaviour, Fate};
use super::system::System;
use vexil_testbed_apiserver::Clock;

/// One part that is about to be a process.
pub struct Process {
    ports: Vec<(u16, Arc<dyn Handler>)>,
    _follower: Option<Follower>,
    _tasks: JoinSet<()>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports: Vec<u16> = self.ports.iter().map(|(port, _)| *port).collect();
        f.debug_struct("Process").field("ports", &ports).finish_non_exhaustive()
    }
}

impl Process {
    /// The application of the guides, in the pod of this name. The image's tag and the environment say how it behaves,
    /// as in the process; a pod that crashes ends [`Process::serve`].
    pub fn application(pod: &str, tag: &str, environment: &BTreeMap<String, String>) -> Self {
        const PORTS: [u16; 2] = [9898, 9797];
        let variables = environment.iter().map(|(name, value)| json!({"name": name, "value": value}));
        let container = json!({"image": format!("podinfo:{tag}"), "env": variables.collect::<Vec<Value>>()});
        let behaviour = Behaviour::of(&json!({"spec": {"containers": [container]}}));
        let app = Arc::new(App::new(pod, behaviour, PORTS.to_vec(), Arc::new(Fate::default())));
        app.start();
        Process::of(PORTS.map(|port| (port, Arc::clone(&app) as _)).into())
    }

    /// The gateway of a system: requests at port 8000, metrics at 9100. `delay` is from a change of the API's objects
    /// until it routes by it. `None` where the system has none.
    pub fn gateway(client: &Client, system: System, delay: Duration) -> Option<Self> {
        let name = system.gateway()?;
        let network = Network::of_machine();
        let gateway = system.start(&network);
        let entrance = FromFn(move |request| {
            let network = network.clone();
            async move {
                let answer = network.deliver(name, 80, request).await;
                answer.unwrap_or_else(|Refused| plain(StatusCode::BAD_GATEWAY, "no gateway"))
            }
        });
        let shown = Arc::clone(&gateway);
        let metrics = FromFn(move |_| std::future::ready(plain(StatusCode::OK, shown.metrics())));
        let mut process = Process::of(vec![(8000, Arc::new(entrance)), (9100, Arc::new(metrics))]);
        process._follower = Some(Follower::start(client, gateway, delay));
        Some(process)
    }

    /// What a system writes to the status of its objects and makes of them, `delay` after a change. Nothing reaches it.
    pub fn controller(client: &Client, system: System, delay: Duration) -> Self {
        let mut process = Process::of(Vec::new());
        process._follower = Some(Follower::start(client, system.start(&Network::of_machine()), delay));
        process
    }

    /// A metric server at port 9090, which scrapes every pod that says so.
    pub fn metric_server(client: &Client, clock: Clock, every: Duration) -> Self {
        let metrics = Metrics::new(clock);
        let mut process = Process::of(vec![(9090, Arc::new(metrics.clone()))]);
        process._tasks = discovery::scrape_pods(client, Network::of_machine(), metrics, every);
        process
    }

    fn of(ports: Vec<(u16, Arc<dyn Handler>)>) -> Self {
        Process { ports, _follower: None, _tasks: JoinSet::new() }
    }

    /// Answers at an address until it shall stop, and lets requests that are under way come to their end.
    ///
    /// # Errors
    /// When it cannot listen, or has crashed.
    pub async fn serve(self, ip: IpAddr, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let (end, ended) = watch::channel(false);
        let crashed = Arc::new(Notify::new());
        let mut servers = JoinSet::new();
        for (port, handler) in &self.ports {
            let at = SocketAddr::new(ip, *port);
            let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at}"))?;
            let (handler, crashed) = (Arc::clone(handler), Arc::clone(&crashed));
            servers.spawn(accept(listener, Shared { handler, port: *port, crashed, ended: ended.clone() }));
        }
        tokio::select! {
            biased;
            () = stop => end.send_replace(true),
            () = crashed.notified() => bail!("crashed"),
        };
        while let Some(ended) = servers.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// What the connections of one process share.
#[derive(Clone)]
struct Shared {
    handler: Arc<dyn Handler>,
    port: u16,
    crashed: Arc<Notify>,
    ended: watch::Receiver<bool>,
}

/// Takes connections until the end, and then waits for those that there are.
async fn accept(listener: TcpListener, shared: Shared) {
    let (mut connections, mut ended) = (JoinSet::new(), shared.ended.clone());
    loop {
        let stream = tokio::select! {
            biased;
            _ = ended.wait_for(|is_over| *is_over) => break,
            accepted = listener.accept() => accepted,
        };
        if let Ok((stream, _)) = stream {
            connections.spawn(serve(stream, shared.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

/// Answers on one connection. A handler that refuses a request has crashed: no request is answered any more.
async fn serve(stream: TcpStream, shared: Shared) {
    let (mut ended, shared) = (shared.ended.clone(), &shared);
    let answer = |request: Request<Incoming>| async move {
        let response = shared.handler.call(shared.port, collect(request).await?).await;
        if response.is_err() {
            shared.crashed.notify_one();
        }
        response.map(|response| response.map(Full::new))
    };
    let server = hyper::server::conn::http1::Builder::new();
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service_fn(answer)));
    // An error is the peer's, who has seen it too.
    tokio::select! {
        biased;
        _ = ended.wait_for(|is_over| *is_over) => connection.as_mut().graceful_shutdown(),
        _ = connection.as_mut() => return,
    }
    let _ = connection.await;
}
