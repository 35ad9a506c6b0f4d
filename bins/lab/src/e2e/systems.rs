//! The systems that the suite plays, as data: everything that differs between two of them stands here.

use serde_json::{Value, json};

use super::{
    api::Resource,
    cast::Cast,
    route::{AtZero, RouteKind, Written},
};

/// A system that splits traffic, or none.
pub struct System {
    /// What scenes call it.
    pub name: &'static str,
    /// Its provider.
    pub provider: &'static str,
    /// Whether the Canary leaves the provider to the operator's flag, because the CRD does not take its name.
    pub by_flag: bool,
    /// What an operator has to be told besides.
    pub flags: &'static [&'static str],
    /// What it splits traffic with.
    pub route: Option<RouteKind>,
    /// What its guide has in the spec of a Canary beyond the others'; merged.
    pub spec: fn(&Cast) -> Value,
    /// What its guide has the user make before the Canary.
    pub before: fn(&Cast) -> Vec<(Resource, Value)>,
}

fn in_namespace(cast: &Cast) -> (String, String) {
    (cast.namespace.clone(), cast.apex.clone())
}

fn nothing(_: &Cast) -> Vec<(Resource, Value)> {
    Vec::new()
}

fn plain(_: &Cast) -> Value {
    json!({})
}

const fn traefik(of: Resource, definition: &'static str) -> RouteKind {
    RouteKind {
        of,
        kind: "TraefikService",
        definition,
        place: in_namespace,
        lists: "/spec/weighted/services",
        service: "/name",
        weight: Written::AsNumber,
        at_zero: AtZero::LeftOut,
        theirs: r#"{"weighted": {"services": [{"name": "theirs", "port": 80, "weight": 1}]}}"#,
        missing: "TraefikService of traefik.io/v1alpha1 or traefik.containo.us/v1alpha1; install the CRDs of Traefik",
    }
}

/// Traefik, as its guide has it today.
pub static TRAEFIK: System = System {
    name: "traefik",
    provider: "traefik",
    by_flag: false,
    flags: &[],
    route: Some(traefik(("/apis/traefik.io/v1alpha1", "traefikservices"), "traefikservices.traefik.io")),
    spec: plain,
    before: nothing,
};

/// Traefik 2, under the group of the guide.
pub static TRAEFIK_CONTAINO: System = System {
    name: "traefik.containo.us",
    provider: "traefik",
    by_flag: false,
    flags: &["-traefik-api-group=traefik.containo.us"],
    route: Some(traefik(
        ("/apis/traefik.containo.us/v1alpha1", "traefikservices"),
        "traefikservices.traefik.containo.us",
    )),
    spec: plain,
    before: nothing,
};

const fn smi(of: Resource, weight: Written, missing: &'static str) -> RouteKind {
    RouteKind {
        of,
        kind: "TrafficSplit",
        definition: "trafficsplits.split.smi-spec.io",
        place: in_namespace,
        lists: "/spec/backends",
        service: "/service",
        weight,
        at_zero: AtZero::Listed,
        theirs: r#"{"service": "theirs", "backends": []}"#,
        missing,
    }
}

const SPLIT_1: RouteKind = smi(
    ("/apis/split.smi-spec.io/v1alpha1", "trafficsplits"),
    Written::AsText,
    "TrafficSplit of split.smi-spec.io/v1alpha1; install the CRDs of the Service Mesh Interface",
);
const SPLIT_2: RouteKind = smi(
    ("/apis/split.smi-spec.io/v1alpha2", "trafficsplits"),
    Written::AsNumber,
    "TrafficSplit of split.smi-spec.io/v1alpha2; install the CRDs of the Service Mesh Interface",
);
const SPLIT_3: RouteKind = smi(
    ("/apis/split.smi-spec.io/v1alpha3", "trafficsplits"),
    Written::AsNumber,
    "TrafficSplit of split.smi-spec.io/v1alpha3; install the CRDs of the Service Mesh Interface",
);

const fn smi_system(provider: &'static str, route: RouteKind) -> System {
    System {
        name: provider,
        provider,
        by_flag: false,
        flags: &[],
        route: Some(route),
        spec: plain,
        before: nothing,
    }
}

/// Weights as texts.
pub static SMI_V1ALPHA1: System = smi_system("smi:v1alpha1", SPLIT_1);
/// Weights as numbers.
pub static SMI_V1ALPHA2: System = smi_system("smi:v1alpha2", SPLIT_2);
/// As v1alpha2.
pub static SMI_V1ALPHA3: System = smi_system("smi:v1alpha3", SPLIT_3);

/// Istio's adapter, as its guide has it: the provider is the operator's flag, and the gateways go with the split.
pub static SMI_ISTIO: System = System {
    by_flag: true,
    spec: |_| {
        json!({"service": {
            "gateways": ["public-gateway.istio-system.svc.cluster.local"],
            "hosts": ["app.example.com"],
        }})
    },
    ..smi_system("smi:istio", SPLIT_1)
};

/// Where both ApisixRoutes are, the user's and the generated one.
pub const APISIX_ROUTES: Resource = ("/apis/apisix.apache.org/v2", "apisixroutes");

/// APISIX: the user's route is named by the Canary, and a second one is generated.
pub static APISIX: System = System {
    name: "apisix",
    provider: "apisix",
    by_flag: false,
    flags: &[],
    route: Some(RouteKind {
        of: APISIX_ROUTES,
        kind: "ApisixRoute",
        definition: "apisixroutes.apisix.apache.org",
        place: |cast| (cast.namespace.clone(), format!("podinfo-{}-canary", cast.apex)),
        lists: "/spec/http/*/backends",
        service: "/serviceName",
        weight: Written::AsNumber,
        at_zero: AtZero::Listed,
        theirs: r#"{"http": []}"#,
        missing: "ApisixRoute of apisix.apache.org/v2; install the CRDs of APISIX's ingress controller",
    }),
    spec: |_| json!({"routeRef": {"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "podinfo"}}),
    before: |cast| vec![(APISIX_ROUTES, apisix_route(cast))],
};

/// The user's route, as the guide has it.
pub fn apisix_route(cast: &Cast) -> Value {
    json!({
        "apiVersion": "apisix.apache.org/v2",
        "kind": "ApisixRoute",
        "metadata": {"name": "podinfo"},
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

/// The annotations by which Kuma knows the protocol, and an apex that nobody else in the cluster has.
fn kuma_spec(cast: &Cast) -> Value {
    let http = json!({"annotations": {"80.service.kuma.io/protocol": "http"}});
    json!({"service": {"name": cast.apex, "apex": http, "primary": http, "canary": http}})
}

const NO_KUMA: &str = "TrafficRoute or MeshHTTPRoute of kuma.io/v1alpha1; install the CRDs of Kuma";

/// Kuma up to version 2: one TrafficRoute for the whole cluster, named as the apex.
pub static KUMA: System = System {
    name: "kuma",
    provider: "kuma",
    by_flag: false,
    flags: &[],
    route: Some(RouteKind {
        of: ("/apis/kuma.io/v1alpha1", "trafficroutes"),
        kind: "TrafficRoute",
        definition: "trafficroutes.kuma.io",
        place: |cast| (String::new(), cast.apex.clone()),
        lists: "/spec/conf/split",
        service: "/destination/kuma.io~1service",
        weight: Written::AsNumber,
        at_zero: AtZero::Listed,
        theirs: r#"{"sources": [{"match": {"kuma.io/service": "*"}}],
                    "destinations": [{"match": {"kuma.io/service": "theirs_default_svc_80"}}], "conf": {}}"#,
        missing: NO_KUMA,
    }),
    spec: kuma_spec,
    before: nothing,
};

/// Where Kuma's control plane is.
pub const KUMA_SYSTEM: &str = "kuma-system";

const MESH_HTTP_ROUTE: RouteKind = RouteKind {
    of: ("/apis/kuma.io/v1alpha1", "meshhttproutes"),
    kind: "MeshHTTPRoute",
    definition: "meshhttproutes.kuma.io",
    place: |cast| (KUMA_SYSTEM.to_owned(), format!("{}.{}", cast.apex, cast.namespace)),
    lists: "/spec/to/*/rules/*/default/backendRefs",
    service: "/labels/kuma.io~1display-name",
    weight: Written::AsNumber,
    at_zero: AtZero::Listed,
    theirs: r#"{"targetRef": {"kind": "Mesh"}, "to": []}"#,
    missing: NO_KUMA,
};

/// Kuma 3: a MeshHTTPRoute beside the control plane.
pub static KUMA_MESH: System = System {
    name: "kuma MeshHTTPRoute",
    provider: "kuma",
    by_flag: false,
    flags: &["-kuma-route-kind=MeshHTTPRoute"],
    route: Some(MESH_HTTP_ROUTE),
    spec: kuma_spec,
    before: nothing,
};

/// Kuma 2.7: its references have names and no labels.
pub static KUMA_BY_NAME: System = System {
    name: "kuma MeshHTTPRoute by name",
    provider: "kuma",
    by_flag: false,
    flags: &["-kuma-route-kind=MeshHTTPRoute"],
    route: Some(RouteKind { service: "/name", ..MESH_HTTP_ROUTE }),
    spec: kuma_spec,
    before: nothing,
};

/// Services alone: no weights, so blue/green.
pub static KUBERNETES: System = System {
    name: "kubernetes",
    provider: "kubernetes",
    by_flag: false,
    flags: &[],
    route: None,
    spec: |_| json!({"analysis": {"iterations": 2, "stepWeight": null, "maxWeight": null}}),
    before: nothing,
};

/// Every system there is.
pub static ALL: [&System; 10] = [
    &TRAEFIK,
    &TRAEFIK_CONTAINO,
    &SMI_V1ALPHA1,
    &SMI_V1ALPHA2,
    &SMI_V1ALPHA3,
    &SMI_ISTIO,
    &APISIX,
    &KUMA,
    &KUMA_MESH,
    &KUBERNETES,
];
