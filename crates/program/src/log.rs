//! Log lines in the format of Flagger's zap logger, so that log pipelines keep working: one JSON object a line, keys in
//! a fixed order.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    filter::Targets,
    fmt::{
        self as lines, FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{JsonFields, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

/// Why the log cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The encoding is unknown; the flag has to be corrected.
    #[error("-zap-encoding {0:?} is neither json nor console")]
    UnknownEncoding(String),
}

/// Installs the process's log, on standard error. `level` is the lowest one that `ours` (names of crates) speak from;
/// other libraries speak from `warn` up. In JSON every text passes through `shortened`. Once per process.
///
/// # Errors
/// When `encoding` is neither `json` nor `console`.
pub fn install_log(
    level: &str,
    encoding: &str,
    ours: &[&str],
    shortened: fn(String) -> String,
) -> Result<(), LogError> {
    let log = tracing_subscriber::registry().with(filter(level, ours));
    let lines = lines::layer().with_writer(std::io::stderr);
    match encoding {
        "json" => log.with(lines.fmt_fields(JsonFields::new()).event_format(Json { shortened })).init(),
        "console" => log.with(lines.with_target(false)).init(),
        other => return Err(LogError::UnknownEncoding(other.to_owned())),
    }
    Ok(())
}

/// What is logged. Not an `EnvFilter`, which looks up each span whenever a reconcile is polled.
fn filter(level: &str, ours: &[&str]) -> Targets {
    let level = match level {
        "debug" => Level::DEBUG,
        "warn" => Level::WARN,
        "error" | "fatal" | "panic" => Level::ERROR,
        // As in Flagger: any other word, also `warning`.
        _ => Level::INFO,
    };
    Targets::new().with_default(Level::WARN).with_targets(ours.iter().map(|name| (*name, level)))
}

struct Json {
    shortened: fn(String) -> String,
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields { rest: of_spans(context), ..Fields::default() };
        event.record(&mut fields);
        fields.message = (self.shortened)(fields.message);
        for value in fields.rest.values_mut() {
            if let Value::String(text) = value {
                *text = (self.shortened)(std::mem::take(text));
            }
        }
        let metadata = event.metadata();
        let caller = match (metadata.file(), metadata.line()) {
            (Some(file), Some(line)) => format!("{}:{line}", short(file)),
            _ => metadata.target().to_owned(),
        };
        let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let head = [
            ("level", level(metadata.level())),
            ("ts", &time),
            ("caller", &caller),
            ("msg", &fields.message),
        ];
        let head = head.map(|(key, text)| (key.to_owned(), Value::from(text)));
        let parts =
            head.into_iter().chain(fields.rest).map(|(key, value)| format!("{}:{value}", Value::from(key)));
        writeln!(writer, "{{{}}}", parts.collect::<Vec<_>>().join(","))
    }
}

/// The fields of the spans that an event is in, inner ones over outer ones. They are formatted as JSON
/// ([`JsonFields`]).
fn of_spans<S, N>(context: &FmtContext<'_, S, N>) -> Map<String, Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut fields = Map::new();
    for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
        let extensions = span.extensions();
        let formatted = extensions.get::<FormattedFields<N>>().map(|fields| fields.fields.as_str());
        let of_span: Map<String, Value> =
            formatted.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        fields.extend(of_span);
    }
    fields
}

/// Folder and file, the format of `caller` in Flagger's log.
fn short(file: &str) -> String {
    let mut parts: Vec<&str> = file.rsplit('/').take(2).collect();
    parts.reverse();
    parts.join("/")
}

fn level(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: Map<String, Value>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing into a String cannot fail.
            let _written = write!(self.message, "{value:?}");
        } else {
            self.rest.insert(field.name().to_owned(), format!("{value:?}").into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.rest.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.rest.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.rest.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.rest.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    /// Log lines that are kept.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[track_caller]
    fn check(log: impl FnOnce(), expect: &str) {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .fmt_fields(JsonFields::new())
            .event_format(Json { shortened: |text| text })
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let (head, rest) = text.split_once(r#""msg":"#).unwrap();
        assert!(head.starts_with(r#"{"level":"#), "{text}");
        assert_eq!(rest.trim_end(), expect);
    }

    #[test]
    fn the_level_of_the_flag_is_that_of_our_crates_alone() {
        let (ours, other) = ("vexil_kube::watch", "hyper::client");
        for (flag, target, level, expect) in [
            ("info", ours, Level::INFO, true),
            ("info", ours, Level::DEBUG, false),
            ("debug", ours, Level::DEBUG, true),
            ("debug", other, Level::INFO, false),
            ("debug", other, Level::WARN, true),
            ("error", ours, Level::WARN, false),
            ("panic", ours, Level::ERROR, true),
            ("error", other, Level::WARN, true),
            ("warning", "vexil", Level::INFO, true),
        ] {
            assert_eq!(
                filter(flag, &["vexil"]).would_enable(target, &level),
                expect,
                "{flag} {target} {level}"
            );
        }
    }

    #[test]
    fn a_line_has_the_fields_of_its_spans_and_its_own_win() {
        check(|| tracing::info!("plain"), r#""plain"}"#);
        check(|| tracing::info!(weight = 5, "step"), r#""step","weight":5}"#);
        check(
            || {
                let span = tracing::error_span!("canary", canary = "a.test", phase = tracing::field::Empty);
                span.record("phase", "Progressing");
                span.in_scope(|| tracing::warn!(weight = 5, "step"));
            },
            r#""step","canary":"a.test","phase":"Progressing","weight":5}"#,
        );
        check(
            || {
                let outer = tracing::error_span!("canary", phase = "Waiting", canary = "a.test");
                let inner = tracing::error_span!("hook", phase = "Failed");
                outer.in_scope(|| inner.in_scope(|| tracing::warn!(canary = "b.test", "step")));
            },
            r#""step","canary":"b.test","phase":"Failed"}"#,
        );
    }
}
