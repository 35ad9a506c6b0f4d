//! Modes `crashes` and `faults`: a scenario with the operator killed after one write, or with one request answered
//! wrongly. The number of a case says which: scenario, kind of harm, place in the order.

use std::time::Duration;

use vexil_testbed_apiserver::{FaultAction, Loss};

use super::{
    outcome::Outcome,
    scenarios,
    step::{Case, Which},
};

/// Cases of one scenario.
const SCENARIO: u64 = 1_000_000;
/// Cases of one kind of harm.
const KIND: u64 = 1_000;

/// What befalls a request.
fn kinds() -> Vec<(&'static str, Which, FaultAction)> {
    let answer = |code, retry_after| FaultAction::Answer { code, retry_after };
    vec![
        ("409", Which::Writes, answer(409, None)),
        ("429", Which::Writes, answer(429, Some(3))),
        ("500", Which::Writes, answer(500, None)),
        ("503", Which::Writes, answer(503, None)),
        ("504", Which::Writes, answer(504, None)),
        ("403", Which::Writes, answer(403, None)),
        ("a broken connection after it is done", Which::Writes, FaultAction::LoseAnswer(Loss::Reset)),
        ("504 after it is done", Which::Writes, FaultAction::LoseAnswer(Loss::Timeout)),
        ("no answer", Which::Writes, FaultAction::Hang),
        ("no answer after it is done", Which::Writes, FaultAction::LoseAnswer(Loss::Silence)),
        ("all watches dropped", Which::Writes, FaultAction::DropWatches),
        ("all watches replayed", Which::Writes, FaultAction::Replay),
        ("429", Which::Reads, answer(429, Some(3))),
        ("500", Which::Reads, answer(500, None)),
        ("delayed by 2 s", Which::Writes, FaultAction::Delay(Duration::from_secs(2))),
        ("no answer", Which::Reads, FaultAction::Hang),
        ("429", Which::Gets, answer(429, Some(3))),
        ("500", Which::Gets, answer(500, None)),
        ("404", Which::Gets, answer(404, None)),
        ("no answer", Which::Gets, FaultAction::Hang),
        ("500", Which::Watches, answer(500, None)),
        ("no answer", Which::Watches, FaultAction::Hang),
        ("delayed by 3 s", Which::Watches, FaultAction::DelayWatch(Duration::from_secs(3))),
    ]
}

/// The case with a number, and the same one without harm.
pub fn case(mode: &'static str, number: u64) -> Option<(Case, Case)> {
    let clean = scenarios::clean(mode, number / SCENARIO)?;
    let mut case = Case { number, ..clean.clone() };
    let (kind, place) = (number % SCENARIO / KIND, u32::try_from(number % KIND).ok()?);
    match (mode, place.checked_sub(1)) {
        (_, None) => {}
        ("crashes", Some(_)) => {
            case.cut_after = Some(place);
            case.title += &format!(", killed after write {place}");
        }
        (_, Some(after)) => {
            let (what, which, action) = kinds().into_iter().nth(usize::try_from(kind).ok()?)?;
            case.title += &format!(", {what} for request {place} of {which:?}");
            case.harm = Some((which, after, action));
        }
    }
    Some((case, Case { number: number / SCENARIO * SCENARIO, ..clean }))
}

/// The numbers of the cases without harm.
pub fn clean(router: Option<&str>) -> Vec<u64> {
    let all = scenarios::numbers().filter(|(_, place, _)| router.is_none_or(|name| name == place.name));
    all.map(|(number, ..)| number * SCENARIO).collect()
}

/// The numbers of all that can befall a scenario, of which the run without harm is known.
pub fn all(mode: &str, clean: u64, run: &Outcome) -> Vec<u64> {
    if mode == "crashes" {
        return (1..=u64::from(run.writes)).map(|place| clean + place).collect();
    }
    let kinds = kinds().into_iter().enumerate();
    let of_kind = |(kind, (_, which, _)): (usize, (&str, Which, FaultAction))| {
        let times = match which {
            Which::Writes => run.writes,
            Which::Reads => run.reads.lists,
            Which::Gets => run.reads.gets,
            Which::Watches => run.reads.watches,
        };
        (1..=u64::from(times)).map(move |place| clean + kind as u64 * KIND + place)
    };
    kinds.flat_map(of_kind).collect()
}
