//! Whole checks and probes, from the user's blocks to the text of the event.

mod fixture;
mod templates;

use serde_json::{Value, json};
use vexil_api::checks;
use vexil_egress::{CallError, Reply};

use self::fixture::{
    Server, at, by_template, canary, down, duration, fails, inline, judged, loses, metric, objects, passes,
    says, says_nothing, secret, server, subject, success_rate, template,
};
use super::*;
use crate::{available, needs};

#[tokio::test]
async fn built_in_checks_judge_the_canary() {
    passes(says("100"), success_rate(), 100.0).await;
    passes(says("99"), success_rate(), 99.0).await;
    passes(says("499.99"), duration(), 0.499).await;
    passes(says("500.9"), duration(), 0.5).await;
    passes(says("0.9"), duration(), 0.0).await;
    fails(says("53.4167"), success_rate(), "Halt cn.test advancement success rate 53.42% < 99%").await;
    fails(says("1515.3"), duration(), "Halt cn.test advancement request duration 1.515s > 500ms").await;
    fails(
        says("1e300"),
        duration(),
        "Halt cn.test advancement request duration 2562047788015h12m55.807s > 500ms",
    )
    .await;
}

#[tokio::test]
async fn no_values_is_a_failed_check_with_a_hint() {
    let rate = "Halt advancement no values found for traefik metric request-success-rate probably podinfo.test is not \
                receiving traffic: running query failed: no values found";
    let took = "Halt advancement no values found for traefik metric request-duration probably podinfo.test is not \
                receiving traffic";
    for number in ["NaN", "+Inf", "-Inf", "1e400"] {
        fails(says(number), success_rate(), rate).await;
        fails(says(number), duration(), took).await;
        fails(says(number), inline(), "Halt advancement no values found for metric: errors").await;
    }
    fails(says_nothing(), success_rate(), rate).await;
    fails(says_nothing(), duration(), took).await;
    fails(says_nothing(), inline(), "Halt advancement no values found for metric: errors").await;
}

#[tokio::test]
async fn a_server_in_trouble_is_told_apart_from_a_bad_canary() {
    let failed = "Prometheus query failed: running query failed: ";
    loses(down(), success_rate(), &format!("{failed}request failed: no answer from p: refused")).await;
    let slow = CallError::TimedOut { host: "p".to_owned(), after_ms: 5_000 };
    loses(server(Err(slow)), duration(), &format!("{failed}request failed: no answer from p within 5000ms"))
        .await;
    let huge = CallError::TooLarge { host: "p".to_owned(), limit: 1 << 20 };
    let text = format!("{failed}request failed: answer of p is larger than 1048576 bytes");
    loses(server(Err(huge)), success_rate(), &text).await;
    let text = format!("{failed}error response: Status 500 Internal Server Error: oops");
    loses(server(Ok(Reply::new(500, "oops"))), success_rate(), &text).await;
    let text = format!("{failed}error unmarshaling result: expected value at line 1 column 1, '<html>'");
    loses(server(Ok(Reply::new(200, "<html>"))), success_rate(), &text).await;
    loses(down(), inline(), "Prometheus query failed for errors: request failed: no answer from p: refused")
        .await;
}

#[tokio::test]
async fn a_metric_that_cannot_be_asked_says_what_is_wrong_with_it() {
    let unconfigured = "Metric query failed for no usable metrics template and query were configured";
    loses(says("1"), json!({"name": "errors"}), unconfigured).await;
    let mut odd = success_rate();
    odd["interval"] = json!("1m]) or vector(100)");
    let text = r#"Prometheus query failed: metric interval "1m]) or vector(100)" may only hold letters, digits and points"#;
    loses(says("1"), odd, text).await;
    let broken = json!({"name": "errors", "query": "{{ nope }}"});
    let text = "Prometheus query failed for errors: template parsing failed: template: tmpl:1: function \"nope\" not \
                defined; there are name, namespace, target, service, ingress, route, interval, variables and index";
    loses(says("1"), broken, text).await;

    let spec = canary(json!({"metricsServer": "prom:9090"}));
    let (verdicts, _) = judged(&says("1"), &spec, success_rate(), &Objects::default()).await;
    let text =
        "Error building Prometheus client for prom:9090 prometheus address prom:9090 is not a valid URL";
    assert_eq!(verdicts, [Verdict::Unavailable(text.to_owned())]);

    let (spec, metrics) = (canary(json!({})), [metric(success_rate())]);
    let unknown = Subject { provider: "smi:linkerd", queries: None, ..subject(&spec) };
    let checked =
        check(&at(&says("1")), &unknown, &checks(&metrics)[0], &Objects::default()).await.expect("known");
    let text = "Prometheus query failed: provider smi:linkerd has no built-in queries, use a templateRef";
    assert_eq!(checked.verdict, Verdict::Unavailable(text.to_owned()));
}

#[tokio::test]
async fn the_query_goes_to_the_server_of_the_canary() {
    let spec = canary(json!({"metricsServer": "http://mine/prom", "service": {"name": "shop"}}));
    let server = says("3");
    judged(&server, &spec, inline(), &Objects::default()).await;
    judged(&server, &spec, duration(), &Objects::default()).await;
    let seen = server.seen.lock().expect("lock");
    let queries: Vec<_> =
        seen.iter().map(|r| r.url.query_pairs().next().expect("query").1.into_owned()).collect();
    assert_eq!(seen[0].url.path(), "/prom/api/v1/query");
    assert_eq!(queries[0], "sum(x{t=\"podinfo\"}[1m])");
    assert!(
        queries[1].contains(r#"{ service=~"test-shop-canary-[0-9a-zA-Z-]+@kubernetescrd" }[30s]"#),
        "{queries:?}"
    );
}

#[test]
fn queries_of_all_metrics_come_before_templates() {
    let metrics = [
        metric(json!({"name": "a", "templateRef": {"name": "t"}})),
        metric(json!({"name": "request-duration", "query": "q", "templateRef": {"name": "t"}})),
        metric(json!({"name": "nothing", "query": ""})),
        metric(json!({"name": "request-success-rate"})),
    ];
    let asked: Vec<_> = checks(&metrics).iter().map(|check| (check.name(), check.source)).collect();
    let expect = [
        ("request-duration", CheckSource::Duration),
        ("request-duration", CheckSource::Inline),
        ("request-success-rate", CheckSource::SuccessRate),
        ("a", CheckSource::Template),
        ("request-duration", CheckSource::Template),
        ("nothing", CheckSource::Unconfigured),
    ];
    assert_eq!(asked, expect);
}

async fn probed(server: &Server, blocks: &[Value], have: &Objects) -> String {
    let (spec, metrics): (_, Vec<_>) = (canary(json!({})), blocks.iter().cloned().map(metric).collect());
    let result = available(&at(server), &subject(&spec), &metrics, have).await;
    result.map_or_else(|e| e.to_string(), |()| "available".to_owned())
}

#[tokio::test]
async fn servers_and_templates_are_tried_before_the_first_rollout() {
    let none = Objects::default();
    let server_of = |query: &str| objects(Some(template(query)), secret());
    let ok = says("1");
    assert_eq!(probed(&ok, &[success_rate(), duration(), inline()], &none).await, "available");
    assert_eq!(ok.seen.lock().expect("lock").len(), 1, "one server is asked once");
    assert_eq!(probed(&ok, &[], &none).await, "available");
    assert_eq!(probed(&ok, &[by_template()], &server_of("up")).await, "available");

    let refused = "running query failed: request failed: no answer from p: refused";
    assert_eq!(probed(&down(), &[duration()], &none).await, format!("prometheus not avaiable: {refused}"));
    let text = "prometheus not avaiable: value is not 1 for query: vector(1)";
    assert_eq!(probed(&says("2"), &[duration()], &none).await, text);
    let text = "prometheus not avaiable: running query failed: error response: Status 502 Bad Gateway: ";
    assert_eq!(probed(&server(Ok(Reply::new(502, ""))), &[duration()], &none).await, text);
    let text = format!("prometheus in metric template t.test not avaiable: {refused}");
    assert_eq!(probed(&down(), &[by_template()], &server_of("up")).await, text);
    let text = "metric template t.test error: metrictemplate.flagger.app \"t\" not found";
    assert_eq!(probed(&ok, &[by_template()], &objects(None, None)).await, text);
    let text = "metric template t.test secret s error: secrets \"s\" not found";
    assert_eq!(probed(&ok, &[by_template()], &objects(Some(template("up")), None)).await, text);
    let text = "metric template t.test query render error: template parsing failed: template: tmpl:1: unclosed action";
    assert_eq!(probed(&ok, &[by_template()], &server_of("{{ target")).await, text);
    assert_eq!(probed(&ok, &[by_template()], &none).await, "MetricTemplate t.test is not known yet");
}
