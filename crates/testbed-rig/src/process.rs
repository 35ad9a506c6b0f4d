//! The operator as a process: with empty caches at each start, and nothing left of it when it is killed.

use std::{future::pending, sync::Arc};

use kube::Client;
use tokio::task::JoinSet;
use vexil_controller::{Clock, Context, Operator, Registry, Settings, Telemetry, projections};
use vexil_kube::{Cluster as Caches, Scope};
use vexil_routing_apisix::Apisix;
use vexil_routing_contour::Contour;
use vexil_routing_gateway_api::GatewayApi;
use vexil_routing_gloo::Gloo;
use vexil_routing_istio::Istio;
use vexil_routing_knative::Knative;
use vexil_routing_kubernetes::{Kubernetes, KubernetesServices};
use vexil_routing_kuma::Kuma;
use vexil_routing_nginx::Nginx;
use vexil_routing_skipper::Skipper;
use vexil_routing_smi_istio::Smi;
use vexil_routing_traefik::Traefik;
use vexil_testbed_cluster::Network;

use crate::Wire;

/// How the user agent of the operator begins.
pub const OPERATOR: &str = "vexil/";

/// What an operator is started with.
pub struct Options {
    /// Its connection to the API server.
    pub client: Client,
    /// What it watches.
    pub scope: Scope,
    /// Its flags.
    pub settings: Settings,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Where its metric queries and hooks go.
    pub network: Network,
    /// Its metrics.
    pub telemetry: Telemetry,
}

/// An operator that may be running; it is killed when this is dropped.
#[derive(Debug, Default)]
pub struct Process(JoinSet<()>);

impl Process {
    /// Starts it, whether or not another one runs.
    pub fn start(&mut self, options: Options) {
        let Options { client, scope, settings, clock, network, telemetry } = options;
        let registry = registry();
        let (cluster, watches) = Caches::new(client, scope, projections(&registry, &settings));
        let context = Context::new(cluster, registry, settings, Wire(network))
            .with_clock(clock)
            .with_telemetry(telemetry);
        self.0.spawn(async move {
            tokio::select! {
                biased;
                () = Operator::new(context).run(pending()) => {}
                () = watches.run() => {}
            }
        });
    }

    /// Ends it wherever it is.
    pub async fn kill(&mut self) {
        self.0.abort_all();
        while self.0.join_next().await.is_some() {}
    }

    /// Whether it has ended by itself, which it never does unless it panics.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_join_next().is_some()
    }
}

/// Every router there is.
pub fn registry() -> Registry {
    let registry = Registry::new(KubernetesServices)
        .with(Kubernetes)
        .with(Istio)
        .with(Kuma::new(None))
        .with(Traefik::new(None))
        .with(Apisix)
        .with(Nginx::default())
        .with(Contour::default())
        .with(Gloo)
        .with(Skipper)
        .with(Knative)
        .with(GatewayApi);
    Smi::all().into_iter().fold(registry, Registry::with)
}
