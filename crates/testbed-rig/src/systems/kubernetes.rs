//! Nothing but Services: clients come through the apex, and a version is checked beside it (Blue/Green).

use serde_json::json;
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::guide::{Guide, Images};

/// Services alone: no weights.
pub static KUBERNETES: System = System {
    spec: |_| json!({"analysis": {"iterations": 2, "stepWeight": null, "maxWeight": null}}),
    ..System::named("kubernetes", cluster::System::Kubernetes, None)
};

/// “Kubernetes Blue/Green Deployments”: clients stay on the primary.
pub(super) static GUIDE: Guide = Guide {
    name: "kubernetes",
    title: "Kubernetes Blue/Green Deployments",
    system: &KUBERNETES,
    manifests: manifests!("kubernetes":
        "namespace.yaml", "podinfo.yaml", "podinfo-service.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    is_open_before: true,
    crash_at: None,
    runs_load_test: true,
    makes_namespace: true,
    ..Guide::USUAL
};
