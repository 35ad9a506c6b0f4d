//! What broke a law.

use std::fmt;

use super::record::Ms;

/// The laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// A request is answered by a version while a vetted side is ready.
    Answered,
    /// What clients use leads to ready pods while there are any.
    LeadsToPods,
    /// What no check has passed gets no more traffic than the plan allows.
    Weights,
    /// Every wait of more than 5 s has an Event.
    WaitsAreTold,
    /// A good revision ends as Succeeded, and all is as if nothing had happened.
    Ends,
    /// Nothing grows without bound, nothing is asked at rest.
    Bounded,
    /// No Event is lost or told again.
    Events,
    /// The operator never panics.
    Panic,
    /// A suspended Canary is left alone.
    Suspended,
    /// A closed gate lets nothing through and costs no requests.
    Gates,
    /// Every alert is received, and repeated at most once for each crash.
    Alerts,
    /// The primary's copies of configuration are what was promoted.
    Configs,
    /// With session affinity a client of the canary stays there.
    Sessions,
    /// Drift of a route is reported only if another writer has edited the route.
    Drift,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Law::Answered => "1 answered",
            Law::LeadsToPods => "2 leads to pods",
            Law::Weights => "3 weights",
            Law::WaitsAreTold => "4 waits are told",
            Law::Ends => "5 ends",
            Law::Bounded => "6 bounded",
            Law::Events => "7 events",
            Law::Panic => "8 panic",
            Law::Suspended => "9 suspended",
            Law::Gates => "10 gates",
            Law::Alerts => "11 alerts",
            Law::Configs => "12 configuration",
            Law::Sessions => "13 sessions",
            Law::Drift => "14 drift",
        })
    }
}

/// One broken law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub law: Law,
    /// When, in milliseconds of the case.
    pub at: Ms,
    /// What was seen.
    pub text: String,
}

impl Finding {
    /// A finding.
    pub fn new(law: Law, at: Ms, text: impl Into<String>) -> Self {
        Finding { law, at, text: text.into() }
    }
}
