//! Law 14: drift of a route is reported only if another writer has edited the route.

use super::{
    edited_route,
    finding::{Finding, Law},
    outcome::Outcome,
    record::events,
    step::{Case, Step},
    world::World,
};

/// Texts of the Events that name another writer.
const REPORTS: [&str; 2] = ["were changed by someone else (", "keeps being reverted"];

/// Judges the Events about other writers. In a takeover the routes that Flagger left count as edited.
pub fn judge(world: &World, case: &Case, outcome: &mut Outcome) {
    if case.steps.contains(&Step::AsFlagger) {
        return;
    }
    let edits: Vec<_> = world.deeds.iter().filter(|deed| deed.what == edited_route::DEED).collect();
    let reports = |message: &str| REPORTS.iter().any(|text| message.contains(text));
    let told = events(&world.recorder);
    let wrong = told.iter().find(|(at, text)| reports(text) && !edits.iter().any(|edit| edit.from <= *at));
    if let Some((at, message)) = wrong {
        let text = format!("reported although nobody has edited a route: {message}");
        outcome.findings.push(Finding::new(Law::Drift, *at, text));
    }
}
