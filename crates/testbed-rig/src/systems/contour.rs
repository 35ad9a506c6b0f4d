//! Contour: clients come through the user's root HTTPProxy, which includes the one that the operator makes.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::{Cast, PODINFO, in_namespace},
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

/// Where the HTTPProxies are, the user's and the generated one.
const PROXIES: Resource = ("/apis/projectcontour.io/v1", "httpproxies");

/// Contour.
pub static CONTOUR: System = System {
    before: |cast| vec![(PROXIES, users_root(cast))],
    entrance: ("http://envoy.projectcontour/", "app.example.com"),
    ..System::named(
        "contour",
        cluster::System::Contour,
        Some(RouteKind {
            of: PROXIES,
            kind: "HTTPProxy",
            definition: "httpproxies.projectcontour.io",
            place: in_namespace,
            lists: "/spec/routes/*/services",
            service: "/name",
            weight: Written::AsNumber,
            at_zero: AtZero::Listed,
            theirs: r#"{"routes": [{"services": [{"name": "theirs", "port": 80}]}]}"#,
            missing: "HTTPProxy of projectcontour.io/v1; install the CRDs of Contour",
        }),
    )
};

/// The user's root HTTPProxy, as the guide has it.
fn users_root(cast: &Cast) -> Value {
    json!({
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": format!("{PODINFO}-ingress")},
        "spec": {
            "virtualhost": {"fqdn": "app.example.com"},
            "includes": [{"name": cast.apex, "conditions": [{"prefix": "/"}]}],
        },
    })
}

/// “Contour Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "contour",
    title: "Contour Canary Deployments",
    system: &CONTOUR,
    manifests: manifests!("contour":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-ingress.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
