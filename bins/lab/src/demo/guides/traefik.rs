//! “Traefik Canary Deployments”: clients come through Traefik.

use vexil_testbed_cluster::System;

use super::super::guide::{Entrance, Guide, Images, Route};

/// The API group that the guide is written for; Traefik 3 calls it `traefik.io`.
const GROUP: &str = "traefik.containo.us";

pub static GUIDE: Guide = Guide {
    name: "traefik",
    title: "Traefik Canary Deployments",
    system: System::Traefik(&[GROUP]),
    provider: "traefik",
    manifests: &[
        ("namespace.yaml", include_str!("../../../../../examples/traefik/namespace.yaml")),
        ("podinfo.yaml", include_str!("../../../../../examples/traefik/podinfo.yaml")),
        ("loadtester.yaml", include_str!("../../../../../examples/traefik/loadtester.yaml")),
        (
            "podinfo-ingressroute.yaml",
            include_str!("../../../../../examples/traefik/podinfo-ingressroute.yaml"),
        ),
        ("podinfo-canary.yaml", include_str!("../../../../../examples/traefik/podinfo-canary.yaml")),
        (
            "podinfo-metric-template.yaml",
            include_str!("../../../../../examples/traefik/podinfo-metric-template.yaml"),
        ),
    ],
    images: Images {
        good: "stefanprodan/podinfo:4.0.6",
        crashing: "stefanprodan/podinfo:4.0.7",
        bad: "stefanprodan/podinfo:bad-4.0.8",
    },
    entrance: Entrance {
        url: "http://traefik.traefik/",
        host: Some("app.example.com"),
        is_open_before: false,
    },
    route: Some(Route {
        group: GROUP,
        version: "v1alpha1",
        kind: "TraefikService",
        plural: "traefikservices",
        name: "podinfo",
        is_namespaced: true,
        entries: "/spec/weighted/services",
        leads_to: "/name",
        canary: "podinfo-canary",
    }),
    crash_at: Some(20),
    runs_load_test: false,
};
