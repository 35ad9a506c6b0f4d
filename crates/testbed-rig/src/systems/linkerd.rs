//! Linkerd: clients are inside the mesh, whose SMI extension reads a TrafficSplit.

use vexil_testbed_cluster as cluster;

use super::{System, manifests, smi::V1ALPHA1};
use crate::guide::{Guide, Images};

/// Linkerd with its SMI extension.
pub static LINKERD: System =
    System::named("linkerd", cluster::System::Linkerd(&["v1alpha1"]), Some(V1ALPHA1));

/// “Linkerd Canary Deployments”: clients and the load test are inside the mesh.
pub(super) static GUIDE: Guide = Guide {
    name: "linkerd",
    title: "Linkerd Canary Deployments",
    system: &LINKERD,
    manifests: manifests!("linkerd": "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    makes_namespace: true,
    ..Guide::USUAL
};
