//! A custom operator: the crates, composed, with one router and a metric provider of its own. Runs until Ctrl-C.
//!
//! `KUBECONFIG=… cargo run -p vexil-controller --example embedded`

use anyhow::anyhow;
use async_trait::async_trait;
use vexil_api::MetricProviderSpec;
use vexil_controller::{Context, Operator, Registry, Settings, projections};
use vexil_egress::Egress;
use vexil_kube::{Access, Cluster, Scope, connect};
use vexil_metrics::{
    Credentials, Environment, MetricCatalog, MetricProvider, ProviderError, Query, QueryError,
};
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
    let metrics = MetricCatalog::default().with_provider("constant", constant);
    let context = Context::new(cluster, registry, settings, Egress::new()?).with_metrics(metrics);

    let stop = async { drop(tokio::signal::ctrl_c().await) };
    tokio::select! {
        biased;
        () = Operator::new(context).run(stop) => Ok(()),
        () = watches.run() => Err(anyhow!("the watches have ended")),
    }
}

/// The provider of MetricTemplates with `spec.provider.type: constant`, whose query is the value.
fn constant(
    _: &MetricProviderSpec,
    _: Option<&Credentials>,
) -> Result<Box<dyn MetricProvider>, ProviderError> {
    Ok(Box::new(Constant))
}

struct Constant;

#[async_trait]
impl MetricProvider for Constant {
    async fn query(&self, _: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        query.text.trim().parse().map_err(|_| QueryError::NoValues)
    }

    async fn online(&self, _: &Environment<'_>) -> Result<(), QueryError> {
        Ok(())
    }
}
