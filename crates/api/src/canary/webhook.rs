//! Calls to the user's own services during a rollout.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::{DurationError, number, parse_duration_ms};

/// One webhook (`operator.md` 8.3, `analysis.md` section 11).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// Its name in events.
    pub name: String,
    /// When it is called, as written. Read it through [`Webhook::hook_type`].
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub type_: Option<HookType>,
    /// Where it is sent.
    pub url: String,
    /// How long an answer may take; 10 s when absent. See [`Webhook::timeout_ms`].
    pub timeout: Option<String>,
    /// Tries after the first; none when absent.
    #[serde(deserialize_with = "number::int")]
    pub retries: Option<i64>,
    /// Accept any certificate.
    #[serde(rename = "disableTLS")]
    pub disable_tls: Option<bool>,
    /// Send no alert about this hook.
    pub mute_alert: Option<bool>,
    /// Sent along.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Webhook {
    /// When it is called; absent and empty mean [`HookType::Rollout`].
    pub fn hook_type(&self) -> HookType {
        match &self.type_ {
            None => HookType::Rollout,
            Some(HookType::Other(text)) if text.is_empty() => HookType::Rollout,
            Some(written) => written.clone(),
        }
    }

    /// How long an answer may take, in milliseconds: 10 s when the text is shorter than two characters
    /// (`analysis.md` section 2).
    ///
    /// # Errors
    /// When the text is no duration.
    pub fn timeout_ms(&self) -> Result<u64, DurationError> {
        match self.timeout.as_deref() {
            Some(text) if text.len() >= 2 => parse_duration_ms(text),
            _ => Ok(10_000),
        }
    }

    /// Tries after the first one.
    pub fn retries(&self) -> u32 {
        self.retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    }

    /// Whether any certificate is accepted.
    pub fn disable_tls(&self) -> bool {
        self.disable_tls.unwrap_or(false)
    }

    /// Whether alerts about this hook are kept back.
    pub fn mute_alert(&self) -> bool {
        self.mute_alert.unwrap_or(false)
    }
}

/// When a webhook is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookType {
    /// Before the target is scaled up; the rollout waits until it says yes.
    ConfirmRollout,
    /// Before the first weight.
    PreRollout,
    /// In each analysis step.
    #[default]
    Rollout,
    /// Before each increase of the weight; the rollout waits until it says yes.
    ConfirmTrafficIncrease,
    /// Before the promotion; the rollout waits until it says yes.
    ConfirmPromotion,
    /// After the end, good or bad.
    PostRollout,
    /// In each step; yes means roll back.
    Rollback,
    /// With each event.
    Event,
    /// A text that is none of these, as written. Empty means `rollout`, all others are defects.
    #[serde(untagged)]
    Other(String),
}

impl HookType {
    /// All types there are, in the order of a rollout.
    pub const ALL: [HookType; 8] = [
        HookType::ConfirmRollout,
        HookType::PreRollout,
        HookType::Rollout,
        HookType::ConfirmTrafficIncrease,
        HookType::ConfirmPromotion,
        HookType::PostRollout,
        HookType::Rollback,
        HookType::Event,
    ];

    /// The text users write.
    pub fn as_str(&self) -> &str {
        match self {
            HookType::ConfirmRollout => "confirm-rollout",
            HookType::PreRollout => "pre-rollout",
            HookType::Rollout => "rollout",
            HookType::ConfirmTrafficIncrease => "confirm-traffic-increase",
            HookType::ConfirmPromotion => "confirm-promotion",
            HookType::PostRollout => "post-rollout",
            HookType::Rollback => "rollback",
            HookType::Event => "event",
            HookType::Other(text) => text,
        }
    }
}

impl std::fmt::Display for HookType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
