//! “SMI Istio Canary Deployments”: clients come through Istio's gateway; the Canary is written for `v1alpha3`.

use vexil_testbed_cluster::System;

use super::super::guide::{Entrance, Guide, Images, Route};

pub static GUIDE: Guide = Guide {
    name: "smi-istio",
    title: "SMI Istio Canary Deployments",
    system: System::SmiIstio(&["v1alpha1"]),
    provider: "smi:istio",
    manifests: &[
        ("public-gateway.yaml", include_str!("../../../../../examples/smi-istio/public-gateway.yaml")),
        ("namespace.yaml", include_str!("../../../../../examples/smi-istio/namespace.yaml")),
        ("podinfo.yaml", include_str!("../../../../../examples/smi-istio/podinfo.yaml")),
        ("loadtester.yaml", include_str!("../../../../../examples/smi-istio/loadtester.yaml")),
        ("podinfo-canary.yaml", include_str!("../../../../../examples/smi-istio/podinfo-canary.yaml")),
    ],
    images: Images {
        good: "quay.io/stefanprodan/podinfo:1.7.1",
        crashing: "quay.io/stefanprodan/podinfo:1.7.2",
        bad: "quay.io/stefanprodan/podinfo:bad-1.7.3",
    },
    // Its Canary names a gateway and not the mesh, so that only what comes through the gateway is split.
    entrance: Entrance {
        url: "http://istio-ingressgateway.istio-system/",
        host: Some("app.example.com"),
        is_open_before: false,
    },
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
