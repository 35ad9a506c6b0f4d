//! What came of all cases: numbers, and the findings with the smallest way to each.

use std::{collections::BTreeMap, time::Duration};

use super::{finding::Law, outcome::Outcome, step::Case};

/// How many kinds of findings are shown in full.
const SHOWN: usize = 60;

/// What came of all cases.
#[derive(Debug, Default)]
pub struct Summary {
    cases: BTreeMap<&'static str, u64>,
    refused: u64,
    kills: u64,
    faults: u64,
    requests: u64,
    by_version: u64,
    lost: BTreeMap<String, u64>,
    /// By mode and law: how many, and the case with the fewest steps.
    found: BTreeMap<(&'static str, Law), Vec<Found>>,
}

#[derive(Debug)]
struct Found {
    steps: usize,
    number: u64,
    title: String,
    text: String,
}

impl Summary {
    /// Adds a case, and prints what it found.
    pub fn add(&mut self, case: &Case, outcome: &Outcome) {
        *self.cases.entry(case.mode).or_default() += 1;
        self.refused += u64::from(outcome.refused);
        self.kills += u64::from(outcome.kills);
        self.faults += outcome.faults;
        self.requests += outcome.requests;
        self.by_version += outcome.by_version;
        for (cause, count) in &outcome.lost {
            // Pods and tags are many, the kinds of causes are few.
            let cause = cause.split(" of ").next().unwrap_or_default();
            *self.lost.entry(cause.to_owned()).or_default() += count;
        }
        for finding in &outcome.findings {
            println!(
                "FINDING law {}: {} {}: {}: {}",
                finding.law, case.mode, case.number, case.title, finding.text
            );
            let found = Found {
                steps: case.steps.len(),
                number: case.number,
                title: case.title.clone(),
                text: finding.text.clone(),
            };
            self.found.entry((case.mode, finding.law)).or_default().push(found);
        }
    }

    /// Whether no law was broken.
    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// Prints all of it.
    pub fn print(&self, pairs: usize, took: Duration) {
        let of = |mode| self.cases.get(mode).copied().unwrap_or(0);
        let minutes = took.as_secs_f64() / 60.0;
        println!("== torture: {:.1} minutes", minutes);
        println!(
            "pairs of field and moment: {} of {pairs}, {} refused by the API server",
            of("edits"),
            self.refused
        );
        println!("crashes: {} cases, {} kills in all", of("crashes"), self.kills);
        println!("faults: {} cases, {} requests answered wrongly in all", of("faults"), self.faults);
        let cases: u64 = self.cases.values().sum();
        println!("seeds: {}; {:.0} cases a minute", of("seeds"), cases as f64 / minutes.max(f64::EPSILON));
        println!("requests of clients: {}; errors that a version made: {}", self.requests, self.by_version);
        for (cause, count) in &self.lost {
            println!("  no version's answer: {count} ({cause})");
        }
        for ((mode, law), all) in &self.found {
            println!("findings of {mode}, law {law}: {}", all.len());
            let mut all: Vec<&Found> = all.iter().collect();
            all.sort_by_key(|found| (found.steps, found.number));
            for found in all.into_iter().take(SHOWN) {
                println!(
                    "  cargo xtask torture {mode} --seed {}  # {}: {}",
                    found.number, found.title, found.text
                );
            }
        }
        if self.is_clean() {
            println!("no law was broken");
        }
    }
}
