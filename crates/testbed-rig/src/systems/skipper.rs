//! Skipper: the Canary names the user's Ingress, and the operator makes a second one that splits.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::{Cast, PODINFO},
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

/// Where both Ingresses are, the user's and the generated one.
const INGRESSES: Resource = ("/apis/networking.k8s.io/v1", "ingresses");

/// Skipper.
pub static SKIPPER: System = System {
    spec: |_| json!({"ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": PODINFO}}),
    before: |cast| vec![(INGRESSES, users_ingress(cast))],
    entrance: ("http://skipper-ingress.kube-system/", "app.example.com"),
    ..System::named(
        "skipper",
        cluster::System::Skipper,
        Some(RouteKind {
            of: INGRESSES,
            kind: "Ingress",
            definition: "ingresses.networking.k8s.io",
            place: |cast| (cast.namespace.clone(), format!("{PODINFO}-canary")),
            lists: "/spec/rules/*/http/paths",
            service: "/backend/service/name",
            weight: Written::InAnnotatedShares("zalando.org/backend-weights"),
            at_zero: AtZero::Listed,
            theirs: r#"{"defaultBackend": {"service": {"name": "theirs", "port": {"number": 80}}}}"#,
            missing: "Ingress of networking.k8s.io/v1",
        }),
    )
};

/// The user's Ingress, as the guide has it.
fn users_ingress(cast: &Cast) -> Value {
    let backend = json!({"service": {"name": cast.apex, "port": {"number": 80}}});
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": PODINFO, "labels": {"app": PODINFO}},
        "spec": {
            "ingressClassName": "skipper",
            "rules": [{
                "host": "app.example.com",
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
            }],
        },
    })
}

/// “Skipper Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "skipper",
    title: "Skipper Canary Deployments",
    system: &SKIPPER,
    manifests: manifests!("skipper":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-ingress.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
