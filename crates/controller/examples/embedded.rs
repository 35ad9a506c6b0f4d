//! A custom operator: the crates, composed, with one router. Runs until Ctrl-C.
//!
//! `KUBECONFIG=… cargo run -p vexil-controller --example embedded`

use anyhow::anyhow;
use vexil_controller::{Context, Operator, Registry, Settings, projections};
use vexil_egress::Egress;
use vexil_kube::{Access, Cluster, Scope, connect};
use vexil_routing_kubernetes::KubernetesServices;
use vexil_routing_traefik::Traefik;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let tls = rustls::crypto::ring::default_provider().install_default();
    tls.map_err(|_| anyhow!("TLS is set up already"))?;

    // What this operator can do: add routers of your own with one more `with`.
    let registry = Registry::new(KubernetesServices).with(Traefik::new(None));

    // The cluster: caches that the watches feed, and writes that are applied to them.
    let access = Access { kubeconfig: std::env::var_os("KUBECONFIG").map(Into::into), master: None };
    let client = connect(&access).await?;
    let settings = Settings { provider: "traefik".to_owned(), ..Settings::default() };
    let (cluster, watches) =
        Cluster::new(client, Scope::Namespace("test".to_owned()), projections(&registry, &settings));
    let context = Context::new(cluster, registry, settings, Egress::new()?);

    let stop = async { drop(tokio::signal::ctrl_c().await) };
    tokio::select! {
        biased;
        () = Operator::new(context).run(stop) => Ok(()),
        () = watches.run() => Err(anyhow!("the watches have ended")),
    }
}
