//! Validation of webhooks.

use super::names::address_problem;
use super::{Subject, Validation};
use crate::{HookType, Webhook};

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    for (index, webhook) in analysis.webhooks.iter().enumerate() {
        one(&format!("{path}.webhooks[{index}]"), webhook, found);
    }
}

fn one(path: &str, webhook: &Webhook, found: &mut Validation) {
    if webhook.name.is_empty() {
        found.defect(format!("{path}.name"), "is required");
    }
    if let HookType::Other(text) = webhook.hook_type() {
        let known = HookType::ALL.map(|kind| kind.to_string()).join(", ");
        found.defect(format!("{path}.type"), format!("unknown type `{text}`; there are {known}"));
    }
    if let Some(problem) = address_problem(&webhook.url) {
        found.defect(format!("{path}.url"), problem);
    }
    match webhook.timeout_ms() {
        Ok(0) => found.defect(format!("{path}.timeout"), "must be longer than zero"),
        Ok(_) => {}
        Err(error) => found.defect(format!("{path}.timeout"), error.to_string()),
    }
    if webhook.retries.is_some_and(|retries| retries < 0) {
        found.defect(format!("{path}.retries"), "must not be negative");
    }
}
