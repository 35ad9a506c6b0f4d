//! The page that lists the metrics.

use expect_test::expect_file;
use vexil_object::{ObjectKey, kinds::CANARY};

use super::gauges::OfCanary;
use super::series::{Check, Ended, Info, Named, Namespace, Reason, Series};
use super::*;

const BEGINNING: &str = "\
# Metrics of the operator

<!-- Made by `cargo xtask docs --write` from crates/controller/src/telemetry/series.rs. -->

At `/metrics` of the operator, in the format of OpenMetrics. Names that begin with `flagger_` are Flagger's. `name` is the
name of the target, but in `vexil_canary_ready` that of the Canary. The series of a Canary end when it is deleted.
[Monitoring](../monitoring.md) has queries and alert rules.

| series | type | labels | meaning |
|---|---|---|---|
";

/// Every family, with one series each.
fn sample() -> String {
    let text = String::new;
    let named = Named { name: text(), namespace: text() };
    let ended =
        Ended { name: text(), namespace: text(), deployment_strategy: text(), analysis_status: text() };
    let reason = Reason { reason: text() };
    let Series {
        registry,
        info,
        total,
        duration,
        analysis,
        successes,
        failures,
        write_errors,
        reconciles: _,
        panics: _,
        broken_laws,
        gauges,
    } = Series::registered();
    info.get_or_create(&Info { version: text(), mesh_provider: text() }).set(1);
    total.get_or_create(&Namespace { namespace: text() }).set(1);
    duration.get_or_create(&named).observe(1.0);
    analysis.get_or_create(&Check { name: text(), namespace: text(), metric: text() }).set(1.0);
    successes.get_or_create(&ended).inc();
    failures.get_or_create(&ended).inc();
    write_errors.get_or_create(&reason).inc();
    let of_one = OfCanary {
        target: "podinfo".into(),
        status: Some(1),
        weights: Some((100, 0)),
        ready: Some(true),
        ..OfCanary::default()
    };
    gauges.lock().insert(ObjectKey::new(CANARY, "test", "podinfo"), of_one);
    broken_laws.get_or_create(&reason).inc();
    let mut written = String::new();
    encode(&mut written, &registry).unwrap();
    written
}

/// The names of the labels of a series, but for that of buckets.
fn labels(line: &str) -> String {
    let labels =
        line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
    let names = labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name);
    names.filter(|name| *name != "le").map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_reference_lists_every_metric() {
    let mut page = String::from(BEGINNING);
    let sample = sample();
    let mut lines = sample.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, meaning)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) else {
            continue;
        };
        let kind = lines.next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
        let series: Vec<&str> = std::iter::from_fn(|| lines.next_if(|line| !line.starts_with('#'))).collect();
        assert!(!series.is_empty(), "{name} has no sample");
        let mut names: Vec<&str> =
            series.iter().map(|line| line.split(['{', ' ']).next().unwrap_or_default()).collect();
        names.dedup();
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let (labels, meaning) = (labels(series[0]), meaning.trim_end_matches('.'));
        page.push_str(&format!("| {names} | {kind} | {labels} | {meaning} |\n"));
    }
    expect_file!["../../../../docs/reference/metrics.md"].assert_eq(&page);
}
