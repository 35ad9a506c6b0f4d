//! A rollout under faults, compared with the same rollout without any: the same end, the same states of every object in
//! the same order, each Event once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use super::{KillSwitch, Stage};

const NAME: &str = "podinfo";

/// A rollout: what the metric server says of it, and how it ends. Not measured from the traffic, so that every run of
/// it has the same Events.
#[derive(Clone, Copy, Debug)]
pub struct Rollout {
    pub success_percent: f64,
    pub end: &'static str,
}

pub const PROMOTION: Rollout = Rollout { success_percent: 100.0, end: "Succeeded" };
pub const ROLLBACK: Rollout = Rollout { success_percent: 50.0, end: "Failed" };

/// What is compared.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub events: BTreeMap<String, usize>,
    pub courses: BTreeMap<String, Vec<String>>,
    pub status: Value,
}

/// What came of a run.
pub struct Run {
    pub outcome: Outcome,
    /// Events about kinds that could not be read for a while, with their number.
    pub unread: BTreeMap<String, usize>,
    /// Writes of the first operator.
    pub writes: u32,
    /// Those of the initialisation.
    pub first_writes: u32,
    pub text: String,
}

impl Rollout {
    /// Goes through the rollout, from a new cluster to its end. `trouble` is arranged before the operator starts.
    pub async fn go(self, kill_switch: Arc<KillSwitch>, trouble: impl FnOnce(&mut Stage)) -> Run {
        let mut stage = Stage::open().await;
        stage.answer_success(self.success_percent);
        stage.replicas = 1;
        trouble(&mut stage);
        stage.start_on(kill_switch);
        let first = Arc::clone(&stage.kill_switch);
        stage.apply(NAME, &[&json!({"spec": {"analysis": {"threshold": 2}}})]).await;
        stage.until_phase(NAME, "Initialized").await;
        let first_writes = first.writes();
        let load = Load::of_site("podinfo.example.com").per_second(2).lasting(Duration::from_secs(3_600));
        let load = stage.cluster.load(load);
        stage.pass(1.0).await;
        stage.push(NAME, "6.0.1").await;
        stage.until_phase(NAME, self.end).await;
        stage.pass(15.0).await;
        stage.check_laws(NAME);
        let tally = load.tally();
        let story = stage.story(NAME);
        let text = story.text();
        assert_eq!((tally.errors(), tally.skipped), (0, 0), "{tally:?}\n{text}");
        let (unread, events) =
            story.events.into_iter().partition(|(text, _)| text.contains(" cannot be watched: "));
        let outcome = Outcome {
            events,
            courses: story.courses,
            status: memorable(&stage.canary(NAME).await["status"]),
        };
        Run { outcome, unread, writes: first.writes(), first_writes, text }
    }

    /// Goes through the rollout with trouble and compares it with `clean`. Every kind can be read all the time.
    pub async fn check(
        self,
        what: &str,
        clean: &Outcome,
        kill_switch: Arc<KillSwitch>,
        trouble: impl FnOnce(&mut Stage),
    ) {
        let run = self.compare(what, clean, kill_switch, trouble).await;
        assert_eq!(run.unread, BTreeMap::new(), "{what}\n{}", run.text);
    }

    /// The same with trouble that keeps kinds from being read. Each is reported at most once, and nothing else changes.
    pub async fn check_reads(self, what: &str, clean: &Outcome, trouble: impl FnOnce(&mut Stage)) {
        let run = self.compare(what, clean, KillSwitch::new(None), trouble).await;
        assert!(run.unread.values().all(|times| *times == 1), "{what}: {:?}\n{}", run.unread, run.text);
    }

    async fn compare(
        self,
        what: &str,
        clean: &Outcome,
        kill_switch: Arc<KillSwitch>,
        trouble: impl FnOnce(&mut Stage),
    ) -> Run {
        let run = self.go(kill_switch, trouble).await;
        for (object, course) in &clean.courses {
            assert_eq!(run.outcome.courses.get(object), Some(course), "{what}: {object}\n{}", run.text);
        }
        assert_eq!(run.outcome.events, clean.events, "{what}\n{}", run.text);
        assert_eq!(run.outcome, *clean, "{what}\n{}", run.text);
        run
    }
}

/// What of a status does not depend on when things happened.
fn memorable(status: &Value) -> Value {
    let fields = [
        "phase",
        "canaryWeight",
        "iterations",
        "failedChecks",
        "lastAppliedSpec",
        "lastPromotedSpec",
        "primarySpec",
        "run",
        "ending",
        "drainUntil",
        "postRollout",
        "wait",
        "withheldWeight",
    ];
    let mut kept: Value = fields
        .iter()
        .map(|field| ((*field).to_owned(), status[*field].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    kept["undelivered"] = status.pointer("/outbox/entries").cloned().unwrap_or_default();
    kept
}
