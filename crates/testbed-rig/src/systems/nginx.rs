//! ingress-nginx: the Canary names the user's Ingress, and the operator makes a second one that is its canary.

use vexil_testbed_cluster as cluster;

use super::{System, ingress, manifests};
use crate::{guide::Guide, route::Written};

/// ingress-nginx.
pub static NGINX: System = ingress::system(
    "nginx",
    cluster::System::Nginx,
    Written::InAnnotation("nginx.ingress.kubernetes.io/canary-weight"),
    |cast| ingress::users(cast, "nginx"),
    "http://ingress-nginx-controller.ingress-nginx/",
);

/// “NGINX Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "nginx",
    title: "NGINX Canary Deployments",
    system: &NGINX,
    manifests: manifests!("nginx":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-ingress.yaml", "podinfo-canary.yaml"),
    ..ingress::GUIDE
};
