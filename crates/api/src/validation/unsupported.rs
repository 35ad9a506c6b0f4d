//! What the contract has and this version does not do yet. A line goes when its feature comes.

use super::{Subject, Validation};
use crate::HookType;

/// Hooks that are not asked yet. To leave one out in silence would open the gate that it is.
const HOOKS: [HookType; 4] = [
    HookType::ConfirmRollout,
    HookType::ConfirmTrafficIncrease,
    HookType::ConfirmPromotion,
    HookType::Rollback,
];

/// The message for a feature.
fn not_yet(what: &str) -> String {
    format!("this version does not {what} yet")
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    let spec = subject.spec;
    if matches!(spec.target_ref.kind.as_str(), "DaemonSet" | "Service") {
        let text = not_yet(&format!("roll out a {}", spec.target_ref.kind));
        found.defect("spec.targetRef.kind", text);
    }
    if spec.revert_on_deletion() {
        let text = not_yet("give the target back its replicas when the Canary is deleted");
        found.remark("spec.revertOnDeletion", text);
    }
    analysis(subject, found);
}

fn analysis(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    if !analysis.alerts.is_empty() {
        found.remark(format!("{path}.alerts"), not_yet("send alerts"));
    }
    for (index, webhook) in analysis.webhooks.iter().enumerate() {
        let kind = webhook.hook_type();
        if HOOKS.contains(&kind) {
            let text = not_yet(&format!("ask {kind} hooks"));
            found.defect(format!("{path}.webhooks[{index}].type"), text);
        }
    }
}
