//! Skipper: the Canary names the user's Ingress, and the operator makes a second one that splits.

use vexil_testbed_cluster as cluster;

use super::{System, ingress, manifests};
use crate::{guide::Guide, route::Written};

/// Skipper.
pub static SKIPPER: System = ingress::system(
    "skipper",
    cluster::System::Skipper,
    Written::InAnnotatedShares("zalando.org/backend-weights"),
    |cast| ingress::users(cast, "skipper"),
    "http://skipper-ingress.kube-system/",
);

/// “Skipper Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "skipper",
    title: "Skipper Canary Deployments",
    system: &SKIPPER,
    manifests: manifests!("skipper":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-ingress.yaml", "podinfo-canary.yaml"),
    ..ingress::GUIDE
};
