//! Values that the engine shares with routers, workloads, metrics and hooks.

use std::fmt;

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Millis(pub u64);

impl Millis {
    /// This time plus a span in milliseconds.
    pub const fn plus(self, span_ms: u64) -> Self {
        Millis(self.0.saturating_add(span_ms))
    }

    /// Milliseconds since `earlier`; zero when that lies in the future.
    pub const fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The second in which it lies, which is all that a time of Kubernetes holds.
    pub const fn whole_second(self) -> Self {
        Millis(self.0 - self.0 % 1_000)
    }
}

/// A share of the traffic in percent, 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "i64", into = "i64")
)]
pub struct Weight(u8);

/// A number that is no percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("weight {0} is not between 0 and 100")]
pub struct WeightError(pub i64);

impl Weight {
    /// No traffic.
    pub const ZERO: Weight = Weight(0);
    /// All traffic.
    pub const FULL: Weight = Weight(100);

    /// A weight from a number.
    ///
    /// # Errors
    /// When it is not between 0 and 100.
    pub fn new(percent: i64) -> Result<Self, WeightError> {
        u8::try_from(percent).ok().filter(|p| *p <= 100).map(Weight).ok_or(WeightError(percent))
    }

    /// A weight from a number, cut to the range 0 to 100.
    pub const fn clamped(percent: u32) -> Self {
        if percent > 100 { Weight(100) } else { Weight(percent as u8) }
    }

    /// The percentage.
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// What is left for the other side.
    pub const fn rest(self) -> Self {
        Weight(100 - self.0)
    }

    /// Whether no traffic goes there.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<i64> for Weight {
    type Error = WeightError;

    fn try_from(percent: i64) -> Result<Self, WeightError> {
        Weight::new(percent)
    }
}

impl From<Weight> for i64 {
    fn from(weight: Weight) -> i64 {
        i64::from(weight.0)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the requests to one apex go: what the engine asks of a router, and what a router reads from the live route.
/// One variant for each way to expose a canary; settings that a user writes (matches, cookies) stay outside of the
/// engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Routes {
    /// A share of all requests goes to the canary, the rest to the primary.
    Weighted {
        /// The canary's share.
        canary: Weight,
    },
    /// A/B testing: requests that match the user's conditions go to the canary, all others to the primary.
    Matched,
    /// All requests go to the primary, and a copy of some to the canary, whose responses are discarded.
    Mirrored {
        /// The share of the requests that is copied.
        percent: Weight,
    },
    /// As weighted, and a client that has reached the canary once stays there (session affinity).
    Sticky {
        /// The canary's share of the clients that have no session yet.
        canary: Weight,
    },
}

impl Routes {
    /// All traffic to the primary.
    pub const PRIMARY: Routes = Routes::split(Weight::ZERO);

    /// `canary` percent to the canary, the rest to the primary.
    pub const fn split(canary: Weight) -> Self {
        Routes::Weighted { canary }
    }

    /// The primary's share. Together with [`Routes::canary`] it is always 100.
    pub const fn primary(&self) -> Weight {
        self.canary().rest()
    }

    /// Whether some requests go to the primary: fewer than all go to the canary, or only those that match.
    pub const fn need_primary(&self) -> bool {
        matches!(self, Routes::Matched) || self.canary().percent() < Weight::FULL.percent()
    }

    /// The largest share of the requests whose responses may come from the canary: 100 while requests that match go
    /// there, since any request may match; 0 for copies, whose responses no client gets.
    pub const fn canary(&self) -> Weight {
        match self {
            Routes::Weighted { canary } | Routes::Sticky { canary } => *canary,
            Routes::Matched => Weight::FULL,
            Routes::Mirrored { .. } => Weight::ZERO,
        }
    }
}

/// The digest of what a workload runs. Opaque: only equality means something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Revision(String);

impl Revision {
    /// Wraps a digest.
    pub fn new(digest: impl Into<String>) -> Self {
        Revision(digest.into())
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a workload's pods are as wanted. The texts are Flagger's, so that Events and alerts read the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// Rolled out, and enough pods are available.
    Ready,
    /// Not yet, but its deadline has not passed. The text is complete, with the name of the workload.
    Waiting(String),
    /// Past its deadline. The text is complete, with the name of the workload.
    Failed(String),
}

/// What came of one metric check. The message is the text of the event, composed where the thresholds are known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Within its bounds.
    Pass,
    /// Outside its bounds, or no value: a failed check.
    Fail(String),
    /// The query, its template or its secret could not be read. Counts as a failed check, and is logged as an error of
    /// the metric server, not of the canary.
    Unavailable(String),
}
