//! The page that lists the conditions.

use expect_test::expect_file;
use vexil_analysis::Wait;

use super::*;

const PHASES: [Phase; 11] = [
    Phase::Initializing,
    Phase::Initialized,
    Phase::Waiting,
    Phase::Progressing,
    Phase::WaitingPromotion,
    Phase::Promoting,
    Phase::Finalising,
    Phase::Succeeded,
    Phase::Failed,
    Phase::Terminating,
    Phase::Terminated,
];

/// What is waited for, and what that means.
const WAITS: [(WaitKind, &str); 12] = [
    (WaitKind::TargetMissing, "the target does not exist"),
    (
        WaitKind::PrimaryMissing,
        "the primary was deleted, and the target is at a revision that was not analysed",
    ),
    (WaitKind::Primary, "the primary is not ready"),
    (WaitKind::PrimaryNotOwned, "an object that has the primary's name belongs to another owner"),
    (WaitKind::PrimaryEdited, "the primary was edited or rolled back by hand"),
    (WaitKind::InvalidSpec, "the spec became invalid during a rollout"),
    (WaitKind::Canary, "the canary is not ready"),
    (WaitKind::InvalidObject(0), "an object cannot be read or written as it is"),
    (WaitKind::Refused, "the API server refuses a write"),
    (WaitKind::Approval, "a gate is closed"),
    (WaitKind::Suspended, "the Canary is suspended"),
    (WaitKind::ScaledUp, "the target was scaled up between rollouts; nothing waits for it"),
];

const BEGINNING: &str = "\
# Conditions

<!-- Made by `cargo xtask docs --write` from crates/plan/src/conditions.rs. -->

`Promoted` is Flagger's: whether the last revision is rolled out. `Ready` is True if the Canary is accepted and its last
revision is rolled out, False if something has to be corrected, and Unknown otherwise. Both have the same message unless
something is waited for.

```sh
kubectl -n test wait canary/podinfo --for=condition=promoted
kubectl -n test get canary podinfo --output jsonpath='{.status.conditions[?(@.type==\"Ready\")].message}'
```

## By phase

| phase, and reason of both | `Promoted` | `Ready` | message for a Deployment |
|---|---|---|---|
";

const WAITING: &str = "
## While something is waited for

The message is that of the Event. `status.wait` says since when.

| `Ready` | reason | when |
|---|---|---|
";

fn context(refused: Option<&str>) -> StatusContext<'_> {
    StatusContext { refused, ..StatusContext::new("Deployment", Millis(0)) }
}

#[test]
fn the_reference_lists_every_condition() {
    let mut page = String::from(BEGINNING);
    for phase in PHASES {
        let memory = Memory { phase, ..Memory::default() };
        let (promoted, ready) = (promoted(&memory, &context(None)), ready(&memory, &context(None)));
        assert_eq!((&promoted.reason, &promoted.message), (&ready.reason, &ready.message));
        let message = promoted.message.unwrap_or_default();
        page.push_str(&format!(
            "| `{}` | {} | {} | `{message}` |\n",
            promoted.reason, promoted.status, ready.status
        ));
    }
    page.push_str(WAITING);
    let refused = ready(&Memory::default(), &context(Some("invalid canary spec: …")));
    page.push_str(&format!(
        "| {} | `{}` | the spec is invalid; the message lists what is wrong |\n",
        refused.status, refused.reason
    ));
    for (kind, meaning) in WAITS {
        let wait = Wait { kind, since: Millis(0), waited_ms: 0, at: Millis(0), text: "…".to_owned() };
        let memory = Memory { phase: Phase::Progressing, wait: Some(wait), ..Memory::default() };
        let ready = ready(&memory, &context(None));
        let reason = if ready.reason == "Progressing" {
            "that of the phase".to_owned()
        } else {
            format!("`{}`", ready.reason)
        };
        page.push_str(&format!("| {} | {reason} | {meaning} |\n", ready.status));
    }
    expect_file!["../../../../docs/reference/conditions.md"].assert_eq(&page);
}
