//! What a case is made of: the user's deeds, the cluster's accidents, and waits, in order.

use serde_json::Value;
use vexil_testbed_apiserver::FaultAction;

use super::{features::Features, place::Place};

/// One run: a script on a place, whose operator may be cut off or answered wrongly on the way.
#[derive(Clone, Debug)]
pub struct Case {
    /// `edits`, `crashes`, `faults` or `seeds`.
    pub mode: &'static str,
    /// Its number in its mode: what `--seed` takes.
    pub number: u64,
    /// What it is about, in a line.
    pub title: String,
    /// Where it is played.
    pub place: &'static Place,
    /// What the Canary has besides.
    pub features: Features,
    /// What is done.
    pub steps: Vec<Step>,
    /// The write after which the operator is killed, counted from 1.
    pub cut_after: Option<u32>,
    /// What befalls one request of the operator: which, counted from 0, and what.
    pub harm: Option<(Which, u32, FaultAction)>,
}

/// Which requests of the operator are harmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that change something.
    Writes,
    /// Those that list.
    Reads,
    /// Those that read a single object.
    Gets,
    /// Watches.
    Watches,
}

/// One thing that is done, or waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The Canary is applied, with its target.
    Apply,
    /// Waits until the Canary is there.
    Until(Moment),
    /// Waits so many milliseconds.
    Pass(u64),
    /// The annotation by which the Canary names its mesh says this, or is removed.
    Annotate(Option<&'static str>),
    /// The configuration of the target becomes another one.
    Config(&'static str),
    /// Another image for the target.
    Push(&'static str),
    /// The spec of the Canary becomes another one.
    Edit(String, Value),
    /// It becomes what it was at first.
    EditBack,
    /// The Canary is deleted.
    DeleteCanary,
    /// It is applied again as it was at first.
    ApplyCanary,
    /// All pods of an application (label `app`) crash; those of one version, where one is named.
    Crash(String, &'static str),
    /// The same again and again, for so many milliseconds.
    KeepDown(String, &'static str, u64),
    /// A Deployment gets so many replicas, as from its scaler.
    Scale(String, u32),
    /// The target is deleted.
    DeleteTarget,
    /// It is there again, with this tag.
    MakeTarget(&'static str),
    /// The weights of the route are turned round by hand.
    EditRoute,
    /// A Service is deleted.
    DeleteService(String),
    /// A hook of this name answers this status from now on; 0 is no answer.
    Hook(&'static str, u16),
    /// The operator dies.
    Kill,
    /// It is started.
    Start,
    /// The clock of its machine jumps by so many milliseconds; the next operator reads it.
    Jump(i64),
    /// The next requests of the operator, so many, are answered like this.
    Harm(Which, u32, FaultAction),
    /// All watches end.
    DropWatches,
    /// The history is forgotten and all watches end.
    Compact,
    /// What Flagger left of a Canary: status and objects, as after an initialisation, without our own fields.
    AsFlagger,
}

/// A moment in the life of a Canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// In this phase.
    Phase(&'static str),
    /// At least this share of the analysis is done: first step, second step.
    Step(u64),
    /// Traffic is back, the canary's pods wait for their last requests.
    Draining,
    /// In a phase that ends a rollout, with nothing left to do.
    Rest,
    /// Deleted, and kept by nothing.
    Gone,
}

/// What versions are called whose pods crash when they get traffic.
pub const FRAGILE: &str = "fragile";

/// Whether a version is one that shall never be promoted.
pub fn is_bad(tag: &str) -> bool {
    ["bad", "broken", "crash", "missing", FRAGILE].iter().any(|bad| tag.starts_with(bad))
}

/// Whether the steps let revisions through without analysis, at any time.
pub fn skips(case: &Case) -> bool {
    case.steps.iter().any(|step| match step {
        Step::Edit(_, spec) => spec.get("skipAnalysis").is_some_and(|skip| skip == true),
        _ => false,
    })
}
