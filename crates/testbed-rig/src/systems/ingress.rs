//! Systems whose Canary names the user's Ingress, and where the operator makes a second Ingress.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::System;
use crate::{
    api::Resource,
    cast::{Cast, PODINFO},
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

/// Where both Ingresses are, the user's and the generated one.
const INGRESSES: Resource = ("/apis/networking.k8s.io/v1", "ingresses");

/// Such a system: how the second Ingress says its weight, the user's Ingress, and where clients come in.
pub(super) const fn system(
    name: &'static str,
    cluster: cluster::System,
    weight: Written,
    before: fn(&Cast) -> Vec<(Resource, Value)>,
    entrance: &'static str,
) -> System {
    System {
        spec: |_| json!({"ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": PODINFO}}),
        before,
        entrance: (entrance, "app.example.com"),
        ..System::named(
            name,
            cluster,
            Some(RouteKind {
                of: INGRESSES,
                kind: "Ingress",
                definition: "ingresses.networking.k8s.io",
                place: |cast| (cast.namespace.clone(), format!("{PODINFO}-canary")),
                lists: "/spec/rules/*/http/paths",
                service: "/backend/service/name",
                weight,
                at_zero: AtZero::Listed,
                theirs: r#"{"defaultBackend": {"service": {"name": "theirs", "port": {"number": 80}}}}"#,
                missing: "Ingress of networking.k8s.io/v1",
            }),
        )
    }
}

/// The user's Ingress of a class, as the guides have it.
pub(super) fn users(cast: &Cast, class: &str) -> Vec<(Resource, Value)> {
    let backend = json!({"service": {"name": cast.apex, "port": {"number": 80}}});
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": PODINFO, "labels": {"app": PODINFO}},
        "spec": {
            "ingressClassName": class,
            "rules": [{
                "host": "app.example.com",
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
            }],
        },
    });
    vec![(INGRESSES, ingress)]
}

/// What their guides have in common.
pub(super) const GUIDE: Guide = Guide {
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
