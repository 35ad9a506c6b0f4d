//! What `/metrics` tells: a background task's result is nowhere else but in the log.

use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

use crate::kinds::{Kind, Kinds};

/// The metrics of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: std::sync::Arc<Registry>,
    started: Family<Typed, Counter>,
    ended: Family<Ended, Counter>,
    running: Family<Typed, Gauge>,
    seconds: Family<Typed, Histogram, fn() -> Histogram>,
    refused: Family<Refused, Counter>,
    gates: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Typed {
    task_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    task_type: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

/// Why a task was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The call is not understood, or asks for what is switched off.
    Invalid,
    /// The namespace may not ask.
    Forbidden,
    /// The same task is running.
    AlreadyRunning,
    /// Too many tasks are running.
    TooMany,
}

impl Refusal {
    fn label(self) -> &'static str {
        match self {
            Refusal::Invalid => "invalid",
            Refusal::Forbidden => "forbidden",
            Refusal::AlreadyRunning => "already_running",
            Refusal::TooMany => "too_many",
        }
    }
}

/// How a task ended, as labels have it.
pub const RESULTS: [&str; 4] = ["succeeded", "failed", "timed_out", "cancelled"];

fn histogram() -> Histogram {
    Histogram::new([0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0])
}

impl Metrics {
    /// Every series of the types that are on is there from the start, at zero.
    pub fn new(kinds: &Kinds) -> Self {
        let mut registry = Registry::with_prefix("vexil_loadtester");
        let (started, ended) = (Family::<Typed, Counter>::default(), Family::<Ended, Counter>::default());
        let (running, gates) = (Family::<Typed, Gauge>::default(), Gauge::default());
        let seconds = Family::<Typed, Histogram, fn() -> Histogram>::new_with_constructor(histogram);
        let refused = Family::<Refused, Counter>::default();
        registry.register("build", "This program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("tasks_started", "Tasks that were started", started.clone());
        registry.register("tasks_ended", "Tasks that ended, and how", ended.clone());
        registry.register("tasks_running", "Tasks that run, with what they left running", running.clone());
        registry.register("task_seconds", "From a task's start to its result", seconds.clone());
        registry.register("tasks_refused", "Calls that started no task, and why", refused.clone());
        registry.register("gates_open", "Gates that are open", gates.clone());
        for task_type in kinds.iter().map(|kind| kind.name) {
            let labels = Typed { task_type };
            drop((
                started.get_or_create(&labels),
                running.get_or_create(&labels),
                seconds.get_or_create(&labels),
            ));
            RESULTS.iter().for_each(|result| drop(ended.get_or_create(&Ended { task_type, result })));
        }
        for reason in [Refusal::Invalid, Refusal::Forbidden, Refusal::AlreadyRunning, Refusal::TooMany] {
            drop(refused.get_or_create(&Refused { reason: reason.label() }));
        }
        Metrics { registry: std::sync::Arc::new(registry), started, ended, running, seconds, refused, gates }
    }

    /// A task was started.
    pub fn started(&self, kind: &Kind) {
        self.started.get_or_create(&Typed { task_type: kind.name }).inc();
    }

    /// A task has a place; it counts as running until what this gives is dropped.
    pub fn begin(&self, kind: &Kind) -> Underway {
        let labels = Typed { task_type: kind.name };
        let running = self.running.get_or_create_owned(&labels);
        running.inc();
        Underway(running)
    }

    /// The result of a task is known.
    pub fn ended(&self, kind: &Kind, result: &'static str, after: Duration) {
        self.ended.get_or_create(&Ended { task_type: kind.name, result }).inc();
        self.seconds.get_or_create(&Typed { task_type: kind.name }).observe(after.as_secs_f64());
    }

    /// A call started nothing.
    pub fn refused(&self, why: Refusal) {
        self.refused.get_or_create(&Refused { reason: why.label() }).inc();
    }

    /// So many gates are open.
    pub fn gates(&self, open: usize) {
        self.gates.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// In the format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _written = encode(&mut text, &self.registry);
        text
    }
}

/// A task that runs.
#[derive(Debug)]
pub struct Underway(Gauge);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_metric() {
        let page = include_str!("../../../docs/loadtester.md");
        let text = Metrics::new(&Kinds::parse("all").unwrap()).text();
        let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        for (name, kind) in families.filter_map(|family| family.split_once(' ')) {
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            assert!(page.contains(&format!("| `{name}{suffix}` |")), "{name}");
        }
        assert!(RESULTS.iter().all(|result| page.contains(&format!("`{result}`"))));
    }
}
