//! Blue/Green with nothing but Kubernetes: clients come through the application's Service, and stay on the primary.

use vexil_testbed_cluster::System;

use super::super::guide::{Entrance, Guide, Images};

pub static GUIDE: Guide = Guide {
    name: "kubernetes",
    title: "Kubernetes Blue/Green Deployments",
    system: System::Kubernetes,
    provider: "kubernetes",
    manifests: &[
        ("namespace.yaml", include_str!("../../../../../examples/kubernetes/namespace.yaml")),
        ("podinfo.yaml", include_str!("../../../../../examples/kubernetes/podinfo.yaml")),
        ("podinfo-service.yaml", include_str!("../../../../../examples/kubernetes/podinfo-service.yaml")),
        ("loadtester.yaml", include_str!("../../../../../examples/kubernetes/loadtester.yaml")),
        ("podinfo-canary.yaml", include_str!("../../../../../examples/kubernetes/podinfo-canary.yaml")),
    ],
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    entrance: Entrance { url: "http://podinfo.test/", host: None, is_open_before: true },
    route: None,
    crash_at: None,
    runs_load_test: true,
};
