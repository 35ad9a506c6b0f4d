//! The store held against what the real Prometheus answered to the same queries over the same samples.

use super::*;

const SAMPLES: &str = include_str!("tests/samples.txt");
const AGREED: &str = include_str!("tests/agreed.txt");
const FIRST_MS: i64 = 1_700_000_003_000;
const EVERY_MS: i64 = 15_000;

fn without_comments(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// The series of a line, and what follows it.
fn split(line: &str) -> (&str, &str) {
    let end = line.rfind('}').map_or_else(|| line.find(' ').expect("a space"), |brace| brace + 1);
    (&line[..end], line[end..].trim_start())
}

fn samples() -> MetricStore {
    let mut store = MetricStore::new(3_600_000);
    for line in without_comments(SAMPLES) {
        let (series, values) = split(line);
        let labels = parse_text(&format!("{series} 0")).unwrap().remove(0).labels;
        for (n, value) in values.split(' ').enumerate() {
            let ts_ms = FIRST_MS + n as i64 * EVERY_MS;
            match value {
                "_" => {}
                "stale" => store.end(&labels, ts_ms),
                number => store.append(labels.clone(), ts_ms, number.parse().unwrap()).unwrap(),
            }
        }
    }
    store
}

/// One line per element, in the words of agreed.txt.
fn lines(answer: &Result<QueryValue, QueryError>) -> Vec<String> {
    let at = |sample: &Sample| format!("{}@{}", number::float(sample.value), sample.ts_ms);
    match answer {
        Err(QueryError::BadData(_)) => vec!["! bad_data".to_owned()],
        Err(QueryError::Execution(reason)) => vec![format!("! execution {reason}")],
        Ok(QueryValue::Scalar(sample)) => vec![format!("scalar {}", number::float(sample.value))],
        Ok(QueryValue::Text { text, .. }) => vec![format!("string {text}")],
        Ok(QueryValue::Vector { elements, .. }) => {
            elements.iter().map(|e| format!("{} {}", e.labels, number::float(e.value))).collect()
        }
        Ok(QueryValue::Matrix(series)) => series
            .iter()
            .map(|s| format!("{} {}", s.labels, s.samples.iter().map(at).collect::<Vec<_>>().join(" ")))
            .collect(),
    }
}

/// Equal but for the last digits of numbers: sums are not made in the same order.
fn same(ours: &str, theirs: &str) -> bool {
    let close = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        _ => a == b,
    };
    let words = |line: &str| {
        let (series, rest) = if line.starts_with('!') { (line, "") } else { split(line) };
        let rest: Vec<String> = rest.split([' ', '@']).map(str::to_owned).collect();
        (series.to_owned(), rest)
    };
    let ((ours, our_words), (theirs, their_words)) = (words(ours), words(theirs));
    ours == theirs
        && our_words.len() == their_words.len()
        && our_words.iter().zip(&their_words).all(|(a, b)| close(a, b))
}

#[test]
fn queries_are_answered_as_prometheus_answers_them() {
    let store = samples();
    let (mut asked, mut wrong) = (0, Vec::new());
    for case in without_comments(AGREED).collect::<Vec<_>>().split(|line| line.is_empty()) {
        let [head, expect @ ..] = case else { continue };
        let number = |text: &str| text.parse::<i64>().unwrap();
        let (answer, query) = match head.split_once(' ').unwrap() {
            ("at", rest) => {
                let (at, query) = rest.split_once(' ').unwrap();
                (store.query(query, number(at)), query)
            }
            (_, rest) => {
                let [start, end, step, query] = rest.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!() };
                (store.query_range(query, number(start), number(end), number(step)), query)
            }
        };
        let (mut ours, mut theirs) =
            (lines(&answer), expect.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
        if !query.starts_with("sort") {
            ours.sort();
            theirs.sort();
        }
        asked += 1;
        if ours.len() != theirs.len() || !ours.iter().zip(&theirs).all(|(a, b)| same(a, b)) {
            wrong.push(format!("{head}\n  ours   {ours:?}\n  theirs {theirs:?}\n  {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 200, "only {asked} queries were read");
}

mod http;
mod laws;
mod scrape;
