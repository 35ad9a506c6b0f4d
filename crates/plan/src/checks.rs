//! The metric checks of an analysis by name, so that a question finds its check again after an edit of the spec.

use vexil_api::{Analysis, Check, checks};

use crate::unique_names::UniqueNames;

/// The checks with unique names, in the order in which they are made.
pub(crate) fn named(analysis: &Analysis) -> impl Iterator<Item = (String, Check<'_>)> {
    let mut names = UniqueNames::default();
    checks(&analysis.metrics).into_iter().map(move |check| (names.unique(check.name()), check))
}

/// The check with this name among [`vexil_analysis::Plan::checks`].
pub fn named_check<'a>(analysis: &'a Analysis, name: &str) -> Option<Check<'a>> {
    named(analysis).find(|(own, _)| own == name).map(|(_, check)| check)
}

#[cfg(test)]
mod tests {
    use vexil_api::{Metric, TemplateRef};

    use super::*;

    /// A metric for each `(name, query)`.
    fn metrics(of: &[(&str, &str)]) -> Analysis {
        let metrics = of.iter().map(|(name, query)| Metric {
            name: (*name).to_owned(),
            query: Some((*query).to_owned()),
            ..Metric::default()
        });
        Analysis { metrics: metrics.collect(), ..Analysis::default() }
    }

    /// Asked about the check of this name, the query of the one that is made after the edit.
    #[track_caller]
    fn check(before: &[(&str, &str)], name: &str, after: &[(&str, &str)], expect: Option<&str>) {
        let (before, after) = (metrics(before), metrics(after));
        assert!(named_check(&before, name).is_some(), "{name} is asked");
        assert_eq!(named_check(&after, name).and_then(|check| check.metric.query.as_deref()), expect);
    }

    #[test]
    fn an_edit_of_other_metrics_does_not_change_which_one_is_asked() {
        let three = [("a", "1"), ("b", "2"), ("c", "3")];
        check(&three, "b", &three, Some("2"));
        check(&three, "b", &[("b", "2"), ("c", "3"), ("a", "1")], Some("2"));
        check(&three, "c", &[("new", "0"), ("c", "3")], Some("3"));
        check(&three, "b", &[("a", "1"), ("c", "3")], None);
        check(&[("a", "1"), ("a", "2")], "a#2", &[("b", "0"), ("a", "1"), ("a", "2")], Some("2"));
    }

    #[test]
    fn a_metric_that_is_configured_twice_is_two_checks_with_two_names() {
        let mut analysis = metrics(&[("a", "1")]);
        analysis.metrics[0].template_ref = Some(TemplateRef::default());
        let names: Vec<String> = named(&analysis).map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "a#2"]);
    }
}
