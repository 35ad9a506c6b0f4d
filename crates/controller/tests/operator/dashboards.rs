//! The operator's dashboard in `charts/grafana` queries series and labels that the operator exports.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const DASHBOARD: &str = include_str!("../../../../charts/grafana/files/dashboards/operator.yaml");

/// The series of a text in Prometheus' format, each with its labels.
fn exported(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut series: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once('{').unwrap_or((line.split(' ').next().unwrap(), ""));
        let labels = labels.split('"').step_by(2).filter_map(|part| part.strip_suffix('='));
        let labels = labels.map(|label| label.trim_start_matches(',').to_owned());
        series.entry(name.to_owned()).or_default().extend(labels);
    }
    series
}

/// The words of a query that are names of series or labels: not functions, numbers and texts.
fn words(query: &str) -> BTreeSet<String> {
    let unquoted: String = query.split('"').step_by(2).collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = BTreeSet::new();
    let mut rest = unquoted.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let begin = &rest[at..];
        let end = begin.find(|c| !is_word(c)).unwrap_or(begin.len());
        let (word, after) = begin.split_at(end);
        let inside = rest[..at].ends_with('[') || rest[..at].ends_with(|c: char| c.is_ascii_digit());
        if !after.starts_with('(') && word != "by" && !inside {
            words.insert(word.to_owned());
        }
        rest = after;
    }
    words
}

#[test]
fn words_of_a_query_are_its_series_and_labels() {
    let check = |query: &str, want: &[&str]| {
        assert_eq!(words(query).iter().map(String::as_str).collect::<Vec<_>>(), want, "{query}");
    };
    check("sum(rate(a_total{x=\"y\"}[5m])) by (reason)", &["a_total", "reason", "x"]);
    check("histogram_quantile(0.50, sum(rate(b_bucket[1h])) by (le))", &["b_bucket", "le"]);
}

/// One rollout is promoted and one taken back, while the API server refuses a write.
#[tokio::test(start_paused = true)]
async fn the_operators_dashboard_queries_what_the_operator_exports() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    let conflict = vexil_testbed_apiserver::Matcher {
        user_agent: Some(crate::cluster::OPERATOR.to_owned()),
        ..vexil_testbed_apiserver::Matcher::new("patch", "canaries")
    };
    let answer = vexil_testbed_apiserver::FaultAction::Answer { code: 503, retry_after: None };
    stage.cluster.server().faults().push(vexil_testbed_apiserver::Fault::once(conflict, answer));
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.answer_success(100.0);
    stage.hooks.lock().unwrap().push(("acceptance-test".to_owned(), 500));
    stage.push(NAME, "6.0.2").await;
    stage.until_phase(NAME, "Failed").await;
    let exported = exported(&stage.telemetry.text());
    let labels: BTreeSet<&String> = exported.values().flatten().collect();

    let dashboard: Value = serde_saphyr::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| panel["queries"].as_object().unwrap().values());
    let queries: Vec<&str> = queries.map(|query| query.as_str().unwrap()).collect();
    assert!(queries.len() > 10, "{queries:?}");
    for query in queries {
        for word in words(query) {
            assert!(
                exported.contains_key(&word) || labels.contains(&word),
                "{word} of {query}: {exported:#?}"
            );
        }
    }
    // What the dashboards choose namespace and target from.
    for label in ["namespace", "name"] {
        assert!(exported["flagger_canary_status"].contains(label), "{label}");
    }
}
