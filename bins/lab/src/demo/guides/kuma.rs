//! “Kuma Canary Deployments”: clients are inside the mesh.

use vexil_testbed_cluster::System;

use super::super::guide::{Entrance, Guide, Images, Route};

pub static GUIDE: Guide = Guide {
    name: "kuma",
    title: "Kuma Canary Deployments",
    system: System::Kuma(&["TrafficRoute"]),
    provider: "kuma",
    manifests: &[
        ("namespace.yaml", include_str!("../../../../../examples/kuma/namespace.yaml")),
        ("loadtester.yaml", include_str!("../../../../../examples/kuma/loadtester.yaml")),
        ("podinfo.yaml", include_str!("../../../../../examples/kuma/podinfo.yaml")),
        ("podinfo-canary.yaml", include_str!("../../../../../examples/kuma/podinfo-canary.yaml")),
    ],
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    entrance: Entrance { url: "http://podinfo.test:9898/", host: None, is_open_before: false },
    route: Some(Route {
        group: "kuma.io",
        version: "v1alpha1",
        kind: "TrafficRoute",
        plural: "trafficroutes",
        name: "podinfo",
        is_namespaced: false,
        entries: "/spec/conf/split",
        leads_to: "/destination/kuma.io~1service",
        canary: "podinfo-canary_test_svc_9898",
    }),
    crash_at: Some(20),
    runs_load_test: false,
};
