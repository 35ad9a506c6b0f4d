//! What was observed and answered: everything that a decision depends on beside plan and memory.

use std::collections::BTreeMap;

use crate::{Millis, Observed, Pending, Phase, Receiver, Waiting};

/// Everything one decision may depend on that is neither the user's wish nor remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The time.
    pub now: Millis,
    /// Whether the next step of the analysis is due ([`Facts::is_due`]).
    pub due: bool,
    /// Whether the cluster matches the memory.
    pub convergence: Convergence,
    /// What was seen.
    pub seen: Observed,
    /// [`crate::Transition::waiting`] of the decision before, in this process; the default after a start.
    pub waiting: Waiting,
    /// The routes were in sync and have been changed by someone else since: what they said.
    pub drift: Option<String>,
    /// What the user should know of the cluster, although nothing waits for it: each is reported once. One that is
    /// missing here is not forgotten.
    pub warnings: Vec<String>,
    /// Notices that have been delivered: number and receiver.
    pub delivered: Vec<(u64, Receiver)>,
    /// Answers to the questions of this reconcile.
    pub answers: BTreeMap<Question, Answer>,
}

impl Facts {
    /// Whether a step is due at `now`: an interval after the last one, at once when there was none.
    pub fn is_due(last_step: Option<Millis>, interval_ms: u64, now: Millis) -> bool {
        last_step.is_none_or(|last| now >= last.plus(interval_ms))
    }
}

/// Whether the cluster matches the memory, as [`crate::next_effect`] left it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Convergence {
    /// It does.
    Settled,
    /// Not yet, and nothing can be done now.
    Pending(Pending),
    /// An effect was refused.
    Blocked {
        /// The error, as people should read it.
        error: String,
        /// Since when, in this process.
        since: Millis,
    },
    /// Not observed yet.
    #[default]
    NotKnown,
}

/// A question whose answer a decision needs. Each is asked at most once in a reconcile.
///
/// Hooks and checks are identified by name: after an edit that adds, removes or reorders them, a question still has the
/// answer of the one that it was asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// What does the webhook with this [`crate::Hook::id`] answer, called with this phase?
    Hook(String, Phase),
    /// What does the metric check of this name among [`crate::Plan::checks`] say?
    Check(String),
    /// Can all metric providers be reached?
    Providers,
    /// What keeps the pods of this side from being ready?
    Pods(Side),
}

/// One of the two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The generated copy, which carries the traffic between rollouts.
    Primary,
    /// The user's target, which runs the new revision while it is analysed.
    Canary,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Yes; nothing is wrong.
    Passed,
    /// No; the text is part of the message, or all of it for metric checks.
    Failed(String),
    /// There was no answer. Inconclusive about the canary, but the step fails all the same.
    Unavailable(String),
}
