//! Gateways: split real requests by the live route objects, as the product does whose objects they are.
//!
//! A new one is a folder here with a [`Gateway`], and one entry in `system/entries.rs`. What takes requests from
//! outside answers on the network under a name; what takes those between Services is the network's
//! [`Mesh`](super::network::Mesh).

pub mod apisix;
pub mod envoy;
pub mod gateway_api;
pub mod istio;
pub mod knative;
pub mod kuma;
pub mod linkerd;
mod mesh;
pub mod nginx;
pub mod pair;
mod request;
pub mod skipper;
pub mod smi;
pub mod traefik;
mod turns;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::controllers::{Op, Snapshot, Target, write};
use super::kinds::{ENDPOINT_SLICE, Resource, SERVICE};
use super::watch::Watch;

/// Splits requests by what the API's objects say.
pub(crate) trait Gateway: Send + Sync {
    /// The kinds it follows, beside Services and EndpointSlices.
    fn kinds(&self) -> Vec<Resource>;

    /// Routes by these objects from now on.
    fn follow(&self, seen: &Snapshot);

    /// What it has to say about these objects in their status, as merge patches. It says it right after it routes by
    /// them.
    fn reports(&self, seen: &Snapshot) -> Vec<(Target, Value)> {
        let _ = seen;
        Vec::new()
    }

    /// What its controller writes besides, given these objects. Another writer may be faster.
    fn writes(&self, seen: &Snapshot) -> Vec<Op> {
        let _ = seen;
        Vec::new()
    }

    /// Its metrics in the text exposition format.
    fn metrics(&self) -> String;
}

/// Splits nothing.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Gateway for Nothing {
    fn kinds(&self) -> Vec<Resource> {
        Vec::new()
    }

    fn follow(&self, _seen: &Snapshot) {}

    fn metrics(&self) -> String {
        String::new()
    }
}

/// Brings a gateway each state of the API a fixed time after it came to be; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Follower(#[expect(dead_code, reason = "held for its drop")] JoinSet<()>);

impl Follower {
    /// Starts to follow.
    pub fn start(client: &Client, gateway: Arc<dyn Gateway>, delay: Duration) -> Self {
        let mut kinds = gateway.kinds();
        kinds.extend([SERVICE, ENDPOINT_SLICE]);
        let watch = Watch::start(client, &kinds);
        let mut task = JoinSet::new();
        task.spawn(follow(client.clone(), watch, kinds, gateway, delay));
        Follower(task)
    }
}

async fn follow(
    client: Client,
    mut watch: Watch,
    kinds: Vec<Resource>,
    gateway: Arc<dyn Gateway>,
    delay: Duration,
) {
    let mut seen = Snapshot::default();
    let mut due: VecDeque<(Instant, Snapshot)> = VecDeque::new();
    loop {
        let next = due.front().map(|(at, _)| *at);
        let at_next = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            news = watch.next() => {
                let Some(news) = news else { return };
                news.apply(&mut seen);
                watch.drain(&mut seen);
                if kinds.iter().all(|kind| seen.is_listed(*kind)) {
                    enqueue(&mut due, Instant::now() + delay, seen.clone());
                }
            }
            () = at_next => {
                if let Some((_, state)) = due.pop_front() {
                    gateway.follow(&state);
                    report(&client, gateway.reports(&state)).await;
                    for op in gateway.writes(&state) {
                        if let Err(error) = write(&client, op).await {
                            tracing::debug!(%error, "a write of a gateway's controller came late");
                        }
                    }
                }
            }
        }
    }
}

/// Writes the reports. An object that is gone, or an API server that refuses, is asked again with the next state.
async fn report(client: &Client, reports: Vec<(Target, Value)>) {
    for (target, status) in reports {
        let kind = target.resource.api_resource();
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &target.namespace, &kind);
        let written = api.patch_status(&target.name, &PatchParams::default(), &Patch::Merge(&status)).await;
        if let Err(error) = written {
            tracing::warn!(route = target.name, %error, "a report is not written");
        }
    }
}

/// States of the same moment are one: the last of them.
fn enqueue(due: &mut VecDeque<(Instant, Snapshot)>, at: Instant, state: Snapshot) {
    if due.back().is_some_and(|(last, _)| *last == at) {
        due.pop_back();
    }
    due.push_back((at, state));
}
