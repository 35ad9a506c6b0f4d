//! Warnings that hold nothing up: what is wrong with a spec, or with the cluster around a Canary. Each is reported
//! once, whatever restarts in between; the memory has the digests of those that were.

use crate::{bounded, bounded_text::digest, limits::MAX_REPORTED_WARNINGS};

/// Digests of the warnings that were reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reported {
    /// Warnings about the spec. Forgotten when an edit has removed the mistake, so that it is reported if it is made
    /// again.
    pub spec: Vec<u32>,
    /// Warnings about the cluster, the latest last. The oldest are forgotten when there are too many, so that a cluster
    /// that changes back and forth does not repeat them.
    pub cluster: Vec<u32>,
}

impl Reported {
    /// Whether this warning about the cluster was reported.
    pub fn has(&self, warning: &str) -> bool {
        self.cluster.contains(&digest(&bounded(warning.to_owned())))
    }

    /// Which of the warnings about a spec are new; they count as reported from now on. `complete`: the spec has no
    /// others, so that all others are forgotten.
    pub(crate) fn new_of_spec(&mut self, warnings: Vec<String>, complete: bool) -> Vec<String> {
        if complete {
            let current: Vec<u32> = warnings.iter().map(|warning| digest(warning)).collect();
            self.spec.retain(|known| current.contains(known));
        }
        new(&mut self.spec, warnings)
    }

    /// Which of the warnings about the cluster are new; they count as reported from now on.
    pub(crate) fn new_of_cluster(&mut self, warnings: Vec<String>) -> Vec<String> {
        new(&mut self.cluster, warnings)
    }
}

/// The new ones of the first [`MAX_REPORTED_WARNINGS`] warnings. The oldest of the others are forgotten for them.
fn new(known: &mut Vec<u32>, mut warnings: Vec<String>) -> Vec<String> {
    warnings.truncate(MAX_REPORTED_WARNINGS);
    let current: Vec<u32> = warnings.iter().map(|warning| digest(warning)).collect();
    warnings.retain(|warning| {
        let digest = digest(warning);
        let new = !known.contains(&digest);
        if new {
            known.push(digest);
        }
        new
    });
    while known.len() > MAX_REPORTED_WARNINGS {
        let Some(oldest) = known.iter().position(|digest| !current.contains(digest)) else { break };
        known.remove(oldest);
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// The spec has these warnings, one decision after the other; each reports those that are expected.
    #[track_caller]
    fn check_spec(decisions: &[(&[&str], bool, &[&str])]) {
        let mut reported = Reported::default();
        for (warnings, complete, expect) in decisions {
            assert_eq!(reported.new_of_spec(owned(warnings), *complete), owned(expect), "{warnings:?}");
        }
    }

    #[test]
    fn a_mistake_is_reported_once_and_again_when_it_is_made_again() {
        check_spec(&[(&["a"], true, &["a"]), (&["a"], true, &[]), (&["b", "a"], true, &["b"])]);
        check_spec(&[(&["a"], true, &["a"]), (&[], true, &[]), (&["a"], true, &["a"])]);
        // An invalid spec hides its other warnings.
        check_spec(&[(&["a"], true, &["a"]), (&["defect"], false, &["defect"]), (&["a"], true, &[])]);
        check_spec(&[(&["a", "a"], true, &["a"])]);
    }

    #[test]
    fn a_cluster_that_changes_back_and_forth_repeats_nothing() {
        let mut reported = Reported::default();
        for (warnings, expect) in
            [(["a", "b"], vec!["a", "b"]), (["b", "c"], vec!["c"]), (["a", "b"], vec![])]
        {
            assert_eq!(reported.new_of_cluster(owned(&warnings)), owned(&expect));
        }
        assert!(reported.has("c") && !reported.has("d"));
    }

    #[test]
    fn any_number_of_warnings_is_bounded_and_repeats_nothing() {
        let mut reported = Reported::default();
        let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(reported.new_of_cluster(many.clone()).len(), MAX_REPORTED_WARNINGS);
        assert_eq!(reported.new_of_cluster(many.clone()), owned(&[]));
        // The oldest that is not current is forgotten for a new one.
        assert_eq!(reported.new_of_cluster(owned(&["new", "1"])), owned(&["new"]));
        assert_eq!(reported.cluster.len(), MAX_REPORTED_WARNINGS);
        assert!(!reported.has("0") && reported.has("1") && reported.has("new"));
    }
}
