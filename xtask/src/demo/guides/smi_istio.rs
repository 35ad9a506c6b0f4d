//! “SMI Istio Canary Deployments”: clients are inside the mesh; the Canary is written for `v1alpha3`.

use vexil_testbed::world::System;

use super::super::guide::{Entrance, Guide, Images, Route};

pub static GUIDE: Guide = Guide {
    name: "smi-istio",
    title: "SMI Istio Canary Deployments",
    system: System::SmiIstio(&["v1alpha1"]),
    provider: "smi:istio",
    taken_for_granted: ISTIO,
    manifests: &[
        ("public-gateway.yaml", include_str!("../../../../examples/smi-istio/public-gateway.yaml")),
        ("namespace.yaml", include_str!("../../../../examples/smi-istio/namespace.yaml")),
        ("podinfo.yaml", include_str!("../../../../examples/smi-istio/podinfo.yaml")),
        ("loadtester.yaml", include_str!("../../../../examples/smi-istio/loadtester.yaml")),
        ("podinfo-canary.yaml", include_str!("../../../../examples/smi-istio/podinfo-canary.yaml")),
    ],
    images: Images {
        good: "quay.io/stefanprodan/podinfo:1.7.1",
        crashing: "quay.io/stefanprodan/podinfo:1.7.2",
        bad: "quay.io/stefanprodan/podinfo:bad-1.7.3",
    },
    entrance: Entrance { url: "http://podinfo.test:9898/", host: None, is_open_before: false },
    route: Some(Route {
        group: "split.smi-spec.io",
        version: "v1alpha1",
        kind: "TrafficSplit",
        plural: "trafficsplits",
        name: "podinfo",
        is_namespaced: true,
        entries: "/spec/backends",
        leads_to: "/service",
        canary: "podinfo-canary",
    }),
    crash_at: Some(20),
    runs_load_test: false,
};

/// The kind of the guide's `public-gateway.yaml`, which belongs to Istio and which the operator never looks at.
const ISTIO: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.networking.istio.io
spec:
  group: networking.istio.io
  names: {kind: Gateway, listKind: GatewayList, plural: gateways, singular: gateway}
  scope: Namespaced
  versions:
  - name: v1alpha3
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
