//! Prometheus' HTTP API as a function: a request in, an answer out, no sockets.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use promql_parser::parser::Expr;

use super::eval::{self, QueryError, QueryValue};
use super::labels::Labels;
use super::number;
use super::store::{MetricStore, Sample};

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// What goes back to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The whole body.
    pub body: String,
}

/// Answers one request: `/api/v1/query`, `/api/v1/query_range` and `/api/v1/labels` by GET or by a POST of a form,
/// `/-/healthy` and `/-/ready`. `target` is the request's path and query; `now_ms` replaces a missing `time`.
///
/// `/api/v1/labels` honours `match[]` but neither `start` nor `end`: the store holds little enough.
pub fn handle(store: &MetricStore, method: &str, target: &str, body: &[u8], now_ms: i64) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let endpoint: Endpoint = match path {
        "/-/healthy" => return plain(200, "Prometheus Server is Healthy.\n"),
        "/-/ready" => return plain(200, "Prometheus Server is Ready.\n"),
        "/api/v1/query" => instant,
        "/api/v1/query_range" => range,
        "/api/v1/labels" => label_names,
        _ => return plain(404, "404 page not found\n"),
    };
    let form = match method {
        "GET" => Form::default(),
        "POST" => Form::read(&String::from_utf8_lossy(body)),
        _ => return plain(405, "Method Not Allowed\n"),
    };
    match endpoint(store, &form.then(Form::read(query)), now_ms) {
        Ok(data) => json(200, format!("{{\"status\":\"success\",\"data\":{data}}}")),
        Err(error) => refused(&error),
    }
}

type Endpoint = fn(&MetricStore, &Form, i64) -> Result<String, QueryError>;

fn instant(store: &MetricStore, form: &Form, now_ms: i64) -> Result<String, QueryError> {
    let at_ms = match form.get("time") {
        None => now_ms,
        Some(text) => time(text)
            .map_err(|reason| invalid("time", &format!("invalid time value for 'time': {reason}")))?,
    };
    let query = form.get("query").unwrap_or_default();
    store.query(query, at_ms).map(|value| rendered(&value)).map_err(|error| of_parameter("query", error))
}

fn range(store: &MetricStore, form: &Form, _: i64) -> Result<String, QueryError> {
    let bound = |name| time(form.get(name).unwrap_or_default()).map_err(|reason| invalid(name, &reason));
    let (start_ms, end_ms) = (bound("start")?, bound("end")?);
    // In Prometheus' order, so that the same request has the same complaint.
    if end_ms < start_ms {
        return Err(invalid("end", "end timestamp must not be before start time"));
    }
    let step_ms =
        duration(form.get("step").unwrap_or_default()).map_err(|reason| invalid("step", &reason))?;
    let query = form.get("query").unwrap_or_default();
    let value = store.query_range(query, start_ms, end_ms, step_ms);
    value.map(|value| rendered(&value)).map_err(|error| match step_ms {
        ..=0 => of_parameter("step", error),
        // The error of a resolution that is too fine names no parameter.
        _ if (end_ms - start_ms) / step_ms > eval::MAX_STEPS => error,
        _ => of_parameter("query", error),
    })
}

fn label_names(store: &MetricStore, form: &Form, _: i64) -> Result<String, QueryError> {
    let mut selectors = Vec::new();
    for text in form.all("match[]") {
        match eval::parse(text)? {
            Expr::VectorSelector(selector) => selectors.push(selector),
            _ => return Err(QueryError::BadData("parse error: expected a series selector".to_owned())),
        }
    }
    let selected = |labels: &Labels| {
        selectors.is_empty() || selectors.iter().any(|selector| eval::matches(selector, labels))
    };
    let series = store.labels().filter(|labels| selected(labels));
    let names: BTreeSet<String> =
        series.flat_map(|labels| labels.iter().map(|(name, _)| quoted(name))).collect();
    Ok(format!("[{}]", names.into_iter().collect::<Vec<_>>().join(",")))
}

/// Unix seconds or RFC 3339, in milliseconds.
fn time(text: &str) -> Result<i64, String> {
    let seconds = text.parse::<f64>().ok().and_then(millis);
    let written = || text.parse().ok().map(jiff::Timestamp::as_millisecond);
    seconds.or_else(written).ok_or_else(|| format!("cannot parse {} to a valid timestamp", quoted(text)))
}

/// Seconds or a duration such as `1m30s`, in milliseconds.
fn duration(text: &str) -> Result<i64, String> {
    // Numbers first: the parser's own reading of them panics below zero.
    let read = match text.parse::<f64>() {
        Ok(seconds) => millis(seconds),
        Err(_) => {
            let written = promql_parser::util::parse_duration(text).ok();
            written.and_then(|duration| i64::try_from(duration.as_millis()).ok())
        }
    };
    read.ok_or_else(|| format!("cannot parse {} to a valid duration", quoted(text)))
}

/// Seconds as milliseconds, if they are within some 100,000 years.
fn millis(seconds: f64) -> Option<i64> {
    (seconds.abs() < 4e12).then(|| (seconds * 1000.0).round() as i64)
}

fn invalid(parameter: &str, reason: &str) -> QueryError {
    QueryError::BadData(format!("invalid parameter \"{parameter}\": {reason}"))
}

fn of_parameter(parameter: &str, error: QueryError) -> QueryError {
    match error {
        QueryError::BadData(reason) => invalid(parameter, &reason),
        execution => execution,
    }
}

fn refused(error: &QueryError) -> Answer {
    let (status, kind) = match error {
        QueryError::BadData(_) => (400, "bad_data"),
        QueryError::Execution(_) => (422, "execution"),
    };
    let reason = quoted(&error.to_string());
    json(status, format!("{{\"status\":\"error\",\"errorType\":\"{kind}\",\"error\":{reason}}}"))
}

fn json(status: u16, body: String) -> Answer {
    Answer { status, content_type: JSON, body }
}

fn plain(status: u16, body: &str) -> Answer {
    Answer { status, content_type: PLAIN, body: body.to_owned() }
}

/// The `data` of an answer, its keys in Prometheus' order.
fn rendered(value: &QueryValue) -> String {
    let (kind, result) = match value {
        QueryValue::Scalar(sample) => ("scalar", point(sample)),
        QueryValue::Text { ts_ms, text } => {
            ("string", format!("[{},{}]", number::seconds(*ts_ms), quoted(text)))
        }
        QueryValue::Vector { ts_ms, elements } => {
            let elements = elements.iter().map(|element| {
                let sample = Sample { ts_ms: *ts_ms, value: element.value };
                format!("{{\"metric\":{},\"value\":{}}}", metric(&element.labels), point(&sample))
            });
            ("vector", list(elements))
        }
        QueryValue::Matrix(series) => {
            let series = series.iter().map(|series| {
                let points = list(series.samples.iter().map(point));
                format!("{{\"metric\":{},\"values\":{points}}}", metric(&series.labels))
            });
            ("matrix", list(series))
        }
    };
    format!("{{\"resultType\":\"{kind}\",\"result\":{result}}}")
}

fn metric(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

fn point(sample: &Sample) -> String {
    format!("[{},\"{}\"]", number::seconds(sample.ts_ms), number::float(sample.value))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Parameters in order; the first of a name counts.
#[derive(Default)]
struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`, the form of a query string too.
    fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    fn then(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Undoes `%xx` and `+`; a `%` that starts no code stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.split_at_checked(2).and_then(|(code, after)| {
            let code =
                std::str::from_utf8(code).ok().filter(|code| *first == b'%' && !code.starts_with('+'))?;
            Some((u8::from_str_radix(code, 16).ok()?, after))
        });
        (rest, _) = match code {
            Some((byte, after)) => (after, bytes.push(byte)),
            None => (after, bytes.push(if *first == b'+' { b' ' } else { *first })),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
