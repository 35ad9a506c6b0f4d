//! What only Istio's adapter reads.

use anyhow::ensure;

use super::{
    super::{recorder::text, stage::Stage},
    rollout,
};

const GATEWAYS: &str = "/metadata/annotations/VirtualService.v1alpha3.networking.istio.io~1spec.gateways";

/// A rollout as ever; the split is for the host, and names the gateways.
pub async fn gateways(stage: Stage) -> anyhow::Result<()> {
    rollout::promoted(stage.clone()).await?;
    let route = stage.route().await?;
    let (host, gateways) = (text(&route, "/spec/service"), text(&route, GATEWAYS));
    ensure!(host == "app.example.com", "the split is for {host:?}");
    ensure!(
        gateways == r#"["public-gateway.istio-system.svc.cluster.local"]"#,
        "its gateways are {gateways:?}"
    );
    Ok(())
}
