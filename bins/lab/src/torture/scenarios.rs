//! Whole rollouts that modes `crashes` and `faults` play again and again, each time with another harm.

use serde_json::json;

use super::{
    deed::changed,
    features::Features,
    place::{PLACES, Place, first_spec},
    step::{Case, Moment, Step},
};

/// The scenarios by name.
pub const SCENARIOS: [&str; 8] = [
    "promotion",
    "rollback",
    "revert",
    "lost pods",
    "failed promotion",
    "migration",
    "takeover",
    "first image",
];

/// The number of a scenario on a place: what the numbers of cases begin with.
pub fn numbers() -> impl Iterator<Item = (u64, &'static Place, &'static str)> {
    let of_place = |place: &'static Place| SCENARIOS.iter().map(move |scenario| (place, *scenario));
    let all = PLACES.iter().flat_map(of_place);
    all.enumerate().map(|(number, (place, scenario))| (number as u64, place, scenario))
}

/// The scenario with a number, without any harm.
pub fn clean(mode: &'static str, scenario: u64) -> Option<Case> {
    let (_, place, name) = numbers().find(|(number, ..)| *number == scenario)?;
    let title = format!("{} {name}", place.name);
    Some(Case {
        mode,
        number: 0,
        title,
        place,
        features: Features::default(),
        steps: steps(place, name),
        cut_after: None,
        harm: None,
    })
}

fn steps(place: &'static Place, name: &str) -> Vec<Step> {
    let until = |phase| Step::Until(Moment::Phase(phase));
    let mut steps = vec![Step::Apply, until("Initialized"), Step::Pass(3_000)];
    match name {
        "promotion" => steps.extend([Step::Push("6.0.1"), until("Succeeded")]),
        "rollback" => steps.extend([Step::Push("bad-1"), until("Failed")]),
        "revert" => steps.extend([
            Step::Push("6.0.1"),
            Step::Until(Moment::Step(1)),
            Step::Push("6.0.0"),
            Step::Until(Moment::Rest),
        ]),
        "lost pods" => {
            let crash = Step::Crash("podinfo".to_owned(), "");
            steps.extend([Step::Push("6.0.1"), Step::Until(Moment::Step(1)), crash, until("Succeeded")]);
        }
        "failed promotion" => {
            let down = Step::KeepDown("podinfo-primary".to_owned(), "6.0.1", 70_000);
            steps.extend([Step::Push("6.0.1"), until("Promoting"), down]);
            // Until the primary has recovered and has its traffic back, however late the failure was.
            steps.extend([until("Failed"), Step::Pass(45_000)]);
        }
        "migration" => {
            let spec = first_spec(place);
            // Beside a named Service only the target moves, not what clients ask for.
            let named = changed(&spec, &json!({"service": {"name": "podinfo"}}));
            let other = changed(&named, &json!({"targetRef": {"name": "other"}}));
            steps.extend([
                Step::Edit("service.name is written out".to_owned(), named),
                Step::Push("6.0.1"),
                Step::Until(Moment::Step(1)),
                Step::Edit("targetRef.name becomes other".to_owned(), other),
                Step::Pass(60_000),
                Step::EditBack,
                Step::Pass(60_000),
            ]);
        }
        "takeover" => {
            let step = Step::Until(Moment::Step(1));
            steps.extend([Step::Push("6.0.1"), step, Step::AsFlagger, until("Succeeded")]);
        }
        _ => {
            steps = vec![Step::MakeTarget("missing-1"), Step::Apply, Step::Pass(45_000)];
            steps.extend([Step::Push("6.0.1"), until("Initialized")]);
        }
    }
    steps
}
