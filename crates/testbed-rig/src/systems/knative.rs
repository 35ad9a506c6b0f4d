//! Knative: the target is a Knative Service, whose traffic is shared between its Revisions.

use serde_json::json;
use vexil_testbed_cluster as cluster;

use super::System;
use crate::route::{AtZero, RouteKind, Written};

/// Knative Serving, with Kourier.
pub static KNATIVE: System = System {
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
