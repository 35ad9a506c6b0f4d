//! What must hold in every scene at every moment, whatever the scene is about.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    api::{CANARIES, DAEMON_SETS, DEPLOYMENTS, EVENTS},
    cast::Cast,
    recorder::{Moment, text},
    route::AtZero,
    story::replicas,
};

/// Watches report a little later than things happen.
const TOLERANCE: Duration = Duration::from_millis(300);

/// The pace that a scene asked for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Shortest time between two steps, and of a drain.
    pub interval: Duration,
}

/// Every law that these moments break.
pub fn broken(cast: &Cast, moments: &[Moment], pace: Pace) -> Vec<String> {
    let mut walk = Walk {
        cast,
        pace,
        broken: Vec::new(),
        target: None,
        ready: 0,
        share: 0,
        weight: 0,
        reset: None,
        drain_until: None,
        raised: None,
    };
    for moment in moments.iter().filter(|moment| !moment.gone) {
        match moment.of {
            DEPLOYMENTS | DAEMON_SETS if moment.name() == cast.target => walk.target(moment),
            CANARIES => walk.status(moment),
            _ if cast.is_route(moment.of, moment.name()) => walk.route(moment),
            _ => {}
        }
    }
    walk.broken.extend(repeated(moments));
    walk.broken
}

struct Walk<'a> {
    cast: &'a Cast,
    pace: Pace,
    broken: Vec<String>,
    /// Pods that the target is to have; `None` if it is a Service, which has none of its own.
    target: Option<u64>,
    ready: u64,
    share: i64,
    weight: i64,
    reset: Option<Instant>,
    /// The end of the drain as the operator stored it, in milliseconds since 1970.
    drain_until: Option<u64>,
    raised: Option<(Instant, Option<u64>)>,
}

impl Walk<'_> {
    fn target(&mut self, moment: &Moment) {
        let number = |at: &str| moment.object.pointer(at).and_then(Value::as_u64);
        let replicas = replicas(&moment.object);
        self.ready = number("/status/readyReplicas").or_else(|| number("/status/numberReady")).unwrap_or(0);
        if replicas == 0 && self.target > Some(0) {
            if self.share > 0 {
                self.broken
                    .push(format!("the target was scaled to zero with {}% of the traffic", self.share));
            }
            // A watch may be late on a busy machine: a drain that looks short counts only if the operator did not
            // store an end of it, or did not wait for it.
            if let Some(reset) = self.reset.filter(|_| self.drain_until.is_none_or(|end| moment.ms < end)) {
                self.lasted("the drain before the scale-down", reset, moment.at);
            }
        }
        self.target = Some(replicas);
    }

    fn route(&mut self, moment: &Moment) {
        let entry = self.cast.share(&moment.object);
        let share = entry.unwrap_or(0);
        match self.cast.system.route.as_ref().map(|kind| kind.at_zero) {
            Some(AtZero::LeftOut) if entry == Some(0) => {
                self.broken.push("the route lists the canary at weight 0".to_owned());
            }
            Some(AtZero::Listed) if entry.is_none() => {
                self.broken.push("the route does not list the canary".to_owned());
            }
            _ => {}
        }
        for list in self.cast.lists(&moment.object) {
            let sum: i64 = list.iter().filter_map(|entry| entry.weight).sum();
            if sum != 100 {
                self.broken.push(format!("the weights of the route sum up to {sum}"));
            }
        }
        let empty = self.target.is_some_and(|replicas| replicas == 0 || self.ready == 0);
        if share > self.share && empty {
            self.broken.push(format!("{share}% of the traffic went to a canary without a ready pod"));
        }
        if share > 0 {
            (self.reset, self.drain_until) = (None, None);
        } else if self.reset.is_none() {
            self.reset = Some(moment.at);
        }
        self.share = share;
    }

    /// Steps are paced by the status, which survives a crash; the route may follow a moment later. A watch may be late
    /// on a busy machine, so steps that came close together count only if their own times are close too.
    fn status(&mut self, moment: &Moment) {
        self.drain_ends(&moment.object);
        let weight = moment.object.pointer("/status/canaryWeight").and_then(Value::as_i64).unwrap_or(0);
        if weight > self.weight {
            let step = moment.object.pointer("/status/lastStepTime").and_then(Value::as_u64);
            if let Some((raised, earlier)) = self.raised {
                let apart = step.zip(earlier).map(|(step, earlier)| step.saturating_sub(earlier));
                if apart.is_none_or(|ms| Duration::from_millis(ms) < self.pace.interval) {
                    self.lasted("the time between two steps", raised, moment.at);
                }
            }
            self.raised = Some((moment.at, step));
        } else if weight < self.weight {
            self.raised = None;
        }
        self.weight = weight;
    }

    /// The stored end of a drain lies a whole interval after the phase began, whose time is stored in whole seconds.
    fn drain_ends(&mut self, canary: &Value) {
        let Some(end) = canary.pointer("/status/drainUntil").and_then(Value::as_u64) else { return };
        let began = text(canary, "/status/lastTransitionTime").parse::<Timestamp>().ok();
        let began = began.and_then(|at| u64::try_from(at.as_millisecond()).ok());
        if let Some(ms) = began.map(|began| end.saturating_sub(began))
            && Duration::from_millis(ms) < self.pace.interval
        {
            self.broken.push(format!("a drain was to end {ms} ms after its phase began"));
        }
        self.drain_until = Some(end);
    }

    fn lasted(&mut self, what: &str, from: Instant, to: Instant) {
        let lasted = to.saturating_duration_since(from);
        if lasted + TOLERANCE < self.pace.interval {
            self.broken.push(format!("{what} was {lasted:?} instead of {:?}", self.pace.interval));
        }
    }
}

/// An Event that was counted up was recorded twice; so was one whose words and number of the run are there twice.
fn repeated(moments: &[Moment]) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for moment in
        moments.iter().filter(|m| m.of == EVENTS && text(&m.object, "/involvedObject/kind") == "Canary")
    {
        let count = moment.object.get("count").and_then(Value::as_u64).unwrap_or(1);
        if count > 1 {
            counts.insert(text(&moment.object, "/message"), count);
        }
    }
    counts.into_iter().map(|(message, count)| format!("told {count} times: {message}")).collect()
}

#[cfg(test)]
mod tests;
