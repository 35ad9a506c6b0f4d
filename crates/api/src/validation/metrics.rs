//! Validation of metric checks.

use super::{Subject, Validation};
use crate::{Metric, ThresholdRange};

/// The built-in queries, which every provider has.
const BUILT_IN: [&str; 2] = ["request-success-rate", "request-duration"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    for (index, metric) in analysis.metrics.iter().enumerate() {
        one(&format!("{path}.metrics[{index}]"), metric, found);
    }
}

fn one(path: &str, metric: &Metric, found: &mut Validation) {
    let query = metric.query.as_deref().is_some_and(|q| !q.trim().is_empty());
    let name = metric.name.as_str();
    if name.is_empty() {
        found.defect(format!("{path}.name"), "is required");
    } else if !query && metric.template_ref.is_none() && !BUILT_IN.contains(&name) {
        let known = BUILT_IN.join(", ");
        // No reason to refuse the Canary: it can be initialised, as with a template that does not exist.
        found.remark(
            path,
            format!(
                "`{name}` is not built in ({known}) and has neither templateRef nor query; this check fails, so that \
                 no new version passes"
            ),
        );
    }
    match metric.interval_ms() {
        Ok(0) => found.defect(format!("{path}.interval"), "must be longer than zero"),
        Ok(_) => {}
        Err(error) => found.defect(format!("{path}.interval"), error.to_string()),
    }
    if metric.threshold.is_some_and(|t| !t.is_finite()) {
        found.defect(format!("{path}.threshold"), "must be a finite number");
    }
    if let Some(range) = metric.threshold_range {
        bounds(&format!("{path}.thresholdRange"), range, found);
        if metric.threshold.is_some() {
            found.remark(format!("{path}.threshold"), "is ignored beside thresholdRange");
        }
    }
}

fn bounds(path: &str, range: ThresholdRange, found: &mut Validation) {
    for (field, bound) in [("min", range.min), ("max", range.max)] {
        if bound.is_some_and(|b| !b.is_finite()) {
            found.defect(format!("{path}.{field}"), "must be a finite number");
        }
    }
    if let (Some(min), Some(max)) = (range.min, range.max)
        && min > max
    {
        found.defect(path, format!("min {min} is more than max {max}; no value would pass"));
    }
}
