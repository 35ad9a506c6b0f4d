//! What a cluster of each system has: the namespaces, kinds and names that the guides use.

use bytes::Bytes;
use http::{Request, StatusCode};

use crate::{Cluster, Settings, System};

const ALL: [System; 13] = [
    System::Traefik(&[]),
    System::Apisix,
    System::Nginx,
    System::Contour,
    System::Gloo,
    System::Skipper,
    System::Knative,
    System::Kuma(&[]),
    System::Kuma(&["MeshHTTPRoute"]),
    System::Istio,
    System::SmiIstio(&["v1alpha1"]),
    System::Linkerd(&["v1alpha1"]),
    System::Kubernetes,
];

async fn of(system: System) -> Cluster {
    Cluster::with(Settings { system, ..Settings::default() }).await.unwrap()
}

async fn status(cluster: &Cluster, url: String) -> Option<StatusCode> {
    let request = Request::get(url).body(Bytes::new()).unwrap();
    cluster.network().send(request).await.ok().map(|response| response.status())
}

#[tokio::test(start_paused = true)]
async fn names_of_the_guides_lead_somewhere() {
    for system in ALL {
        let cluster = of(system).await;
        assert_eq!(cluster.system(), system);
        for namespace in ["test", system.namespace()] {
            let found = cluster.get("v1", "Namespace", "", namespace).await.unwrap();
            assert!(found.is_some(), "{system:?} {namespace}");
        }
        let server = system.metric_server();
        let (name, port) = server.split_once(':').unwrap();
        let short = name.split('.').next().unwrap();
        for address in [format!("http://{server}"), format!("http://{short}:{port}")] {
            let url = format!("{address}/api/v1/query?query=vector(1)");
            assert_eq!(status(&cluster, url).await, Some(StatusCode::OK), "{system:?} {address}");
        }
        assert_eq!(cluster.metrics_url(), format!("http://{server}"));
        if let Some(gateway) = system.gateway() {
            let url = format!("http://{gateway}/");
            assert_eq!(status(&cluster, url).await, Some(StatusCode::NOT_FOUND), "{system:?}");
        }
    }
}

/// Which of the kinds that routers write are served.
async fn served(cluster: &Cluster) -> Vec<&'static str> {
    let mut served = Vec::new();
    for name in [
        "traefikservices.traefik.io",
        "traefikservices.traefik.containo.us",
        "apisixroutes.apisix.apache.org",
        "trafficroutes.kuma.io",
        "meshhttproutes.kuma.io",
        "meshes.kuma.io",
        "virtualservices.networking.istio.io",
        "destinationrules.networking.istio.io",
        "trafficsplits.split.smi-spec.io",
        "httpproxies.projectcontour.io",
        "routetables.gateway.solo.io",
        "upstreams.gloo.solo.io",
        "services.serving.knative.dev",
        "revisions.serving.knative.dev",
    ] {
        let kind = "CustomResourceDefinition";
        let found = cluster.get("apiextensions.k8s.io/v1", kind, "", name).await.unwrap();
        served.extend(found.map(|_| name));
    }
    served
}

#[tokio::test(start_paused = true)]
async fn words_select_what_is_served() {
    let check = async |system: System, expect: &[&str]| {
        assert_eq!(served(&of(system).await).await, expect, "{system:?}");
    };
    check(System::default(), &["traefikservices.traefik.io"]).await;
    check(System::Traefik(&["traefik.containo.us"]), &["traefikservices.traefik.containo.us"]).await;
    let both = ["traefikservices.traefik.io", "traefikservices.traefik.containo.us"];
    check(System::Traefik(&[]), &both).await;
    check(System::Apisix, &["apisixroutes.apisix.apache.org"]).await;
    check(System::Contour, &["httpproxies.projectcontour.io"]).await;
    check(System::Gloo, &["routetables.gateway.solo.io", "upstreams.gloo.solo.io"]).await;
    check(System::Knative, &["services.serving.knative.dev", "revisions.serving.knative.dev"]).await;
    check(System::Kuma(&["TrafficRoute"]), &["trafficroutes.kuma.io", "meshes.kuma.io"]).await;
    check(System::Kuma(&["MeshHTTPRoute"]), &["meshhttproutes.kuma.io", "meshes.kuma.io"]).await;
    let istios = ["virtualservices.networking.istio.io", "destinationrules.networking.istio.io"];
    check(System::Istio, &istios).await;
    check(System::SmiIstio(&["v1alpha2"]), &["trafficsplits.split.smi-spec.io"]).await;
    check(System::Kubernetes, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn definitions_can_be_left_out_brought_and_taken_away() {
    for system in ALL {
        let settings = Settings { system, install_crds: false, ..Settings::default() };
        let cluster = Cluster::with(settings).await.unwrap();
        assert!(served(&cluster).await.is_empty(), "{system:?}");
        cluster.install_crds().await.unwrap();
        assert_eq!(served(&cluster).await, served(&of(system).await).await, "{system:?}");
        cluster.install_crds().await.unwrap();
        cluster.remove_crds().await.unwrap();
        assert!(served(&cluster).await.is_empty(), "{system:?}");
    }
}
