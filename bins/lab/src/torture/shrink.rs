//! Makes a case that breaks a law smaller: steps that can be left out are left out.

use super::{finding::Law, outcome::Outcome, step::Case};

/// How many runs this may take.
const RUNS: usize = 60;

/// The smallest case found that still breaks `law`, each step of which is needed.
pub fn shrink(case: &Case, law: Law, mut once: impl FnMut(&Case) -> anyhow::Result<Outcome>) -> Case {
    let mut smallest = case.clone();
    let mut runs = 0;
    // In halves, quarters and so on, and at last one by one.
    let mut size = (case.steps.len() / 2).max(1);
    loop {
        let mut at = 1;
        while at < smallest.steps.len() && runs < RUNS {
            let mut smaller = smallest.clone();
            let end = (at + size).min(smaller.steps.len());
            smaller.steps.drain(at..end);
            runs += 1;
            // A script that cannot be played any more is none.
            let breaks = once(&smaller).is_ok_and(|run| run.findings.iter().any(|found| found.law == law));
            if breaks {
                smallest = smaller;
            } else {
                at = end;
            }
        }
        if size == 1 || runs >= RUNS {
            return smallest;
        }
        size /= 2;
    }
}
