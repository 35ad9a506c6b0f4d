//! Laws that hold for any input.

use proptest::prelude::*;

use crate::{Counter, Histogram, Labels, MetricStore, QueryError, QueryValue, handle, parse_text};

/// The values of a vector query.
fn values(store: &MetricStore, query: &str, now_ms: i64) -> Vec<f64> {
    match store.query(query, now_ms).unwrap() {
        QueryValue::Vector { elements, .. } => elements.into_iter().map(|element| element.value).collect(),
        other => panic!("{other:?}"),
    }
}

fn gathered(samples: &[f64]) -> MetricStore {
    let mut store = MetricStore::new(3_600_000);
    for (n, value) in samples.iter().enumerate() {
        store.append(Labels::named("x", [("a", "b")]), n as i64 * 5000, *value).unwrap();
    }
    store
}

/// Growing by at least 0 from sample to sample, sometimes restarting.
fn counter() -> impl Strategy<Value = Vec<f64>> {
    let step = (0u32..50, prop::bool::weighted(0.1));
    prop::collection::vec(step, 2..40).prop_map(|steps| {
        let count = steps.into_iter().scan(0.0, |count, (more, restart)| {
            *count = if restart { 0.0 } else { *count + f64::from(more) };
            Some(*count)
        });
        count.collect()
    })
}

proptest! {
    #[test]
    fn what_is_rendered_reads_back_the_same(
        values in prop::collection::btree_map(("[a-z_][a-z0-9_]{0,5}", ".{0,12}"), 0.0..1e12f64, 0..6),
    ) {
        let mut counter = Counter::new("c_total", "any");
        let mut expect = Vec::new();
        for ((name, value), count) in &values {
            prop_assume!(name != "__name__" && !value.is_empty());
            counter.add(Labels::new([(name, value)]), *count);
            expect.push((Labels::named("c_total", [(name, value)]), *count));
        }
        expect.sort_by(|a, b| a.0.cmp(&b.0));
        let mut text = String::new();
        counter.render(&mut text);
        let read: Vec<_> = parse_text(&text).unwrap().into_iter().map(|line| (line.labels, line.value)).collect();
        prop_assert_eq!(read, expect);
    }

    #[test]
    fn no_text_panics_the_reader(text in "(a|\\{|\\}|\"|\\\\|=|,| |1|#|TYPE|\n|é){0,40}") {
        let _ = parse_text(&text);
    }

    #[test]
    fn the_rate_of_a_counter_is_never_negative_and_increase_is_rate_times_range(
        samples in counter(), now in 0i64..250,
    ) {
        let store = gathered(&samples);
        let rates = values(&store, "rate(x[1m])", now * 1000);
        let increases = values(&store, "increase(x[1m])", now * 1000);
        prop_assert_eq!(rates.len(), increases.len());
        for (rate, increase) in rates.into_iter().zip(increases) {
            prop_assert!(rate >= 0.0);
            prop_assert!((rate * 60.0 - increase).abs() <= 1e-9 * increase.abs());
        }
    }

    #[test]
    fn extrapolation_adds_at_most_one_and_a_tenth_spacing_on_each_side(samples in counter()) {
        let mut growth = 0.0;
        for pair in samples.windows(2) {
            growth += if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] };
        }
        let spaces = (samples.len() - 1) as f64;
        let store = gathered(&samples);
        let now_ms = (samples.len() as i64 - 1) * 5000 + 4000;
        let increase = values(&store, "increase(x[10m])", now_ms);
        prop_assert!(increase[0] >= growth - 1e-9);
        prop_assert!(increase[0] <= growth * (spaces + 2.2) / spaces + 1e-9);
    }

    #[test]
    fn a_quantile_lies_in_the_bucket_of_its_observation(
        mut seen in prop::collection::vec(0.001..20.0f64, 1..60), rank in 0.0..=1.0f64,
    ) {
        let bounds = [0.1, 0.3, 1.2, 5.0];
        let mut histogram = Histogram::new("h", "any", &bounds);
        for value in &seen {
            histogram.observe(Labels::default(), *value);
        }
        let mut text = String::new();
        histogram.render(&mut text);
        let mut store = MetricStore::new(60_000);
        store.ingest_text(&text, &Labels::default(), 1000).unwrap();
        let quantile = values(&store, &format!("histogram_quantile({rank}, h_bucket)"), 1000)[0];
        seen.sort_by(f64::total_cmp);
        let nth = ((rank * seen.len() as f64).ceil() as usize).clamp(1, seen.len());
        let exact = seen[nth - 1];
        let above = bounds.iter().copied().find(|bound| exact <= *bound).unwrap_or(5.0);
        let below = bounds.iter().copied().rev().find(|bound| *bound < exact).unwrap_or(0.0);
        prop_assert!((below..=above).contains(&quantile), "{quantile} not in {below}..={above}");
    }

    #[test]
    fn no_query_panics_the_store(query in "(x|\\[|\\]|5m|:|sum|rate|by|\\(|\\)|\\{|\\}|a=~\"b\"| |-|/|1|>|on|offset|@|bool){0,12}") {
        let _ = gathered(&[1.0, 2.0]).query(&query, 5000);
    }
}

/// Each is refused or answered; none may take the process with it, its stack included.
#[test]
fn hostile_queries_end_in_an_answer() {
    let store = gathered(&[1.0, 2.0, 3.0]);
    let wrapped = |open: &str, inner: &str, close: &str, n: usize| {
        format!("{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    let queries = [
        "x[1e300]".to_owned(),
        "x offset 1e300".to_owned(),
        "x offset -1e18".to_owned(),
        "rate(x[1e17] offset 1e18)".to_owned(),
        "x @ 1e15 offset -9e15".to_owned(),
        "x @ -1e15 offset 9e15".to_owned(),
        "max_over_time(x[1e18:1e-3])".to_owned(),
        "sum_over_time(sum_over_time(x[1m:5ms])[1m:5ms])".to_owned(),
        wrapped("(", "1", ")", 4000),
        wrapped("abs(", "x", ")", 1500),
        wrapped("sum(", "x", ")", 1500),
        wrapped("-", "x", "", 8000),
        wrapped("1^", "1", "", 4000),
        wrapped("", "1", "+1", 4000),
        wrapped("", "x", " or x", 1600),
        wrapped("max_over_time(", "x", "[1m:])", 500),
        "x".repeat(9000),
        "x{a=~\"(((((a{500}){500}){500}){500})\"}".to_owned(),
        "\0".to_owned(),
    ];
    for query in queries {
        match store.query(&query, 10_000) {
            Ok(_) | Err(QueryError::BadData(_) | QueryError::Execution(_)) => {}
        }
    }
    for target in ["/api/v1/query?%", "/api/v1/query?query=%zz%4", "/api/v1/query?&&==&query", "?", ""] {
        assert!(handle(&store, "GET", target, &[0xff, 0xfe], 0).status >= 400, "{target}");
    }
    let extremes = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX];
    for now_ms in extremes {
        let _ = store.query("rate(x[5m] offset 1h) + x offset -1h + time()", now_ms);
        let _ = store.query("max_over_time(x[5m:1s])", now_ms);
    }
}
