//! Effective values of the spec's fields: the defaults of absent ones, limits of the others. They are Flagger's.

use super::{Alert, AlertSeverity, Analysis, CanarySpec, Metric, SessionAffinity};
use crate::{DurationError, parse_duration_ms};

/// Default of `analysis.interval`.
const DEFAULT_INTERVAL_MS: u64 = 60_000;

/// Default of `progressDeadlineSeconds`.
const DEFAULT_DEADLINE_S: u64 = 600;

impl CanarySpec {
    /// `analysis`, else `canaryAnalysis`.
    pub fn analysis(&self) -> Option<&Analysis> {
        self.analysis.as_ref().or(self.canary_analysis.as_ref())
    }

    /// The name of the field that [`CanarySpec::analysis`] was read from.
    pub fn analysis_field(&self) -> &'static str {
        if self.analysis.is_none() && self.canary_analysis.is_some() { "canaryAnalysis" } else { "analysis" }
    }

    /// The provider, if the Canary names one.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref().filter(|p| !p.is_empty())
    }

    /// Name of the apex Service: `service.name`, else the target's.
    pub fn apex_name(&self) -> &str {
        self.service.name.as_deref().filter(|n| !n.is_empty()).unwrap_or(&self.target_ref.name)
    }

    /// Name of the primary workload.
    pub fn primary_name(&self) -> String {
        format!("{}-primary", self.target_ref.name)
    }

    /// Maximum time for a workload to become ready, in milliseconds. A deadline that is not positive counts as absent.
    pub fn progress_deadline_ms(&self) -> u64 {
        let seconds = self.progress_deadline_seconds.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0);
        seconds.unwrap_or(DEFAULT_DEADLINE_S).saturating_mul(1_000)
    }

    /// Whether a new revision is promoted without analysis. True if there is no analysis at all.
    pub fn skip_analysis(&self) -> bool {
        self.skip_analysis.unwrap_or(false) || self.analysis().is_none()
    }

    /// Whether the Canary is suspended.
    pub fn suspend(&self) -> bool {
        self.suspend.unwrap_or(false)
    }

    /// Whether the target is scaled up again when the Canary is deleted.
    pub fn revert_on_deletion(&self) -> bool {
        self.revert_on_deletion.unwrap_or(false)
    }
}

impl Analysis {
    /// Time between two steps, in milliseconds: a minute if absent or invalid, never less than `min_ms` (10 s, or
    /// the operator's flag).
    pub fn interval_ms(&self, min_ms: u64) -> u64 {
        let written = self.interval.as_deref().map(parse_duration_ms);
        written.and_then(Result::ok).unwrap_or(DEFAULT_INTERVAL_MS).max(min_ms)
    }

    /// Number of failed checks after which the rollout is rolled back, at least 1.
    pub fn threshold(&self) -> u32 {
        positive(self.threshold).unwrap_or(1)
    }

    /// Highest canary weight, in percent: the last of `stepWeights`, else `maxWeight`, else 100.
    pub fn max_weight(&self) -> u32 {
        match self.step_weights.last() {
            Some(last) => percent(*last),
            None => positive(self.max_weight).unwrap_or(100).min(100),
        }
    }

    /// Weight added by each step, in percent; 0 if unset.
    pub fn step_weight(&self) -> u32 {
        positive(self.step_weight).unwrap_or(0)
    }

    /// Weight moved back by each step of the promotion, in percent; 0 moves all at once.
    pub fn step_weight_promotion(&self) -> u32 {
        positive(self.step_weight_promotion).unwrap_or(0)
    }

    /// Number of analysis steps (A/B testing, Blue/Green); 0 if unset.
    pub fn iterations(&self) -> u32 {
        positive(self.iterations).unwrap_or(0)
    }

    /// Whether requests are mirrored to the canary before traffic is shifted.
    pub fn mirror(&self) -> bool {
        self.mirror.unwrap_or(false)
    }

    /// Share of the primary's pods that must be ready, in percent; 100 when absent.
    pub fn primary_ready_threshold(&self) -> u32 {
        self.primary_ready_threshold.map_or(100, percent)
    }

    /// Share of the canary's pods that must be ready, in percent; 100 when absent.
    pub fn canary_ready_threshold(&self) -> u32 {
        self.canary_ready_threshold.map_or(100, percent)
    }
}

impl Metric {
    /// The window of the query as written. If absent: empty with a `templateRef`, else `1m`.
    pub fn interval(&self) -> &str {
        let default = if self.template_ref.is_some() { "" } else { "1m" };
        self.interval.as_deref().filter(|i| !i.is_empty()).unwrap_or(default)
    }

    /// The window of the query, in milliseconds.
    ///
    /// # Errors
    /// If the text is not a duration.
    pub fn interval_ms(&self) -> Result<u64, DurationError> {
        match self.interval() {
            "" => Ok(60_000),
            text => parse_duration_ms(text),
        }
    }
}

impl Alert {
    /// Lowest severity that is sent: `info` if absent or empty.
    pub fn severity(&self) -> AlertSeverity {
        match &self.severity {
            Some(written @ (AlertSeverity::Warn | AlertSeverity::Error)) => written.clone(),
            _ => AlertSeverity::Info,
        }
    }
}

impl SessionAffinity {
    /// Lifetime of the canary's cookie in seconds: 86400 if absent or 0.
    pub fn max_age_s(&self) -> i64 {
        self.max_age.filter(|age| *age != 0).unwrap_or(86_400)
    }
}

/// A positive number; others count as absent.
fn positive(number: Option<i64>) -> Option<u32> {
    number.filter(|n| *n > 0).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// A number limited to 0..=100.
fn percent(number: i64) -> u32 {
    u32::try_from(number.clamp(0, 100)).unwrap_or(0)
}
