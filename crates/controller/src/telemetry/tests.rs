//! The series of a Canary end with what they are about.

use std::sync::Arc;

use serde_json::json;
use vexil_plan::Planner;
use vexil_routing_kubernetes::{Kubernetes, KubernetesServices};

use super::*;
use crate::{Registry, Settings};

/// The names of the series after Canaries of these targets and metrics were analysed, one after the other.
#[track_caller]
fn check(generations: &[(&str, &[&str])], expect: &[&str]) {
    let registry = Registry::new(KubernetesServices).with(Kubernetes);
    let settings = Settings { provider: "kubernetes".to_owned(), ..Settings::default() };
    let telemetry = Telemetry::new("test", "kubernetes");
    for (generation, (target, metrics)) in generations.iter().enumerate() {
        let metric = |name: &&str| json!({"name": name, "query": "up", "thresholdRange": {"min": 1}});
        let live = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": "c", "namespace": "test", "uid": "u", "generation": generation},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
                "service": {"port": 80},
                "analysis": {
                    "interval": "10s", "threshold": 2, "iterations": 3,
                    "metrics": metrics.iter().map(metric).collect::<Vec<_>>(),
                },
            },
        });
        let canary = Planner::new(&registry, &settings).open(Arc::new(live)).unwrap();
        for metric in *metrics {
            telemetry.measured(&canary, metric, 1.0);
        }
        telemetry.phase(&canary, Phase::Progressing);
    }
    let text = telemetry.text();
    let series = text.lines().filter(|line| line.contains(r#"namespace="test""#));
    let mut series: Vec<_> = series.filter_map(|line| line.split_once(' ').map(|(name, _)| name)).collect();
    series.sort_unstable();
    assert_eq!(series, expect);
}

#[test]
fn series_of_former_metrics_and_targets_are_removed() {
    let metric = r#"flagger_canary_metric_analysis{name="a",namespace="test",metric="one"}"#;
    let phase = r#"flagger_canary_status{name="a",namespace="test"}"#;
    check(&[("a", &["one"])], &[metric, phase]);
    check(&[("a", &["one", "two"]), ("a", &["one"])], &[metric, phase]);
    check(&[("b", &["one", "two"]), ("a", &["one"])], &[metric, phase]);
    check(&[("b", &["one"]), ("a", &[])], &[phase]);
}
