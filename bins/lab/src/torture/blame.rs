//! Law 14: nobody is blamed for what the operator wrote itself.

use super::{
    edited_route,
    finding::{Finding, Law},
    outcome::Outcome,
    record::events,
    step::{Case, Step},
    world::World,
};

/// What is said of another writer's edits of routes, and of writes that another writer takes back.
const BLAME: [&str; 2] = ["were changed by someone else (", "keeps being reverted"];

/// Judges what is reported of other writers. Flagger's routes count as edited.
pub fn judge(world: &World, case: &Case, outcome: &mut Outcome) {
    if case.steps.contains(&Step::AsFlagger) {
        return;
    }
    let edits: Vec<_> = world.deeds.iter().filter(|deed| deed.what == edited_route::DEED).collect();
    let blames = |message: &str| BLAME.iter().any(|blame| message.contains(blame));
    let told = events(&world.recorder);
    let wrong = told.iter().find(|(at, text)| blames(text) && !edits.iter().any(|edit| edit.from <= *at));
    if let Some((at, message)) = wrong {
        let text = format!("nobody edited a route, and it is said: {message}");
        outcome.findings.push(Finding::new(Law::Blame, *at, text));
    }
}
