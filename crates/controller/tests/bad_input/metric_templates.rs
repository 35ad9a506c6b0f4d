//! Mistakes in MetricTemplates and their Secrets. `secret` is the data of the Secret that the template names, whatever
//! its name; without it there is none.

use async_trait::async_trait;
use expect_test::expect_file;
use serde_json::{Value, json};
use vexil_api::{CanarySpec, CanaryView, Metric, checks};
use vexil_egress::{CallError, Reply, Request, Transport};
use vexil_metrics::{Environment, MetricCatalog, Subject, Unavailable, available, needs};
use vexil_object::{Objects, Owner, Seen};
use vexil_testbed_cluster::Cluster;

use crate::{alert_providers::secret, answers, refused_by_api_server, table};

/// No server answers: a template that leads to a request has no mistake.
const SENT: &str = "no answer from";

struct Unreachable;

#[async_trait]
impl Transport for Unreachable {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        Err(CallError::Unreachable { host, cause: "the network is down".to_owned() })
    }
}

/// Why the operator cannot query the template, as the Event of a Canary says it.
async fn said_by_operator(object: &Value, secret: &Seen) -> Vec<String> {
    let spec: CanarySpec = serde_json::from_value(json!({
        "targetRef": { "kind": "Deployment", "name": "podinfo" },
        "analysis": { "metrics": [{ "name": "mine", "templateRef": { "name": "mine" }, "interval": "1m" }] },
    }))
    .unwrap();
    let metrics: &[Metric] = &spec.analysis.as_ref().unwrap().metrics;
    let (owner, catalog) =
        (Owner { name: "podinfo".to_owned(), uid: "u".to_owned() }, MetricCatalog::default());
    let subject = Subject {
        view: CanaryView::new(&owner, "test", &spec),
        provider: "traefik",
        route: None,
        queries: None,
        metrics_server: "http://prometheus:9090",
        catalog: &catalog,
    };
    let mut have = Objects::default();
    let check = checks(metrics).into_iter().next().unwrap();
    for seen in [Seen::present(object.clone()), secret.clone()] {
        for key in needs(&subject, &check, &have) {
            have.insert(key, seen.clone());
        }
    }
    let environment = Environment { transport: &Unreachable, platform: &(), now_ms: 0 };
    match available(&environment, &subject, metrics, &have).await {
        Err(Unavailable::Because(text)) if !text.contains(SENT) => vec![format!("operator    {text}")],
        _ => Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_metric_templates() {
    let cluster = Cluster::start().await.unwrap();
    let good = json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": { "name": "mine", "namespace": "test" },
        "spec": {
            "provider": { "type": "prometheus", "address": "http://prometheus:9090" },
            "query": "sum(errors{app=\"{{ target }}\"})",
        },
    });
    let answer = async |mut object: Value| {
        let secret = secret(object.as_object_mut().unwrap().remove("secret"));
        let api_server = refused_by_api_server(&cluster, "metrictemplates", &object).await;
        answers(api_server, said_by_operator(&object, &secret).await)
    };
    let played = table::play(include_str!("metric_templates.txt"), &good, answer).await;
    expect_file!["metric_templates.txt"].assert_eq(&played);
}
