//! APISIX: the Canary names the user's ApisixRoute, and the operator makes a second one that splits.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::{Cast, PODINFO},
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

/// Where both ApisixRoutes are, the user's and the generated one.
pub const ROUTES: Resource = ("/apis/apisix.apache.org/v2", "apisixroutes");

/// APISIX as ingress.
pub static APISIX: System = System {
    spec: |_| json!({"routeRef": {"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": PODINFO}}),
    before: |cast| vec![(ROUTES, users_route(cast))],
    entrance: ("http://apisix-gateway.apisix/", "app.example.com"),
    ..System::named(
        "apisix",
        cluster::System::Apisix,
        Some(RouteKind {
            of: ROUTES,
            kind: "ApisixRoute",
            definition: "apisixroutes.apisix.apache.org",
            place: |cast| (cast.namespace.clone(), format!("{PODINFO}-{}-canary", cast.apex)),
            lists: "/spec/http/*/backends",
            service: "/serviceName",
            weight: Written::AsNumber,
            at_zero: AtZero::Listed,
            theirs: r#"{"http": []}"#,
            missing: "ApisixRoute of apisix.apache.org/v2; install the CRDs of APISIX's ingress controller",
        }),
    )
};

/// The user's route, as the guide has it.
pub fn users_route(cast: &Cast) -> Value {
    json!({
        "apiVersion": "apisix.apache.org/v2",
        "kind": "ApisixRoute",
        "metadata": {"name": PODINFO},
        "spec": {"http": [{
            "name": "method",
            "match": {"hosts": ["app.example.com"], "methods": ["GET"], "paths": ["/*"]},
            "backends": [{"serviceName": cast.apex, "servicePort": 80}],
            "plugins": [
                {"name": "prometheus", "enable": true, "config": {"disable": false, "prefer_name": true}},
            ],
        }]},
    })
}

/// “Apache APISIX Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "apisix",
    title: "Apache APISIX Canary Deployments",
    system: &APISIX,
    manifests: manifests!("apisix":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-apisixroute.yaml", "podinfo-canary.yaml",
        "podinfo-metric-template.yaml"),
    images: Images {
        good: "stefanprodan/podinfo:6.0.1",
        crashing: "stefanprodan/podinfo:6.0.3",
        bad: "stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
