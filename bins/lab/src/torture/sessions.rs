//! Law 13: with session affinity, a client who reached the canary stays there while it has traffic.

use super::{
    finding::{Finding, Law},
    fold::Course,
    outcome::Outcome,
    record::{Answer, GRACE, Ms, Span},
    step::{Case, Step},
};

/// Judges each answer to a client who came back. `excused`: when shares of traffic may be others.
pub fn judge(case: &Case, course: &Course, excused: &[Span], answers: &[Answer], outcome: &mut Outcome) {
    let edits = |step: &Step| matches!(step, Step::Edit(title, _) if title.contains("sessionAffinity"));
    if case.steps.iter().any(edits) {
        return;
    }
    for (place, back) in answers.iter().enumerate().filter(|(_, answer)| !answer.is_lost()) {
        let Some(cookie) = &back.cookie else { continue };
        let before = answers.iter().take(place).rev();
        let Some(first) = before.into_iter().find(|one| one.gave(cookie)) else { continue };
        let (from, to) = (first.at, back.at + GRACE);
        let is_excused = excused.iter().any(|span| span.from <= to && span.to >= from);
        if first.version != back.version && carries(course, from, to) && !is_excused {
            let text = format!(
                "a client of {} came to {} {} ms later",
                first.version,
                back.version,
                back.at - first.at
            );
            outcome.findings.push(Finding::new(Law::Sessions, back.at, text));
            return;
        }
    }
}

/// Whether the canary has traffic all the time.
fn carries(course: &Course, from: Ms, to: Ms) -> bool {
    let before = course.weights.iter().rev().find(|(at, _)| *at <= from);
    let within = course.weights.iter().filter(|(at, _)| (from..=to).contains(at));
    before.into_iter().chain(within).all(|(_, weight)| *weight > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::scenarios;

    #[test]
    fn a_client_of_the_canary_who_comes_to_another_version_is_found() {
        let cookie = |value: &str| Some(format!("canary={value}"));
        let got = |at, version: &str, sets: Option<String>, cookie| {
            let version = version.to_owned();
            Answer { at, status: 200, version, sets, cookie, ..Answer::default() }
        };
        let given = || got(10_000, "2", cookie("a; Max-Age=600"), None);
        let check = |second: Answer, weight_later: u64, excused: &[Span], expect: usize| {
            let mut course = Course::default();
            course.weights = vec![(5_000, 25), (15_000, weight_later)];
            let (case, mut outcome) = (scenarios::clean("crashes", 0).unwrap(), Outcome::default());
            judge(&case, &course, excused, &[given(), second.clone()], &mut outcome);
            assert_eq!(outcome.findings.len(), expect, "{second:?}");
        };
        check(got(20_000, "2", None, cookie("a")), 50, &[], 0);
        check(got(20_000, "1", None, cookie("a")), 50, &[], 1);
        check(got(20_000, "1", None, cookie("a")), 0, &[], 0);
        check(got(20_000, "1", None, cookie("b")), 50, &[], 0);
        check(got(20_000, "1", None, None), 50, &[], 0);
        check(got(20_000, "", None, cookie("a")), 50, &[], 0);
        let crash = Span { from: 12_000, to: 13_000, what: String::new() };
        check(got(20_000, "1", None, cookie("a")), 50, &[crash], 0);
    }
}
