//! Mode `seeds`: a random script on a random router. The same seed is the same script.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_apiserver::{FaultAction, Loss};

use super::{
    deed::changed,
    dice::Dice,
    edits,
    features::{Features, usual_answer},
    fields::Fields,
    place::{NAME, PLACES, Place},
    step::{Case, Moment, Step, Which},
};

/// The script of a seed.
///
/// # Errors
/// When there is no such router.
pub fn case(fields: &Fields, seed: u64, router: Option<&str>) -> anyhow::Result<Case> {
    let mut dice = Dice::new(seed);
    let places: Vec<&'static Place> =
        PLACES.iter().filter(|place| router.is_none_or(|name| name == place.name)).collect();
    let place = dice.pick(&places).ok_or_else(|| anyhow::anyhow!("there is no such router"))?;
    let features = Features::of_seed(seed, place);
    let spec = features.spec(place);
    let mut steps = vec![Step::Apply];
    if dice.roll(10) > 0 {
        steps.push(Step::Until(Moment::Phase("Initialized")));
    }
    for _ in 0..4 + dice.roll(8) {
        steps.extend(deed(&mut dice, fields, place, &features, &spec));
        let wait = [200, 1_000, 3_000, 7_000, 12_000, 30_000];
        steps.push(Step::Pass(dice.pick(&wait).unwrap_or(1_000)));
    }
    let besides = features.title();
    let title = format!(
        "{}, {} steps{}{besides}",
        place.name,
        steps.len(),
        if besides.is_empty() { "" } else { ", " }
    );
    Ok(Case { mode: "seeds", number: seed, title, place, features, steps, cut_after: None, harm: None })
}

/// Tags that become good and bad pods.
const TAGS: [&str; 9] =
    ["6.0.1", "6.0.2", "6.0.3", "6.0.0", "bad-1", "broken-1", "crash-1", "missing-1", "fragile-1"];

/// Those whose pods are good.
const GOOD: [&str; 4] = ["6.0.1", "6.0.2", "6.0.3", "6.0.0"];

fn deed(
    dice: &mut Dice,
    fields: &Fields,
    place: &'static Place,
    features: &Features,
    spec: &Value,
) -> Vec<Step> {
    let side = |dice: &mut Dice| dice.pick(&["podinfo", "podinfo-primary"]).unwrap_or_default().to_owned();
    if features.config.is_some() && dice.roll(10) == 0 {
        return vec![Step::Config(dice.pick(&["red", "green", "blue"]).unwrap_or_default())];
    }
    if !features.hooks.is_empty() && dice.roll(6) == 0 {
        let kind = dice.pick(&features.hooks).unwrap_or_default();
        let status = dice.pick(&[0, 500, 403, 429, 200]).unwrap_or(500);
        // What is pushed while a gate is closed has to be held up. That is judged only when it was closed for so long
        // that no answer from before can count.
        let lasts = 10_000 * (1 + dice.roll(8));
        let mut steps = vec![Step::Hook(kind, status)];
        if dice.roll(2) == 0 {
            steps.extend([Step::Pass(25_000), Step::Push(dice.pick(&GOOD).unwrap_or("6.0.1"))]);
        }
        steps.extend([Step::Pass(lasts), Step::Hook(kind, usual_answer(kind))]);
        return steps;
    }
    match dice.roll(20) {
        0..=5 => vec![Step::Push(dice.pick(&TAGS).unwrap_or("6.0.1"))],
        6 | 7 => edit(dice, fields, place, spec),
        8 => vec![Step::EditBack],
        9 | 10 => vec![Step::Crash(side(dice), "")],
        11 if features.is_daemon_set => vec![Step::Crash("podinfo-primary".to_owned(), "")],
        11 => vec![
            Step::Scale("podinfo-primary".to_owned(), 0),
            Step::Pass(5_000 * (1 + dice.roll(6))),
            Step::Scale("podinfo-primary".to_owned(), 2),
        ],
        // The operator that runs has read the clock before; the next one begins with a wrong one.
        12 => {
            let jump = Step::Jump(if dice.roll(2) == 0 { 3_600_000 } else { -3_600_000 });
            vec![jump, Step::Kill, Step::Pass(500), Step::Start]
        }
        13 => vec![
            Step::DeleteTarget,
            Step::Pass(1_000 + 5_000 * dice.roll(4)),
            Step::MakeTarget(dice.pick(&GOOD).unwrap_or("6.0.1")),
        ],
        14 if place.has_weights() => vec![Step::EditRoute],
        14 | 15 => {
            let services = ["podinfo", "podinfo-primary", "podinfo-canary"];
            vec![Step::DeleteService(dice.pick(&services).unwrap_or_default().to_owned())]
        }
        16 => {
            let name = dice.pick(&["acceptance-test", "load-test"]).unwrap_or("load-test");
            let status = dice.pick(&[0, 500, 429, 200]).unwrap_or(500);
            vec![Step::Hook(name, status), Step::Pass(10_000), Step::Hook(name, 200)]
        }
        17 if dice.roll(4) == 0 => edits::remade(1_000 + 5_000 * dice.roll(3)),
        17 => vec![Step::Kill, Step::Pass(dice.roll(20) * 500), Step::Start],
        18 => vec![if dice.roll(2) == 0 { Step::DropWatches } else { Step::Compact }],
        _ => vec![harm(dice)],
    }
}

fn edit(dice: &mut Dice, fields: &Fields, place: &'static Place, spec: &Value) -> Vec<Step> {
    if place.mesh.is_some() && dice.roll(6) == 0 {
        let lasts = 1_000 + 10_000 * dice.roll(5);
        return vec![Step::Annotate(Some("nope")), Step::Pass(lasts), Step::Annotate(None)];
    }
    if dice.roll(5) == 0 {
        return bind(dice, fields, spec);
    }
    let switches = [
        json!({"suspend": true}),
        json!({"skipAnalysis": true}),
        json!({"revertOnDeletion": true}),
        json!({"analysis": {"threshold": 1}}),
        json!({"analysis": {"interval": "20s"}}),
        json!({"progressDeadlineSeconds": 30}),
    ];
    if dice.roll(2) == 0
        && let Some(change) = dice.pick(&switches)
    {
        return vec![Step::Edit(change.to_string(), changed(spec, &change))];
    }
    let field = usize::try_from(dice.roll(fields.count() as u64)).unwrap_or(0);
    edit_of(dice, fields, spec, field)
}

/// An edit of what traffic depends on.
fn bind(dice: &mut Dice, fields: &Fields, spec: &Value) -> Vec<Step> {
    let name =
        dice.pick(&["provider", "targetRef.name", "service.name", "service.port"]).unwrap_or("provider");
    // Beside a named Service only the target moves, not what clients ask for.
    let named = changed(spec, &json!({"service": {"name": NAME}}));
    let spec = if name == "targetRef.name" && dice.roll(2) == 0 { &named } else { spec };
    fields.of_name(name).map_or(Vec::new(), |field| edit_of(dice, fields, spec, field))
}

fn edit_of(dice: &mut Dice, fields: &Fields, spec: &Value, field: usize) -> Vec<Step> {
    let edit = dice.pick(&fields.edits_of(field, spec));
    edit.into_iter().map(|edit| Step::Edit(edit.title, edit.spec)).collect()
}

fn harm(dice: &mut Dice) -> Step {
    let answer = |code, retry_after| FaultAction::Answer { code, retry_after };
    let actions = [
        answer(409, None),
        answer(429, Some(2)),
        answer(500, None),
        answer(503, None),
        FaultAction::LoseAnswer(Loss::Timeout),
        FaultAction::LoseAnswer(Loss::Reset),
        FaultAction::Hang,
        FaultAction::Delay(Duration::from_secs(2)),
    ];
    let which =
        dice.pick(&[Which::Writes, Which::Reads, Which::Gets, Which::Watches]).unwrap_or(Which::Writes);
    let times = u32::try_from(1 + dice.roll(3)).unwrap_or(1);
    Step::Harm(which, times, dice.pick(&actions).unwrap_or(FaultAction::Hang))
}
