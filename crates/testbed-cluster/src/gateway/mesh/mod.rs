//! What meshes have in common: a proxy beside every pod, which picks a Service by the routes and a pod of it, and
//! counts on both sides.
//!
//! Routes and endpoints are those of `gateway_delay` ago; where no endpoint was known then, those of now are taken, as
//! endpoints reach real sidecars sooner than routes do. Who calls is not known here: every caller is taken for the load
//! tester (see [`CALLER`]), and all pods have a sidecar. Not done: retries, timeouts, circuit breaking and outlier
//! detection, mTLS and permissions, locality, splitting anything but HTTP/1.1.

mod pods;
mod proxies;
mod series;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderName, Request, Response, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;

pub(crate) use self::pods::{Member, Pod};
use self::proxies::{Proxies, no_healthy_upstream};
pub(crate) use self::series::{BUCKETS_MS, Meters, Report};
use super::Gateway;
use super::request::host;
use super::turns::Turns;
use crate::controllers::{Snapshot, Target as Reported};
use crate::gateway::mesh::pods::Pods;
use crate::kinds::{POD, Resource};
use crate::network::{Call, Directory, Mesh, Network, NetworkError, PortRef};
use crate::network::{lock, plain};

/// Name and namespace of the workload that every request of the network is taken to come from.
pub(crate) const CALLER: (&str, &str) = ("flagger-loadtester", "test");

/// A product whose sidecars these are.
pub(crate) trait Product: fmt::Debug + Send + Sync + 'static {
    /// The kinds that its routes are made of.
    const KINDS: &'static [Resource];

    /// Its routes, read from the objects.
    type Routes: fmt::Debug + Default + PartialEq + Send + Sync;

    /// Reads the objects.
    fn read(seen: &Snapshot) -> Self::Routes;

    /// What a proxy does with a request.
    fn route<'r>(routes: &'r Self::Routes, asked: &Asked<'_>) -> To<'r>;

    /// What it has to say in the status of its objects.
    fn reports(seen: &Snapshot) -> Vec<(Reported, Value)> {
        let _ = seen;
        Vec::new()
    }

    /// Its series, without values.
    fn meters() -> Meters;

    /// Counts one request.
    fn record(meters: &mut Meters, report: &Report<'_>);
}

/// A Service, and one port of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The port; without one it is the port that was asked for, or else the only one that there is.
    pub port: Option<u16>,
}

/// Services by weight.
pub(crate) type Split = Vec<(u64, Target)>;

/// A route that does more than to split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Where requests go.
    pub split: Split,
    /// What is added to the headers of responses from each of them.
    pub added: Vec<Vec<(String, String)>>,
    /// Where copies go whose responses are dropped: first the share that is copied, then the rest.
    pub copies: Option<Split>,
}

/// Which proxy a request reaches first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// The caller's sidecar.
    Sidecar,
    /// The mesh's gateway for requests from outside.
    Gateway,
}

/// A request as the first proxy sees it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// Which proxy that is.
    pub entrance: Entrance,
    /// The host that the request asks for, without a port.
    pub host: &'a str,
    /// The Service that its address means; a gateway knows none.
    pub service: Option<&'a Target>,
    /// The request.
    pub request: &'a Request<Bytes>,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To<'r> {
    /// To the Service that it asks for.
    Asked,
    /// To one of these.
    Split(&'r Split),
    /// As a route says.
    Rule(&'r Rule),
    /// Nowhere: the proxy answers it.
    Nowhere(StatusCode, &'static str),
}

/// All proxies of a mesh.
#[derive(Debug)]
pub(crate) struct Sidecars<P: Product> {
    proxies: Arc<Proxies>,
    state: Mutex<Arc<State<P>>>,
    /// Copies of requests that are on their way.
    copies: Mutex<JoinSet<()>>,
}

#[derive(Debug)]
struct State<P: Product> {
    routes: P::Routes,
    directory: Directory,
    pods: Pods,
    turns: Arc<SplitTurns>,
}

/// Whose turn it is in each split. They begin anew when any route changes.
#[derive(Debug, Default)]
struct SplitTurns(Mutex<BTreeMap<Split, Turns>>);

impl SplitTurns {
    fn next(&self, split: &Split) -> Option<(usize, Target)> {
        let mut all = lock(&self.0);
        if !all.contains_key(split) {
            all.insert(split.clone(), Turns::new(split.iter().map(|(weight, _)| *weight)));
        }
        let place = all.get(split)?.next()?;
        split.get(place).map(|(_, target)| (place, target.clone()))
    }
}

impl<P: Product> Default for State<P> {
    fn default() -> Self {
        State {
            routes: P::Routes::default(),
            directory: Directory::default(),
            pods: Pods::default(),
            turns: Arc::default(),
        }
    }
}

impl<P: Product> Sidecars<P> {
    /// Proxies that know no routes yet.
    pub fn new(network: Network) -> Self {
        let proxies = Arc::new(Proxies { network, meters: Mutex::new(P::meters()) });
        Sidecars { proxies, state: Mutex::default(), copies: Mutex::default() }
    }

    /// Answers a request that arrives at `entrance` on `port`.
    pub async fn answer(
        &self,
        entrance: Entrance,
        service: Option<Target>,
        port: u16,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        let state = Arc::clone(&lock(&self.state));
        let host = host(&request);
        let asked = Asked { entrance, host: &host, service: service.as_ref(), request: &request };
        let mut added: &[(String, String)] = &[];
        let target = match P::route(&state.routes, &asked) {
            To::Asked => service.clone(),
            To::Split(split) => state.turns.next(split).map(|(_, target)| target),
            To::Rule(rule) => {
                let copy = rule.copies.as_ref().and_then(|split| state.turns.next(split));
                if let Some((0, target)) = copy {
                    self.copy(&state, entrance, target, port, request.clone());
                }
                state.turns.next(&rule.split).map(|(place, target)| {
                    added = rule.added.get(place).map_or(&[], Vec::as_slice);
                    target
                })
            }
            To::Nowhere(status, text) => return plain(status, text),
        };
        let Some(target) = target else { return no_healthy_upstream() };
        let mut response = self.proxies.send(&state, entrance, &target, port, request).await;
        for (name, value) in added {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    /// Sends a copy of a request, and waits for nothing.
    fn copy(
        &self,
        state: &Arc<State<P>>,
        entrance: Entrance,
        to: Target,
        port: u16,
        request: Request<Bytes>,
    ) {
        let (proxies, state) = (Arc::clone(&self.proxies), Arc::clone(state));
        let mut copies = lock(&self.copies);
        while copies.try_join_next().is_some() {}
        copies.spawn(async move { drop(proxies.send(&state, entrance, &to, port, request).await) });
    }
}

impl<P: Product> Gateway for Sidecars<P> {
    fn kinds(&self) -> Vec<Resource> {
        P::KINDS.iter().copied().chain([POD]).collect()
    }

    fn follow(&self, seen: &Snapshot) {
        let (routes, directory, pods) = (P::read(seen), Directory::read(seen), Pods::read(seen));
        let mut state = lock(&self.state);
        let turns = if state.routes == routes { Arc::clone(&state.turns) } else { Arc::default() };
        *state = Arc::new(State { routes, directory, pods, turns });
    }

    fn reports(&self, seen: &Snapshot) -> Vec<(Reported, Value)> {
        P::reports(seen)
    }

    fn metrics(&self) -> String {
        lock(&self.proxies.meters).render()
    }
}

impl<P: Product> Mesh for Sidecars<P> {
    fn carry(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, NetworkError>> {
        let Call { namespace, name, port, request } = call;
        if self.proxies.network.directory().port(&namespace, &name, &PortRef::Number(port)).is_none() {
            let refused = NetworkError::NoPort(format!("{name}.{namespace}"), port);
            return async move { Err(refused) }.boxed();
        }
        let service = Target { namespace, name, port: Some(port) };
        self.answer(Entrance::Sidecar, Some(service), port, request).map(Ok).boxed()
    }
}
