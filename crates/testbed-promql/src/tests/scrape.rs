//! What a scrape leaves behind: the format, target labels, staleness, retention.

use crate::{AppendError, Counter, Gauge, Histogram, Ingested, Labels, MetricStore, QueryValue, parse_text};

const NONE: [(&str, &str); 0] = [];

/// The answer of a vector query as sorted lines.
fn ask(store: &MetricStore, query: &str, now_ms: i64) -> Vec<String> {
    match store.query(query, now_ms).unwrap() {
        QueryValue::Vector { elements, .. } => {
            elements.iter().map(|element| format!("{} {}", element.labels, element.value)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn target() -> Labels {
    Labels::new([("job", "gateway")])
}

#[test]
fn every_form_of_a_sample_line_is_read() {
    let cases = [
        ("a 1", "a 1"),
        ("a{} 1", "a 1"),
        ("a:b_c9 1e3", "a:b_c9 1000"),
        ("a{b=\"c\"} 1", "a{b=\"c\"} 1"),
        ("  a { b = \"c\" , d=\"e\" , }\t-1.5  ", "a{b=\"c\",d=\"e\"} -1.5"),
        ("a{b=\"\"} 1", "a 1"),
        (r#"a{b="\\ \" \n \x"} 1"#, r#"a{b="\\ \" \n \\x"} 1"#),
        ("a{b=\"},{ # x\"} 1", "a{b=\"},{ # x\"} 1"),
        ("a NaN", "a NaN"),
        ("a +Inf", "a inf"),
        ("a -Inf", "a -inf"),
        ("a 1\r", "a 1"),
        ("\n# a comment\n#\n# HELP a what \"it\" is\n# TYPE a counter\na 1\n", "a 1"),
    ];
    for (text, expect) in cases {
        let read: Vec<_> =
            parse_text(text).unwrap().iter().map(|line| format!("{} {}", line.labels, line.value)).collect();
        assert_eq!(read, [expect], "{text}");
    }
    assert_eq!(parse_text("a 1 1700000000000").unwrap()[0].ts_ms, Some(1_700_000_000_000));
}

#[test]
fn a_wrong_line_refuses_the_scrape_and_is_named() {
    let cases = [
        "a",
        "a{",
        "a{b",
        "a{b=",
        "a{b=\"c",
        "a{b=\"c\"",
        "a{b=\"c\"} ",
        "a{b=\"c\" d=\"e\"} 1",
        "a{b=\"c\",b=\"d\"} 1",
        "a{9=\"c\"} 1",
        "9a 1",
        "{a=\"b\"} 1",
        "a one",
        "a 1 2 3",
        "a 1 soon",
        "a{b=\"c\\",
        "a 1 # {x=\"y\"} 1",
        "# TYPE a sum",
        "<html>",
    ];
    for text in cases {
        let mut store = MetricStore::new(60_000);
        let scrape = format!("fine 1\n{text}\n");
        let error = store.ingest_text(&scrape, &target(), 1000).unwrap_err();
        assert_eq!((error.line, store.series_count()), (2, 0), "{text}: {error}");
    }
}

#[test]
fn target_labels_win_and_scraped_ones_are_kept_under_another_name() {
    let mut store = MetricStore::new(60_000);
    let report = store.ingest_text("a{job=\"mine\",x=\"y\"} 1\nb 2\n", &target(), 1000).unwrap();
    assert_eq!(report, Ingested { stored: 2, refused: 0 });
    assert_eq!(
        ask(&store, "{job=\"gateway\"}", 1000),
        ["a{exported_job=\"mine\",job=\"gateway\",x=\"y\"} 1", "b{job=\"gateway\"} 2"]
    );
}

#[test]
fn a_series_that_is_missing_from_a_scrape_is_gone_at_once_and_can_come_back() {
    let mut store = MetricStore::new(3_600_000);
    let none = target();
    store.ingest_text("a 1\nb 1\n", &none, 1000).unwrap();
    store.ingest_text("a 2\n", &none, 2000).unwrap();
    assert_eq!(ask(&store, "b", 1999).len(), 1);
    assert_eq!(ask(&store, "b", 2000).len(), 0);
    store.ingest_text("a 3\nb 5\n", &none, 3000).unwrap();
    assert_eq!(ask(&store, "count_over_time(b[1m])", 3000), ["{job=\"gateway\"} 2"]);
    store.scrape_failed(&none, 4000);
    assert_eq!(ask(&store, "{__name__=~\"a|b\"}", 4000).len(), 0);
    // Another target's series are its own.
    store.ingest_text("c 1\n", &Labels::new([("job", "pod")]), 5000).unwrap();
    store.ingest_text("a 4\n", &none, 6000).unwrap();
    assert_eq!(ask(&store, "c", 6000).len(), 1);
}

#[test]
fn samples_out_of_order_are_refused_and_old_ones_forgotten() {
    let mut store = MetricStore::new(10_000);
    let a = Labels::named("a", NONE);
    assert_eq!(store.append(a.clone(), 5000, 1.0), Ok(()));
    assert_eq!(store.append(a.clone(), 5000, 1.0), Ok(()));
    assert_eq!(store.append(a.clone(), 5000, 2.0), Err(AppendError::Duplicate));
    assert_eq!(store.append(a.clone(), 4000, 1.0), Err(AppendError::OutOfOrder));
    store.append(a, 16_000, 3.0).unwrap();
    assert_eq!(ask(&store, "count_over_time(a[1h])", 16_000), ["{} 1"]);
    store.ingest_text("b 1\n", &target(), 100_000).unwrap();
    assert_eq!(store.series_count(), 1);
}

#[test]
fn the_registry_renders_what_a_gateway_exposes() {
    let mut requests = Counter::new("requests_total", "How many,\nso far.");
    let mut seconds = Histogram::new("request_duration_seconds", "How long.", &[1.2, 0.1, f64::INFINITY]);
    let mut open = Gauge::new("open", "Connections.");
    let labels = || Labels::new([("code", "200"), ("service", "a-80@kubernetescrd")]);
    requests.add(labels(), 2.0);
    requests.add(labels(), -1.0);
    requests.add(labels(), f64::NAN);
    for value in [0.05, 0.1, 0.5, 3.0] {
        seconds.observe(labels(), value);
    }
    open.set(Labels::default(), 4.0);
    let mut text = String::new();
    requests.render(&mut text);
    seconds.render(&mut text);
    open.render(&mut text);
    let expect = r#"# HELP requests_total How many,\nso far.
# TYPE requests_total counter
requests_total{code="200",service="a-80@kubernetescrd"} 2
# HELP request_duration_seconds How long.
# TYPE request_duration_seconds histogram
request_duration_seconds_bucket{code="200",le="0.1",service="a-80@kubernetescrd"} 2
request_duration_seconds_bucket{code="200",le="1.2",service="a-80@kubernetescrd"} 3
request_duration_seconds_bucket{code="200",le="+Inf",service="a-80@kubernetescrd"} 4
request_duration_seconds_sum{code="200",service="a-80@kubernetescrd"} 3.65
request_duration_seconds_count{code="200",service="a-80@kubernetescrd"} 4
# HELP open Connections.
# TYPE open gauge
open 4
"#;
    assert_eq!(text, expect);
    assert_eq!((requests.get(&labels()), seconds.count(&labels())), (2.0, 4));
}
