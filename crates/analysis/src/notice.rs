//! What is told to people: Events, webhooks, alerts and log lines are all rendered from one notice, so their words
//! never differ.

use crate::{Millis, Phase};

/// Something that happened and that people want to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Notice {
    /// Type of the Kubernetes Event.
    pub event_type: EventType,
    /// Level of the log line.
    pub level: Level,
    /// The text, from `analysis.md` 14.1.
    pub message: String,
    /// Phase that receivers are told.
    pub phase: Phase,
    /// When it happened.
    pub time: Millis,
    /// The alert that goes with it.
    pub alert: Option<Alert>,
}

/// Type of a Kubernetes Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}

impl EventType {
    /// The word that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// Level of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// An ordinary line.
    Info,
    /// A line that tells of our own trouble, not the canary's.
    Error,
}

/// A message for the chat (`analysis.md` 14.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// How bad it is.
    pub severity: AlertSeverity,
    /// Its own text.
    pub message: String,
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertSeverity {
    /// For the record.
    Info,
    /// Somebody is waited for.
    Warn,
    /// A rollout failed.
    Error,
}
