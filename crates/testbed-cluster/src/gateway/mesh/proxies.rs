//! The proxies beside the pods: they pick a pod of a Service, bring a request to it, and report it.

use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::{Entrance, Meters, Product, Report, State, Target};
use crate::network::{Address, Directory, Network, PortRef, Refused, lock, plain};

/// What sends requests, and counts them.
#[derive(Debug)]
pub(super) struct Proxies {
    /// Where the pods are.
    pub network: Network,
    /// What they reported.
    pub meters: Mutex<Meters>,
}

impl Proxies {
    /// Sends a request to a pod of a Service, and counts it.
    pub async fn send<P: Product>(
        &self,
        state: &State<P>,
        entrance: Entrance,
        target: &Target,
        asked: u16,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        let begun = Instant::now();
        let (port, address) = self.address(state, target, asked);
        let pod = address.as_ref().and_then(|(ip, _)| state.pods.get(ip));
        let (response, reached, flags) = match &address {
            None => (no_healthy_upstream(), false, "UH"),
            Some((ip, number)) => match self.network.deliver(ip, *number, request).await {
                Ok(response) => (response, true, "-"),
                // The pod's own sidecar outlives a crash of the application, but not the pod.
                Err(Refused) => (connection_failure(), self.network.is_attached(ip), "UF"),
            },
        };
        let report = Report {
            entrance,
            target,
            port,
            pod: pod.filter(|_| reached).zip(address.as_ref().map(|(_, number)| *number)),
            status: response.status(),
            flags,
            took: begun.elapsed(),
        };
        P::record(&mut lock(&self.meters), &report);
        response
    }

    /// The port of a Service that is meant, and a pod behind it.
    fn address<P: Product>(&self, state: &State<P>, target: &Target, asked: u16) -> (u16, Option<Address>) {
        let now = self.network.directory();
        let found = |directory: &Directory| {
            let of = |port| directory.port(&target.namespace, &target.name, &PortRef::Number(port)).cloned();
            match target.port {
                Some(port) => of(port),
                None => of(asked).or_else(|| directory.only_port(&target.namespace, &target.name).cloned()),
            }
        };
        let known = found(&state.directory).filter(|port| !port.ready.is_empty()).or_else(|| found(&now));
        let Some(known) = known else { return (target.port.unwrap_or(asked), None) };
        let turn = self.network.turn(&format!("{}.{}", target.name, target.namespace), known.number);
        (known.number, known.ready.get(turn % known.ready.len().max(1)).cloned())
    }
}

/// What Envoy answers when a cluster has no endpoint.
pub(super) fn no_healthy_upstream() -> Response<Bytes> {
    plain(StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream")
}

/// What Envoy answers when an endpoint does not let it in.
fn connection_failure() -> Response<Bytes> {
    let text = "upstream connect error or disconnect/reset before headers. reset reason: connection failure";
    plain(StatusCode::SERVICE_UNAVAILABLE, text)
}
