//! Knative: the target is a Knative Service, whose traffic is shared between its Revisions.

use serde_json::json;
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
    target::KNATIVE_SERVICE,
};

/// Knative Serving, with Kourier.
pub static KNATIVE: System = System {
    target: &KNATIVE_SERVICE,
    definitions: &["revisions.serving.knative.dev"],
    spec: |_| json!({"targetRef": {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}, "service": null}),
    entrance: ("http://kourier.kourier-system/", "{apex}.test.example.com"),
    ..System::named(
        "knative",
        cluster::System::Knative,
        Some(RouteKind {
            of: ("/apis/serving.knative.dev/v1", "services"),
            kind: "Service",
            definition: "services.serving.knative.dev",
            place: |cast| (cast.namespace.clone(), cast.target.clone()),
            lists: "/spec/traffic",
            service: "/revisionName",
            weight: Written::OfRevisions("flagger.app/primary-revision"),
            at_zero: AtZero::Listed,
            theirs: "{}",
            missing: "Service of serving.knative.dev/v1",
        }),
    )
};

/// “Canary releases of Knative Services”: nothing is copied, and Knative runs the pods.
pub(super) static GUIDE: Guide = Guide {
    name: "knative",
    title: "Knative Canary Deployments",
    system: &KNATIVE,
    manifests: manifests!("knative": "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    is_open_before: true,
    crash_at: None,
    makes_namespace: true,
    ..Guide::USUAL
};
