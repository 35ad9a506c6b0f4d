//! A small controller outside of Vexil's workspace: it drives the engine, renders a route, scales by an
//! autoscaler of its own, judges a MetricTemplate with a metric provider of its own, and sends a webhook to a local
//! server. It needs no cluster.
//!
//! `cargo run --manifest-path examples/outside/Cargo.toml`

mod provider;
mod scaler;

use std::{collections::BTreeMap, error::Error, sync::Arc};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vexil_analysis::{
    Answer, Convergence, Facts, Known, Memory, Millis, Pods, Readiness, Revision, Step, advance,
};
use vexil_api::{checks, crds};
use vexil_egress::Egress;
use vexil_metrics::{Environment, MetricCatalog, Subject, check, needs};
use vexil_object::{ObjectKey, Objects, Seen, kinds};
use vexil_plan::{CanaryContext, Planner, Registry, Settings};
use vexil_routing::{PodLabels, RouteTarget, Routes, SessionCookies, Weight};
use vexil_routing_kubernetes::KubernetesServices;
use vexil_routing_traefik::{Group, Traefik};
use vexil_webhook::{Hook, Payload, send};
use vexil_workload::WorkloadCatalog;

type Failed = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "TLS is set up already")?;
    let registry = Registry::new(KubernetesServices).with(Traefik::new(Some(Group::Io)));
    let catalog = WorkloadCatalog::default().with_scaler(&scaler::Timetables);
    let mut settings = Settings { provider: "traefik".to_owned(), ..Settings::default() };
    settings.workloads.catalog = catalog;
    let planner = Planner::new(&registry, &settings);
    let canary = planner.open(Arc::new(canary())).map_err(|defects| vexil_api::summary(&defects))?;

    let memory = decide(&canary);
    println!("engine    {} -> {}", Memory::default().phase.as_str(), memory.phase.as_str());
    println!("route     {}", render(&canary)?);
    println!("scaler    {}", scale(&canary, &settings)?);
    println!("crd       {}", definition()?);
    println!("metric    {}", judge(&canary).await?);
    println!("webhook   {}", notify(&canary).await?);
    Ok(())
}

fn canary() -> serde_json::Value {
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {"name": "podinfo", "namespace": "test", "uid": "0a1b2c3d", "generation": 1},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "autoscalerRef": {"apiVersion": "example.com/v1", "kind": scaler::KIND.kind, "name": "podinfo"},
            "service": {"port": 80},
            "analysis": {
                "interval": "10s", "threshold": 2, "maxWeight": 50, "stepWeight": 25,
                "metrics": [{"name": "latency", "templateRef": {"name": "latency"}, "thresholdRange": {"max": 10}}],
            },
        },
    })
}

/// The first decision about a Canary: what the engine remembers next. A controller would now write it to the status,
/// make the cluster match it with `next_effect`, and decide again.
fn decide(canary: &CanaryContext) -> Memory {
    let target = Pods {
        revision: Some(Revision::new("revision-1")),
        replicas: 1,
        available: 1,
        readiness: Readiness::Ready,
        owner_conflict: None,
        edited: false,
    };
    let mut facts =
        Facts { now: Millis(1_000), convergence: Convergence::Settled, due: true, ..Facts::default() };
    facts.seen.target = Known::Present(target);
    loop {
        match advance(canary.plan(), &Memory::default(), &facts) {
            Step::Done(transition) => return transition.memory,
            Step::Ask(question) => drop(facts.answers.insert(question, Answer::Passed)),
            Step::Unlawful(law) => panic!("the engine breaks a law: {law}"),
        }
    }
}

/// The objects that send a quarter of the traffic to the canary.
fn render(canary: &CanaryContext) -> Result<String, Failed> {
    let labels = |name: &str| BTreeMap::from([("app".to_owned(), name.to_owned())]);
    let (target, primary) = (labels("podinfo"), labels("podinfo-primary"));
    let target = RouteTarget {
        view: canary.view(),
        selector: PodLabels {
            key: "app",
            canary: &target,
            primary: &primary,
            always: &primary,
            settled: true,
        },
        cookies: SessionCookies::default(),
        discovered_ports: &[],
        bound: None,
    };
    // A cluster that serves every definition and has no route yet.
    let mut have = Objects::default();
    loop {
        let missing = canary.router().needs(&target, &have);
        if missing.is_empty() {
            break;
        }
        for key in missing {
            let is_definition = key.kind() == kinds::CUSTOM_RESOURCE_DEFINITION;
            have.insert(key, if is_definition { Seen::present(json!({"spec": {}})) } else { Seen::Absent });
        }
    }
    let quarter = Routes::split(Weight::clamped(25));
    let changes = canary.router().render(&target, &quarter, &have)?;
    let keys: Vec<_> = changes.iter().map(|change| change.key.to_string()).collect();
    if keys.is_empty() {
        return Err("nothing was rendered".into());
    }
    Ok(keys.join(", "))
}

/// How many pods a rollout begins with, which the autoscaler decides.
fn scale(canary: &CanaryContext, settings: &Settings) -> Result<String, Failed> {
    let subject = canary.subject(settings);
    let reference = canary.spec().autoscaler_ref.as_ref().ok_or("no autoscaler")?;
    let target = ObjectKey::new(kinds::DEPLOYMENT, canary.key().namespace(), "podinfo");
    let at_rest = json!({"metadata": {"name": "podinfo", "namespace": "test"}, "spec": {"replicas": 0}});
    let mut have = Objects::default();
    have.insert(target, Seen::present(at_rest));
    have.insert(scaler::key(&subject, reference), Seen::present(json!({"spec": {"least": 3}})));
    for key in canary.workload().needs(&subject, &have) {
        have.insert(key, Seen::Absent);
    }
    match canary.workload().scale_up(&subject, &have)? {
        Some(scaling) if scaling.replicas == 3 => Ok(format!("{} -> 3 pods", scaling.change.key)),
        other => Err(format!("{other:?} instead of 3 pods").into()),
    }
}

/// The definition of the Canary that this controller ships: that of Vexil, which also admits its autoscaler.
fn definition() -> Result<String, Failed> {
    let mut crd = crds()?.into_iter().find(|crd| crd.plural == "canaries").ok_or("there is no Canary")?;
    crd.admit("spec.autoscalerRef.kind", scaler::KIND.kind)?;
    let field = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/autoscalerRef/properties/kind/enum";
    Ok(crd.manifest.pointer(field).ok_or("the field is missing")?.to_string())
}

/// The verdict of the first check, whose MetricTemplate names a provider of this controller's own.
async fn judge(canary: &CanaryContext) -> Result<String, Failed> {
    let catalog = MetricCatalog::default().with_provider(provider::TYPE, provider::build);
    let subject = Subject {
        view: canary.view(),
        provider: "traefik",
        route: None,
        queries: canary.router().queries(),
        metrics_server: "",
        catalog: &catalog,
    };
    let metrics = canary.spec().analysis().map(|analysis| analysis.metrics.as_slice()).unwrap_or_default();
    let first = checks(metrics).first().copied().ok_or("no check")?;
    let mut have = Objects::default();
    let template = ObjectKey::new(kinds::METRIC_TEMPLATE, canary.key().namespace(), "latency");
    have.insert(
        template,
        Seen::present(json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
            "metadata": {"name": "latency", "namespace": "test"},
            "spec": {"provider": {"type": provider::TYPE}, "query": "{{ target }}"},
        })),
    );
    if let Some(key) = needs(&subject, &first, &have).first() {
        return Err(format!("{key} is missing").into());
    }
    let egress = Egress::new()?;
    let environment = Environment { transport: &egress, platform: &(), now_ms: 0 };
    let checked = check(&environment, &subject, &first, &have).await?;
    match checked.value {
        Some(value) => Ok(format!("{} = {value}: {:?}", first.name(), checked.verdict)),
        None => Err(format!("{:?}", checked.verdict).into()),
    }
}

/// Sends a webhook to a server of this process, and returns what that received.
async fn notify(canary: &CanaryContext) -> Result<String, Failed> {
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let hook = Hook::at(&format!("http://{}/", server.local_addr()?))?;
    let payload = Payload {
        name: canary.key().name().to_owned(),
        namespace: canary.key().namespace().to_owned(),
        phase: "Progressing".to_owned(),
        checksum: "1".to_owned(),
        metadata: BTreeMap::new(),
        key: None,
    };
    let egress = Egress::new()?;
    let (sent, received) = tokio::join!(send(&egress, &hook, &payload), answer(&server));
    sent?;
    Ok(received?)
}

/// Answers one request with 200, and returns its first line.
async fn answer(server: &TcpListener) -> std::io::Result<String> {
    let (mut stream, _) = server.accept().await?;
    let mut buffer = vec![0; 64 << 10];
    let length = stream.read(&mut buffer).await?;
    buffer.truncate(length);
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await?;
    let text = String::from_utf8_lossy(&buffer);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
