//! The guides with the manifests of `examples/`, on virtual time: real requests through the product's gateway, the
//! product's series, the built-in queries; a good version is promoted, a bad one is rolled back, and no client sees an
//! error that the bad version did not make.

use std::{path::Path, time::Duration};

use vexil_testbed_cluster::{Load, Settings, System};

use crate::cluster::Stage;

const NAME: &str = "podinfo";

/// One guide.
struct Guide {
    folder: &'static str,
    system: System,
    provider: &'static str,
    /// Where clients come in: URL and host.
    entrance: (&'static str, &'static str),
    /// Where the guide's load test meets the canary alone.
    canary: &'static str,
    /// Where the guide asks for errors by hand: URL and host.
    errors: (&'static str, &'static str),
    /// Weights that are reported on the way to a promotion.
    weights: &'static [u32],
}

/// Everything in the folder of a guide, the Canary last.
pub(crate) async fn apply(stage: &Stage, folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(folder);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|file| {
        (file.ends_with("podinfo-canary.yaml"), !file.ends_with("namespace.yaml"), file.clone())
    });
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        stage.cluster.apply_yaml(&text).await.unwrap_or_else(|error| panic!("{}: {error:#}", file.display()));
    }
}

async fn push(stage: &Stage, tag: &str) {
    let deployment = ("apps/v1", "Deployment");
    let live = stage.cluster.get(deployment.0, deployment.1, "test", NAME).await.unwrap().unwrap();
    let image = live["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
    let (image, _) = image.rsplit_once(':').unwrap();
    stage.cluster.set_image("test", NAME, "podinfod", &format!("{image}:{tag}")).await.unwrap();
}

/// Clients of the site, and others that go to the canary alone, as the guide's load tests do.
fn clients(guide: &Guide) -> [Load; 2] {
    let hours = Duration::from_secs(7_200);
    let site = Load::new(guide.entrance.0).host(guide.entrance.1).per_second(10).lasting(hours);
    let canary = Load::new(guide.canary).per_second(2).lasting(hours);
    [site, canary]
}

async fn check(guide: Guide) {
    let settings = Settings { system: guide.system, ..Settings::default() };
    let mut stage = Stage::with(settings).await;
    stage.provider = guide.provider;
    stage.start();
    apply(&stage, guide.folder).await;
    stage.until_phase(NAME, "Initialized").await;
    let [site, canary] = clients(&guide);
    let (site, canary) = (stage.cluster.load(site), stage.cluster.load(canary));

    push(&stage, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(900), |status| status["phase"] == "Succeeded").await;
    let story = stage.story(NAME);
    for weight in guide.weights {
        let text = format!("Normal Advance {NAME}.test canary weight {weight}");
        assert_eq!(story.events.get(&text), Some(&1), "{text}\n{}", story.text());
    }
    assert!(!story.text().contains("Halt"), "{}", story.text());
    stage.pass(20.0).await;
    let tally = site.tally();
    assert_eq!(tally.errors(), 0, "{tally:?}\n{}", story.text());

    let errors =
        Load::new(guide.errors.0).host(guide.errors.1).per_second(5).lasting(Duration::from_secs(7_200));
    push(&stage, "6.0.2").await;
    stage.until_phase(NAME, "Progressing").await;
    let _errors = stage.cluster.load(errors);
    stage.until(NAME, Duration::from_secs(900), |status| status["phase"] == "Failed").await;
    stage.pass(20.0).await;
    let story = stage.story(NAME);
    let halted = story.events.keys().any(|text| text.contains("advancement success rate"));
    assert!(halted, "{}", story.text());
    let since = site.tally().since(&tally);
    assert_eq!(since.errors(), 0, "{since:?}\n{}", story.text());
    assert!(canary.tally().requests > 0);
    stage.check_laws(NAME);
}

const KUMA: Guide = Guide {
    folder: "kuma",
    system: System::Kuma(&["TrafficRoute"]),
    provider: "kuma",
    entrance: ("http://podinfo.test:9898/", "podinfo.test"),
    canary: "http://podinfo-canary.test:9898/",
    errors: ("http://podinfo-canary.test:9898/status/500", "podinfo-canary.test"),
    weights: &[5, 10, 15, 20, 25, 30, 35, 40, 45, 50],
};

#[tokio::test(start_paused = true)]
async fn kuma() {
    check(KUMA).await;
}

/// Kuma 3 has no TrafficRoute.
#[tokio::test(start_paused = true)]
async fn kuma_with_mesh_http_routes() {
    check(Guide { system: System::Kuma(&["MeshHTTPRoute"]), ..KUMA }).await;
}

#[tokio::test(start_paused = true)]
async fn istio() {
    check(Guide {
        folder: "istio",
        system: System::Istio,
        provider: "istio",
        entrance: ("http://istio-ingressgateway.istio-system/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://podinfo-canary.test/status/500", "podinfo-canary.test"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn gateway_api() {
    check(Guide {
        folder: "gateway-api",
        system: System::GatewayApi(&[]),
        provider: "gatewayapi:v1",
        entrance: ("http://gateway.gateway-system/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://podinfo-canary.test/status/500", "podinfo-canary.test"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn smi_istio() {
    check(Guide {
        folder: "smi-istio",
        system: System::SmiIstio(&["v1alpha1"]),
        provider: "smi:istio",
        entrance: ("http://istio-ingressgateway.istio-system/", "app.example.com"),
        canary: "http://podinfo-canary.test:9898/",
        errors: ("http://podinfo-canary.test:9898/status/500", "podinfo-canary.test"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn traefik() {
    check(Guide {
        folder: "traefik",
        system: System::Traefik(&["traefik.containo.us"]),
        provider: "traefik",
        entrance: ("http://traefik.traefik/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://traefik.traefik/status/500", "app.example.com"),
        weights: &[5, 10, 15, 20, 25, 30, 35, 40, 45, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn apisix() {
    check(Guide {
        folder: "apisix",
        system: System::Apisix,
        provider: "apisix",
        entrance: ("http://apisix-gateway.apisix/api/info", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://apisix-gateway.apisix/status/500", "app.example.com"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nginx() {
    check(Guide {
        folder: "nginx",
        system: System::Nginx,
        provider: "nginx",
        entrance: ("http://ingress-nginx-controller.ingress-nginx/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://ingress-nginx-controller.ingress-nginx/status/500", "app.example.com"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn linkerd() {
    check(Guide {
        folder: "linkerd",
        system: System::Linkerd(&["v1alpha1"]),
        provider: "linkerd",
        entrance: ("http://podinfo.test/", "podinfo.test"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://podinfo-canary.test/status/500", "podinfo-canary.test"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn contour() {
    check(Guide {
        folder: "contour",
        system: System::Contour,
        provider: "contour",
        entrance: ("http://envoy.projectcontour/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://envoy.projectcontour/status/500", "app.example.com"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn gloo() {
    check(Guide {
        folder: "gloo",
        system: System::Gloo,
        provider: "gloo",
        entrance: ("http://gateway-proxy.gloo-system/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://gateway-proxy.gloo-system/status/500", "app.example.com"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn skipper() {
    check(Guide {
        folder: "skipper",
        system: System::Skipper,
        provider: "skipper",
        entrance: ("http://skipper-ingress.kube-system/", "app.example.com"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://skipper-ingress.kube-system/status/500", "app.example.com"),
        weights: &[10, 20, 30, 40, 50],
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes() {
    check(Guide {
        folder: "kubernetes",
        system: System::Kubernetes,
        provider: "kubernetes",
        entrance: ("http://podinfo.test/", "podinfo.test"),
        canary: "http://podinfo-canary.test/",
        errors: ("http://podinfo-canary.test/status/500", "podinfo-canary.test"),
        weights: &[],
    })
    .await;
}
