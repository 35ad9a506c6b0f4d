//! Law 10: a gate that is closed lets nothing through, and costs no requests.

use serde_json::Value;
use vexil_testbed_apiserver::AuditEntry;
use vexil_testbed_rig::OPERATOR;

use super::{
    features::{Features, usual_answer},
    finding::{Finding, Law},
    fold::{Course, Pod},
    outcome::Outcome,
    place::NAME,
    record::{GRACE, Ms, Span, number, text},
    step::{Case, Step, skips},
    world::World,
};

/// From an answer of a gate to the decision that it lets through: other hooks of the same step may hang.
const ANSWERED: Ms = 20_000;
/// How long after the last thing that happened the operator may still be busy with it: one interval and a hook that
/// does not answer.
const SETTLED: Ms = 16_000;
/// How long after a request what it changes is recorded, at most.
const RECORDED: Ms = 1_000;

/// A hook that answers something else from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub at: Ms,
    /// The hook.
    pub name: &'static str,
    /// Its status from then on; 0 is no answer.
    pub status: u16,
}

/// Judges what was decided and what was asked.
pub fn judge(world: &World, case: &Case, course: &Course, outcome: &mut Outcome) {
    // Another hook of another type is a gate of its own.
    let edits = |step: &Step| matches!(step, Step::Edit(title, _) if title.contains("analysis.webhooks"));
    if !world.features.hooks.is_empty() && !case.steps.iter().any(edits) {
        decisions(world, case, course, outcome);
    }
    requests(world, outcome);
}

/// What of a status a gate is about.
struct Status {
    phase: String,
    weight: u64,
    withheld: bool,
    strategy: Strategy,
    /// Why the rollout ends; empty while it does not.
    cause: String,
}

/// How the revision is analysed, as far as gates depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    ByWeight,
    /// Nothing, then all: the gate before the promotion is asked before all traffic.
    BlueGreen,
    /// With the requests that match.
    AbTesting,
}

impl Status {
    fn of(canary: &Value) -> Status {
        let status = canary.get("status").unwrap_or(&Value::Null);
        let conditions = canary.pointer("/spec/analysis/match").and_then(Value::as_array);
        let strategy = match conditions.is_some_and(|all| !all.is_empty()) {
            true => Strategy::AbTesting,
            false if number(status, "/iterations") > 0 => Strategy::BlueGreen,
            false => Strategy::ByWeight,
        };
        Status {
            strategy,
            phase: text(status, "/phase").to_owned(),
            weight: number(status, "/canaryWeight"),
            withheld: status.get("withheldWeight").is_some_and(|weight| !weight.is_null()),
            cause: text(status, "/ending/cause").to_owned(),
        }
    }
}

fn decisions(world: &World, case: &Case, course: &Course, outcome: &mut Outcome) {
    let seen = world.recorder.seen();
    let canaries = seen.past.iter().filter(|(_, one)| {
        one.resource == "canaries.flagger.app" && text(&one.object, "/metadata/name") == NAME
    });
    let mut before: Option<Status> = None;
    for (at, happened) in canaries {
        let after = Status::of(&happened.object);
        let passed = before.as_ref().and_then(|before| passes(before, &after, skips(case)));
        before = (!happened.gone).then_some(after);
        let Some((gate, what)) = passed else { continue };
        let down =
            !course.was_ready(at.saturating_sub(GRACE), *at, |pod: &Pod| pod.app.ends_with("-primary"));
        let hindered =
            world.impaired.iter().any(|span| span.from <= *at && span.to.saturating_add(ANSWERED) >= *at);
        if is_closed(&world.features, &world.turned, gate, *at) && !down && !hindered {
            let text = format!("{what} although {gate} has not been open for {} s", ANSWERED / 1_000);
            outcome.findings.push(Finding::new(Law::Gates, *at, text));
            return;
        }
    }
}

/// The gate that a change of the status has to pass, and what the change is.
fn passes(before: &Status, after: &Status, skips: bool) -> Option<(&'static str, &'static str)> {
    let goes_on = before.cause.is_empty() && after.cause.is_empty();
    let is_idle = matches!(before.phase.as_str(), "Initialized" | "Waiting" | "Succeeded" | "Failed");
    if after.cause == "manual" && before.cause.is_empty() {
        return Some(("rollback", "a rollout is rolled back by hand"));
    }
    if is_idle && after.phase == "Progressing" && goes_on && before.weight == 0 {
        return Some(("confirm-rollout", "a rollout starts"));
    }
    if before.phase != "Promoting" && after.phase == "Promoting" {
        let passed_before = before.strategy == Strategy::BlueGreen && before.weight == 100;
        return (!skips && !passed_before).then_some(("confirm-promotion", "a promotion begins"));
    }
    let runs = matches!(before.phase.as_str(), "Progressing" | "WaitingPromotion");
    if !runs || after.weight <= before.weight || !goes_on || before.withheld || after.withheld {
        return None;
    }
    match after.strategy {
        Strategy::ByWeight => Some(("confirm-traffic-increase", "traffic grows")),
        Strategy::BlueGreen => Some(("confirm-promotion", "all traffic goes to the canary")),
        Strategy::AbTesting => None,
    }
}

/// Whether a Canary has a gate, and it was closed for so long.
fn is_closed(features: &Features, turned: &[Turn], gate: &str, at: Ms) -> bool {
    let from = at.saturating_sub(ANSWERED);
    let mut of_gate = turned.iter().filter(|turn| turn.name == gate);
    let opened = of_gate.clone().any(|turn| from < turn.at && turn.at <= at && is_success(turn.status));
    let last = of_gate.rfind(|turn| turn.at <= from).map_or(usual_answer(gate), |turn| turn.status);
    match gate {
        // Without such a hook nothing asks for it.
        "rollback" if !features.hooks.contains(&gate) => true,
        _ => features.hooks.contains(&gate) && !opened && !is_success(last),
    }
}

fn is_success(status: u16) -> bool {
    (200..=202).contains(&status)
}

/// While a gate is closed and nothing happens, nothing is asked of the API server.
fn requests(world: &World, outcome: &mut Outcome) {
    let (happenings, closed) = course_of_waits(world);
    for entry in world.cluster.server().audit().of(OPERATOR) {
        let at = world.ms_of(&entry);
        let is_closed =
            closed.iter().any(|(from, to)| from.saturating_add(SETTLED) < at && at + RECORDED < *to);
        if !is_closed || !asks(&entry) {
            continue;
        }
        let before = happenings.partition_point(|one| *one <= at.saturating_sub(SETTLED));
        let is_quiet = happenings.get(before).is_none_or(|next| *next > at + RECORDED);
        let hindered = |span: &Span| span.from <= at && span.to.saturating_add(SETTLED) >= at;
        if is_quiet && !world.impaired.iter().any(hindered) {
            let text = format!("a closed gate costs a request: {}", entry.line());
            outcome.findings.push(Finding::new(Law::Gates, at, text));
            return;
        }
    }
}

/// Receivers of alerts are read for each attempt.
fn asks(entry: &AuditEntry) -> bool {
    entry.verb != "watch" && !matches!(entry.resource.as_str(), "alertproviders" | "leases")
}

/// All moments at which something happened that is not the operator's report, in order, and from when to when a Canary
/// waited for an approval with nothing left to deliver.
fn course_of_waits(world: &World) -> (Vec<Ms>, Vec<(Ms, Ms)>) {
    let seen = world.recorder.seen();
    let mut happenings: Vec<Ms> = world.turned.iter().map(|turn| turn.at).collect();
    happenings.extend(world.deeds.iter().chain(&world.impaired).flat_map(|span| [span.from, span.to]));
    let mut closed: Vec<(Ms, Ms)> = Vec::new();
    let mut asked_for = None;
    for (at, happened) in &seen.past {
        let object = &happened.object;
        if happened.resource != "canaries.flagger.app" || text(object, "/metadata/name") != NAME {
            happenings.extend((happened.resource != "events").then_some(*at));
            continue;
        }
        // By its user, who changes no status.
        let asks_for =
            Some((number(object, "/metadata/generation"), object.pointer("/metadata/annotations")));
        if asked_for != asks_for || happened.gone {
            happenings.push(*at);
        }
        asked_for = asks_for;
        let entries = object.pointer("/status/outbox/entries").and_then(Value::as_array);
        let delivers = entries.is_some_and(|entries| !entries.is_empty());
        let waits = !happened.gone && !delivers && text(object, "/status/wait/kind") == "approval";
        let open = closed.last_mut().filter(|span| span.1 == Ms::MAX);
        match (waits, open) {
            (true, None) => closed.push((*at, Ms::MAX)),
            (false, Some(span)) => span.1 = *at,
            _ => {}
        }
    }
    happenings.sort_unstable();
    (happenings, closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(phase: &str, weight: u64, cause: &str) -> Status {
        let (phase, cause) = (phase.to_owned(), cause.to_owned());
        Status { phase, weight, withheld: false, strategy: Strategy::ByWeight, cause }
    }

    #[test]
    fn each_gate_is_passed_by_what_it_holds_up() {
        let gate = |before: Status, after: Status| passes(&before, &after, false).map(|(gate, _)| gate);
        let check = |before: (&str, u64, &str), after: (&str, u64, &str), expect: Option<&str>| {
            let (before, after) = (status(before.0, before.1, before.2), status(after.0, after.1, after.2));
            assert_eq!(gate(before, after), expect);
        };
        check(("Waiting", 0, ""), ("Progressing", 0, ""), Some("confirm-rollout"));
        check(("Progressing", 0, ""), ("Progressing", 25, ""), Some("confirm-traffic-increase"));
        check(("WaitingPromotion", 50, ""), ("Promoting", 50, ""), Some("confirm-promotion"));
        check(("Progressing", 50, ""), ("Progressing", 0, "manual"), Some("rollback"));
        check(("Progressing", 50, ""), ("Progressing", 0, "deadline"), None);
        check(("Finalising", 50, ""), ("Succeeded", 0, ""), None);
        let of = |strategy, status: Status| Status { strategy, ..status };
        let all = |strategy| {
            gate(of(strategy, status("Progressing", 0, "")), of(strategy, status("Progressing", 100, "")))
        };
        assert_eq!(all(Strategy::BlueGreen), Some("confirm-promotion"));
        assert_eq!(all(Strategy::AbTesting), None);
        let end = |strategy| {
            gate(of(strategy, status("Progressing", 100, "")), of(strategy, status("Promoting", 100, "")))
        };
        assert_eq!(end(Strategy::BlueGreen), None);
        assert_eq!(end(Strategy::AbTesting), Some("confirm-promotion"));
    }

    #[test]
    fn a_gate_counts_as_closed_when_it_was_for_long_enough() {
        let features = Features { hooks: vec!["confirm-promotion", "rollback"], ..Features::default() };
        let turn = |at, status| Turn { at, name: "confirm-promotion", status };
        let check = |turned: &[Turn], gate: &str, expect: bool| {
            assert_eq!(is_closed(&features, turned, gate, 100_000), expect, "{turned:?}");
        };
        check(&[], "confirm-promotion", false);
        check(&[], "rollback", true);
        check(&[], "confirm-rollout", false);
        check(&[turn(70_000, 403)], "confirm-promotion", true);
        check(&[turn(90_000, 403)], "confirm-promotion", false);
        check(&[turn(70_000, 0), turn(90_000, 200)], "confirm-promotion", false);
        check(&[turn(70_000, 403), turn(90_000, 500)], "confirm-promotion", true);
    }
}
