//! Which copy takes all traffic because the other one has no ready pod. One rule for the routes and for the memory, so
//! that they cannot disagree.

use crate::{Memory, Observed, Phase, Plan, Routes, Weight};

/// All traffic moves to one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failover {
    /// The canary has traffic and no ready pod.
    ToPrimary,
    /// The primary has traffic and no ready pod.
    ToCanary,
}

impl Failover {
    /// Whether a copy has to take over with these routes.
    pub(crate) fn needed(plan: &Plan, memory: &Memory, seen: &Observed, routes: &Routes) -> Option<Failover> {
        let weight = routes.canary();
        if !weight.is_zero() && seen.canary_is_gone() && seen.primary_serves() {
            return Some(Failover::ToPrimary);
        }
        let lost = routes.need_primary() && seen.primary_is_gone() && seen.canary_serves();
        (lost && plan.routed && may_take_over(memory, seen)).then_some(Failover::ToCanary)
    }

    /// The weight of the canary afterwards.
    pub(crate) fn weight(self) -> Weight {
        match self {
            Failover::ToPrimary => Weight::ZERO,
            Failover::ToCanary => Weight::FULL,
        }
    }
}

/// Whether the canary may take all traffic: during a rollout, and after a failed promotion for as long as it runs what
/// was analysed. At other times the target may run anything. What was pushed while a rollout ends takes over only when
/// the pods of the primary do not work: addresses alone come back by themselves.
fn may_take_over(memory: &Memory, seen: &Observed) -> bool {
    let analysed = seen.target.present().is_some_and(|pods| pods.revision == memory.applied);
    if memory.ending.is_some() {
        return analysed || seen.primary_is_down();
    }
    match memory.phase {
        Phase::Progressing | Phase::WaitingPromotion | Phase::Promoting | Phase::Finalising => true,
        _ => memory.promotion_failed() && analysed,
    }
}
