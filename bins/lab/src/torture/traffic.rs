//! What clients got: laws 1 and 3, from each answer.

use serde_json::Value;

use super::{
    excuses::Excuses,
    finding::{Finding, Law},
    fold::{Course, Pod},
    outcome::Outcome,
    record::{Answer, GRACE, Ms, Span},
    sessions,
    step::{Case, FRAGILE, Step, is_bad, skips},
    world::{FIRST, OTHER, World},
};

/// Answers in a window.
const WINDOW: usize = 40;
/// Answers by which a window may be wrong: whose turn it is.
const TOLERANCE: u64 = 4;

/// Judges the answers.
pub fn judge(world: &World, case: &Case, course: &Course, excused: &Excuses, outcome: &mut Outcome) {
    let all = world.answers.all();
    let Some(begin) = course.initialized else { return };
    let answers: Vec<&Answer> = all.iter().filter(|answer| answer.at > begin + 2_000).collect();
    outcome.requests = answers.len() as u64;
    outcome.by_version =
        answers.iter().filter(|answer| answer.status >= 400 && !answer.is_lost()).count() as u64;
    lost(course, &excused.errors, &answers, outcome);
    let plan = Plan::of(world, case);
    let is_any = |answer: &&Answer| !answer.matched && answer.cookie.is_none();
    let answers: Vec<&Answer> = answers.into_iter().filter(is_any).collect();
    weights(course, &plan, &excused.shares, &answers, outcome);
    promotions(course, &plan, &excused.shares, outcome);
    sessions::judge(case, course, &excused.shares, &all, outcome);
}

fn is_primary(pod: &Pod) -> bool {
    pod.app.ends_with("-primary")
}

/// Errors that routing made while the primary was ready and nothing excuses them.
fn lost(course: &Course, excused: &[Span], answers: &[&Answer], outcome: &mut Outcome) {
    // A Canary that is reverted gives its traffic to the target.
    let reverts = |at: Ms| course.remade.iter().any(|span| (span.from..=span.to).contains(&at));
    let served = |at: Ms| {
        let fits = |pod: &Pod| is_primary(pod) || reverts(at);
        course.was_ready(at.saturating_sub(2_000), at + 100, fits)
    };
    let mut unexcused = Vec::new();
    for answer in answers.iter().filter(|answer| answer.is_lost()) {
        let by = excused.iter().find(|span| (span.from..=span.to).contains(&answer.at));
        let cause = match by {
            Some(span) => span.what.clone(),
            None if !served(answer.at) => "the primary is not ready".to_owned(),
            None => {
                unexcused.push(*answer);
                "routing".to_owned()
            }
        };
        *outcome.lost.entry(cause).or_default() += 1;
    }
    if let Some(first) = unexcused.first() {
        let share = 100 * unexcused.len() / answers.len().max(1);
        let text = format!(
            "{} of {} requests ({share} %) got no version's answer, the first: {} {}; {}",
            unexcused.len(),
            answers.len(),
            first.status,
            first.why,
            course.state_at(first.at),
        );
        outcome.findings.push(Finding::new(Law::Answered, first.at, text));
    }
}

/// The most that any spec of a case lets through: what is in force at each moment is the operator's own affair.
struct Plan {
    interval: Ms,
    step: u64,
    max: u64,
    /// Intervals until a revision is vetted.
    steps: u64,
    skips: bool,
}

impl Plan {
    fn of(world: &World, case: &Case) -> Plan {
        let mut plan = Plan { interval: 10_000, step: 0, max: 0, steps: u64::MAX, skips: skips(case) };
        let edits = case.steps.iter().filter_map(|step| match step {
            Step::Edit(_, spec) => Some(spec),
            _ => None,
        });
        for spec in edits.chain([&world.spec]) {
            let number = |name: &str| spec.pointer(&format!("/analysis/{name}")).and_then(Value::as_u64);
            let listed = spec.pointer("/analysis/stepWeights").is_some();
            let iterations = number("iterations");
            let step = if listed { 100 } else { number("stepWeight").unwrap_or(0) };
            // Without a highest weight, or with one that is none, everything is allowed.
            let max = match (iterations, number("maxWeight").filter(|max| (1..=100).contains(max))) {
                (Some(_), _) => 0,
                (None, max) => max.unwrap_or(100),
            };
            plan.step = plan.step.max(step);
            plan.max = plan.max.max(max);
            let steps = iterations.unwrap_or(max.div_ceil(step.max(1)));
            plan.steps = plan.steps.min(steps);
        }
        plan
    }

    /// The highest weight that a version may have so long after its push.
    fn allowed(&self, after: Ms) -> u64 {
        (self.step * (1 + after / self.interval)).min(self.max)
    }

    /// When a version is vetted at the earliest.
    fn vetted(&self, pushed: Ms) -> Ms {
        if self.skips { 0 } else { pushed + self.interval * self.steps.saturating_sub(1) }
    }
}

fn weights(course: &Course, plan: &Plan, excused: &[Span], answers: &[&Answer], outcome: &mut Outcome) {
    for (version, pushed) in &course.pushed {
        let early = course.initialized.is_some_and(|at| *pushed <= at);
        if early || version == FIRST || version == OTHER.0 {
            continue;
        }
        // What is pushed to a suspended Canary gets what the canary has, until that is resumed.
        let resumed = course.resumed_after(*pushed).map_or(0, |at| at.saturating_add(GRACE));
        let vetted = if is_bad(version) && !plan.skips { Ms::MAX } else { plan.vetted(*pushed) };
        for window in answers.windows(WINDOW) {
            let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
            let outside = last.at >= vetted || last.at < *pushed || first.at < resumed;
            if outside || course.is_taken_as_it_is(*pushed, last.at) {
                continue;
            }
            let within = |span: &&Span| span.from <= last.at && span.to >= first.at;
            let throughout = |span: &&Span| span.from <= first.at && span.to >= last.at;
            // One that was down when it was scaled to zero had its traffic taken over before.
            let was_up =
                |span: &Span| course.was_ready(span.from.saturating_sub(1_000), span.from, is_primary);
            // One that has woken and is not ready yet counts as down.
            let asleep =
                excused.iter().filter(throughout).any(|span| span.what.ends_with("sleeps") && was_up(span));
            let ready = course.was_ready(first.at.saturating_sub(GRACE), last.at, is_primary);
            // A primary that sleeps excuses nothing by itself, whatever else happens does.
            let mut others = excused.iter().filter(|span| !asleep || !span.what.ends_with("sleeps"));
            if !asleep && !ready || others.any(|span| within(&span)) {
                continue;
            }
            let got = window.iter().filter(|answer| answer.version == *version).count() as u64;
            let may = plan.allowed(last.at - pushed);
            if got > WINDOW as u64 * may / 100 + TOLERANCE {
                let text =
                    format!("{got} of {WINDOW} requests went to {version}, of which {may} % is the most");
                outcome.findings.push(Finding::new(Law::Weights, last.at, text));
                break;
            }
        }
    }
}

/// Whether a pod of a version that was ready is not any more.
fn lost_a_pod(course: &Course, version: &str, from: Ms, to: Ms) -> bool {
    let mut ends = course.pods.values().filter(|pod| pod.version == version).flat_map(|pod| &pod.ready);
    ends.any(|(_, end)| (from..to).contains(end))
}

/// Nothing is promoted before it can have been analysed, and nothing bad ever. `excused`: when the primary was down.
fn promotions(course: &Course, plan: &Plan, excused: &[Span], outcome: &mut Outcome) {
    for (version, at) in &course.promoted {
        let Some(pushed) = course.pushed.get(version) else { continue };
        if course.is_taken_as_it_is(*pushed, *at) {
            continue;
        }
        if version == FIRST || plan.skips || course.initialized.is_none_or(|first| *pushed <= first) {
            continue;
        }
        // With the primary down a revision is analysed with all traffic, for one interval.
        let heals = excused.iter().any(|span| span.from <= *at && span.to >= *pushed)
            || !course.was_ready(*pushed, *at, is_primary);
        // What breaks under traffic alone is not found where no client comes to the canary before its promotion.
        let can_be_found = !version.starts_with(FRAGILE) || lost_a_pod(course, version, *pushed, *at);
        if is_bad(version) && can_be_found || at + 1_000 < plan.vetted(*pushed) && !heals {
            let text = format!(
                "{version} became the primary {} s after its push",
                at.saturating_sub(*pushed) / 1_000
            );
            outcome.findings.push(Finding::new(Law::Weights, *at, text));
        }
    }
}
