//! When errors are excused: after each accident, as long as the operator cannot act, and then a moment more.

use super::{
    edited_route,
    fold::{Course, REVERTED},
    leads::Ways,
    place::NAME,
    record::{GRACE, Ms, Span},
    world::World,
};

/// What excuses what.
pub struct Excuses {
    /// Requests that got no answer.
    pub errors: Vec<Span>,
    /// Shares of traffic that no plan allows.
    pub shares: Vec<Span>,
}

/// Gathers them.
pub fn gather(world: &World, course: &Course, ways: &Ways, end: Ms) -> Excuses {
    // Nothing is done about a suspended Canary. What clients use and what is whole again has to answer all the same.
    let until_resumed = |to| course.resumed_after(to).unwrap_or(to);
    let until_whole = |to| until_resumed(to).min(ways.whole_after(to));
    let shares = spans(world, course, &course.remade, end, until_resumed);
    // Clients who come through an apex of their own do not notice that a Canary is reverted. One that its user has
    // deleted was made again by the operator, and goes with the Canary.
    let deleted = world.deeds.iter().find(|span| service_of(span) == Some(NAME));
    let made_again = deleted.map_or(Ms::MAX, |span| span.from);
    let costs = |span: &&Span| span.what != REVERTED || !world.features.owns_apex || made_again <= span.from;
    let deleted: Vec<Span> = course.remade.iter().filter(costs).cloned().collect();
    Excuses { errors: spans(world, course, &deleted, end, until_whole), shares }
}

fn spans(
    world: &World,
    course: &Course,
    deleted: &[Span],
    end: Ms,
    while_suspended: impl Fn(Ms) -> Ms,
) -> Vec<Span> {
    let mut all: Vec<Span> = world.deeds.iter().chain(&course.losses).chain(deleted).cloned().collect();
    for span in &mut all {
        span.to = span.to.min(end).saturating_add(GRACE);
        // What a user breaks of an apex that was left is made again with that apex, and what a migration does not share
        // with the binding before with its end.
        let service = service_of(span);
        if (service.is_some() || span.what == edited_route::DEED)
            && let Some(kept) = course.kept_after(span.from, service.map(apex_of))
        {
            span.to = span.to.max(kept.saturating_add(GRACE));
        }
        if course.resumed_after(span.to).is_some() {
            span.to = while_suspended(span.to).saturating_add(GRACE);
        }
        loop {
            let later = world.impaired.iter().filter(|one| one.from <= span.to && one.to >= span.from);
            let until = later.map(|one| one.to.min(end).saturating_add(GRACE)).max().unwrap_or(0);
            if until <= span.to {
                break;
            }
            span.to = until;
        }
    }
    all
}

/// The Service that a user has deleted.
fn service_of(span: &Span) -> Option<&str> {
    span.what.strip_prefix("Service ")?.split_whitespace().next()
}

/// The apex that a Service belongs to.
fn apex_of(service: &str) -> &str {
    service.strip_suffix("-primary").or(service.strip_suffix("-canary")).unwrap_or(service)
}
