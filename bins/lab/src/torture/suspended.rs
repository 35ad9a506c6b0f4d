//! Law 9: nothing is changed while a Canary is suspended.

use super::{
    finding::{Finding, Law},
    fold::Course,
    outcome::Outcome,
    record::{GRACE, Ms, Span},
    world::World,
};
use vexil_testbed_apiserver::AuditEntry;
use vexil_testbed_rig::OPERATOR;

/// How long what was begun before may take to end.
const BEGUN: Ms = 1_000;

/// Judges what the operator wrote.
pub fn judge(world: &World, course: &Course, outcome: &mut Outcome) {
    let spans = course.suspended();
    if spans.is_empty() {
        return;
    }
    for entry in world.cluster.server().audit().of(OPERATOR) {
        let at = world.ms_of(&entry);
        let within = |span: &&Span| span.from + BEGUN < at && at < span.to;
        // One that cannot watch does not know that it is suspended.
        let hindered = |span: &Span| span.from <= at && span.to.saturating_add(GRACE) >= at;
        if changes(&entry) && spans.iter().any(|span| within(&span)) && !world.impaired.iter().any(hindered) {
            let text = format!("while the Canary is suspended: {}", entry.line());
            outcome.findings.push(Finding::new(Law::Suspended, at, text));
            return;
        }
    }
}

/// Whether something else was written than what is reported.
fn changes(entry: &AuditEntry) -> bool {
    let reports = matches!(entry.resource.as_str(), "events" | "leases") || entry.subresource == "status";
    entry.is_write() && entry.changed && !reports
}
