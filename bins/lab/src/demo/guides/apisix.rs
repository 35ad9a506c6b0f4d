//! “Apache APISIX Canary Deployments”: clients come through APISIX, by a route that follows the user's.

use vexil_testbed_cluster::System;

use super::super::guide::{Entrance, Guide, Images, Route};

pub static GUIDE: Guide = Guide {
    name: "apisix",
    title: "Apache APISIX Canary Deployments",
    system: System::Apisix,
    provider: "apisix",
    manifests: &[
        ("namespace.yaml", include_str!("../../../../../examples/apisix/namespace.yaml")),
        ("podinfo.yaml", include_str!("../../../../../examples/apisix/podinfo.yaml")),
        ("loadtester.yaml", include_str!("../../../../../examples/apisix/loadtester.yaml")),
        ("podinfo-apisixroute.yaml", include_str!("../../../../../examples/apisix/podinfo-apisixroute.yaml")),
        ("podinfo-canary.yaml", include_str!("../../../../../examples/apisix/podinfo-canary.yaml")),
        (
            "podinfo-metric-template.yaml",
            include_str!("../../../../../examples/apisix/podinfo-metric-template.yaml"),
        ),
    ],
    images: Images {
        good: "stefanprodan/podinfo:6.0.1",
        crashing: "stefanprodan/podinfo:6.0.3",
        bad: "stefanprodan/podinfo:bad-6.0.2",
    },
    entrance: Entrance {
        url: "http://apisix-gateway.apisix/",
        host: Some("app.example.com"),
        is_open_before: false,
    },
    route: Some(Route {
        group: "apisix.apache.org",
        version: "v2",
        kind: "ApisixRoute",
        plural: "apisixroutes",
        name: "podinfo-podinfo-canary",
        is_namespaced: true,
        entries: "/spec/http/0/backends",
        leads_to: "/serviceName",
        canary: "podinfo-canary",
    }),
    crash_at: Some(20),
    runs_load_test: false,
};
