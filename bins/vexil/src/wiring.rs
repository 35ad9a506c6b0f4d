//! The one place that names concrete routers: a new one is a crate and a line here.

use anyhow::{Result, bail};
use vexil_controller::Registry;
use vexil_routing_apisix::Apisix;
use vexil_routing_contour::Contour;
use vexil_routing_gateway_api::GatewayApi;
use vexil_routing_gloo::Gloo;
use vexil_routing_istio::Istio;
use vexil_routing_knative::Knative;
use vexil_routing_kubernetes::{Kubernetes, KubernetesServices};
use vexil_routing_kuma::{Api, Kuma};
use vexil_routing_nginx::Nginx;
use vexil_routing_skipper::Skipper;
use vexil_routing_smi_istio::Smi;
use vexil_routing_traefik::{Group, Traefik};

use crate::args::Args;

/// Everything this operator can drive.
pub fn registry(args: &Args) -> Result<Registry> {
    let traefik = match args.traefik_api_group.as_str() {
        "" => None,
        "traefik.io" => Some(Group::Io),
        "traefik.containo.us" => Some(Group::Containo),
        other => bail!("-traefik-api-group {other:?} is neither traefik.io nor traefik.containo.us"),
    };
    let kuma = match args.kuma_route_kind.as_str() {
        "" => None,
        "TrafficRoute" => Some(Api::TrafficRoute),
        "MeshHTTPRoute" => Some(Api::MeshHttpRoute),
        other => bail!("-kuma-route-kind {other:?} is neither TrafficRoute nor MeshHTTPRoute"),
    };
    let registry = Registry::new(KubernetesServices)
        .with(Kubernetes)
        .with(GatewayApi)
        .with(Istio)
        .with(Kuma::new(kuma).with_system_namespace(&args.kuma_system_namespace))
        .with(Traefik::new(traefik))
        .with(Apisix)
        .with(Nginx::new(args.ingress_annotations_prefix.as_str()))
        .with(Contour::new(args.ingress_class.as_str()))
        .with(Gloo)
        .with(Skipper)
        .with(Knative)
        .with_retired("appmesh", "AWS App Mesh ended in September 2026: move to `gatewayapi:v1` or `istio`")
        .with_retired("osm", "Open Service Mesh was archived in 2023: move to `gatewayapi:v1` or `istio`");
    Ok(Smi::all().into_iter().fold(registry, Registry::with))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// An Event about an unknown provider lists these. One that the CRD refuses would be bad advice.
    #[test]
    fn the_definition_of_a_canary_admits_every_provider() {
        let registry = registry(&Args::parse_from(["vexil"])).unwrap();
        let crds = vexil_api::crds().unwrap();
        let canary = crds.iter().find(|crd| crd.plural == "canaries").unwrap();
        let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/provider/enum";
        let admitted = canary.manifest.pointer(spec).unwrap().as_array().unwrap();
        for provider in registry.providers() {
            assert!(admitted.iter().any(|name| name == provider), "{provider} is not in {admitted:?}");
        }
    }

    const BEGINNING: &str = "\
# Routers

<!-- Made by `cargo xtask docs --write` from what each router supports. -->

";

    /// One row for each provider, with the strategies that it supports.
    fn table() -> String {
        let registry = registry(&Args::parse_from(["vexil"])).unwrap();
        let mut table = String::from(
            "| provider | canary by weight | A/B testing | mirroring | session affinity | blue/green |\n\
             |---|---|---|---|---|---|\n",
        );
        for router in registry.routers() {
            let can = router.supports();
            let cell = |supported: bool| if supported { "yes" } else { "" };
            let cells = [can.weights, can.matches, can.mirror, can.affinity].map(cell).join(" | ");
            table.push_str(&format!("| `{}` | {cells} | yes |\n", router.name()));
        }
        table
    }

    #[test]
    fn the_reference_lists_every_router() {
        let page = format!("{BEGINNING}{}", table());
        expect_test::expect_file!["../../../docs/reference/routers.md"].assert_eq(&page);
        let introduction = include_str!("../../../docs/introduction.md");
        assert!(
            introduction.contains(&table()),
            "docs/introduction.md has another table than this:\n{}",
            table()
        );
    }
}
