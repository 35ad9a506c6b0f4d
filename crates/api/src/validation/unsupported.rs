//! Features of Flagger that this version does not have yet. The line of a feature is deleted when it is added.

use super::{Subject, Validation};

/// The message for a feature.
fn not_yet(what: &str) -> String {
    format!("this version does not {what} yet")
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    let spec = subject.spec;
    if spec.target_ref.kind == "Service" {
        let text = not_yet(&format!("roll out a {}", spec.target_ref.kind));
        found.defect("spec.targetRef.kind", text);
    }
}
