//! The cookies of session affinity: made when the canary gets its first traffic, ended when it has none any more.
//!
//! The values are derived from the Canary and the number of the run. A crash between the status and the route thus
//! never leaves clients with a cookie that nothing knows.

use sha2::{Digest, Sha256};
use vexil_analysis::Memory;
use vexil_api::CanaryStatus;

use crate::StatusContext;

/// How many letters a value has, as in Flagger.
const LENGTH: usize = 10;

/// The status with the cookies that follow from the weight. They are written before the route that names them.
pub(crate) fn follow(memory: &Memory, context: &StatusContext<'_>, before: &CanaryStatus) -> CanaryStatus {
    let mut status = before.clone();
    let current = &mut status.session_affinity_cookie;
    if memory.weight.is_zero() {
        if let Some(ended) = current.take().filter(|cookie| !cookie.is_empty()) {
            status.previous_session_affinity_cookie = Some(ended);
        }
        return status;
    }
    let Some(affinity) = context.affinity else { return status };
    let made = |name: &str, side: &str| format!("{name}={}", letters(context.uid, memory.run, side));
    if current.as_deref().is_none_or(str::is_empty) {
        *current = Some(made(&affinity.cookie_name, "canary"));
    }
    let primary = &mut status.primary_session_affinity_cookie;
    if let Some(name) = affinity.primary_cookie_name.as_deref().filter(|name| !name.is_empty())
        && primary.as_deref().is_none_or(str::is_empty)
    {
        *primary = Some(made(name, "primary"));
    }
    status
}

/// Letters that depend on the Canary, the run and the side.
fn letters(uid: &str, run: u64, side: &str) -> String {
    let digest = Sha256::digest(format!("{uid}/{run}/{side}"));
    digest.iter().take(LENGTH).map(|byte| char::from(b'a' + byte % 26)).collect()
}

#[cfg(test)]
mod tests {
    use vexil_analysis::{Millis, Weight};
    use vexil_api::SessionAffinity;

    use super::*;

    /// The cookies of canary, primary and previous run after each of these weights and runs.
    #[track_caller]
    fn check(primary_name: Option<&str>, steps: &[(u32, u64, [&str; 3])]) {
        let affinity = SessionAffinity {
            cookie_name: "c".to_owned(),
            primary_cookie_name: primary_name.map(str::to_owned),
            ..SessionAffinity::default()
        };
        let context = StatusContext {
            uid: "u",
            affinity: Some(&affinity),
            ..StatusContext::new("Deployment", Millis(0))
        };
        let mut status = CanaryStatus::default();
        for (weight, run, expect) in steps {
            let memory = Memory { weight: Weight::clamped(*weight), run: *run, ..Memory::default() };
            status = follow(&memory, &context, &status);
            let shown = [
                &status.session_affinity_cookie,
                &status.primary_session_affinity_cookie,
                &status.previous_session_affinity_cookie,
            ]
            .map(|cookie| cookie.as_deref().unwrap_or_default());
            assert_eq!(shown, *expect, "weight {weight} in run {run}");
        }
    }

    #[test]
    fn a_cookie_lasts_for_a_run_and_the_primarys_for_good() {
        let (one, two) = (letters("u", 1, "canary"), letters("u", 2, "canary"));
        let (one, two) = (format!("c={one}"), format!("c={two}"));
        let primary = format!("p={}", letters("u", 1, "primary"));
        assert!(one != two && one.len() == 12, "{one} {two}");
        check(
            Some("p"),
            &[
                (0, 0, ["", "", ""]),
                (10, 1, [&one, &primary, ""]),
                (50, 1, [&one, &primary, ""]),
                (0, 1, ["", &primary, &one]),
                (0, 1, ["", &primary, &one]),
                (10, 2, [&two, &primary, &one]),
                (0, 2, ["", &primary, &two]),
            ],
        );
        check(None, &[(10, 1, [&one, "", ""]), (0, 1, ["", "", &one])]);
    }
}
