//! A notice: what happened, for people. Events, webhooks, alerts and log lines are all made from one notice, so their
//! words never differ.

use crate::{Millis, Phase};

/// Something that happened and that people want to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Notice {
    /// Type of the Kubernetes Event.
    pub event_type: EventType,
    /// Level of the log line.
    pub level: Level,
    /// The text ([`crate::Message`]), of at most [`crate::limits::MAX_TEXT_BYTES`].
    pub message: String,
    /// The phase that webhooks and alerts report.
    pub phase: Phase,
    /// When it happened.
    pub time: Millis,
    /// The alert that goes with it.
    pub alert: Option<Alert>,
}

/// Type of a Kubernetes Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum EventType {
    /// An ordinary event.
    Normal,
    /// Something failed, or needs attention.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Level {
    /// An ordinary line.
    Info,
    /// An error of the operator or of a server that it depends on, not of the canary.
    Error,
}

/// A message for alert receivers, such as a chat.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Alert {
    /// How bad it is.
    pub severity: AlertSeverity,
    /// Its own text.
    pub message: String,
    /// Whether it lists target, threshold, deadline and how traffic is shifted.
    pub details: bool,
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AlertSeverity {
    /// For the record.
    Info,
    /// A decision of a user is awaited.
    Warn,
    /// A rollout failed.
    Error,
}
