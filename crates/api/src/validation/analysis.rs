//! Validation of the analysis: interval, weights and strategy.

use super::{Subject, Validation};
use crate::{Analysis, Feature, parse_duration_ms};

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    if subject.spec.analysis.is_some() && subject.spec.canary_analysis.is_some() {
        found.remark("spec.canaryAnalysis", "is the old name of analysis, and ignored beside it");
    }
    if let Some(interval) = analysis.interval.as_deref().filter(|i| !i.is_empty())
        && let Err(error) = parse_duration_ms(interval)
    {
        found.defect(format!("{path}.interval"), error.to_string());
    }
    numbers(&path, analysis, found);
    strategy(subject, &path, analysis, found);
    if subject.spec.skip_analysis() {
        return;
    }
    // Without iterations only the weights advance the rollout.
    if analysis.iterations() == 0 && subject.router().weights {
        steps(&path, analysis, found);
    }
}

fn numbers(path: &str, analysis: &Analysis, found: &mut Validation) {
    let percentages = [
        ("maxWeight", analysis.max_weight),
        ("stepWeight", analysis.step_weight),
        ("stepWeightPromotion", analysis.step_weight_promotion),
        ("mirrorWeight", analysis.mirror_weight),
        ("primaryReadyThreshold", analysis.primary_ready_threshold),
        ("canaryReadyThreshold", analysis.canary_ready_threshold),
    ];
    for (field, number) in percentages {
        if let Some(number) = number.filter(|n| !(0..=100).contains(n)) {
            found.defect(format!("{path}.{field}"), format!("{number} is not between 0 and 100"));
        }
    }
    for (field, number) in [("threshold", analysis.threshold), ("iterations", analysis.iterations)] {
        if number.is_some_and(|n| n < 0) {
            found.defect(format!("{path}.{field}"), "must not be negative");
        }
    }
    for (index, weight) in analysis.step_weights.iter().enumerate() {
        let path = format!("{path}.stepWeights[{index}]");
        if *weight < 0 {
            found.defect(path, format!("{weight} is not between 0 and 100"));
        } else if *weight > 100 {
            // Flagger limits the weights `[1, 2, 10, 200]` to 100 too.
            found.remark(path, format!("{weight} is cut to 100"));
        }
    }
}

/// Fields that exclude each other, and fields that the router has to support.
fn strategy(subject: &Subject<'_>, path: &str, analysis: &Analysis, found: &mut Validation) {
    let router = subject.router();
    let by_step = analysis.step_weight() > 0;
    let by_list = !analysis.step_weights.is_empty();
    let by_count = analysis.iterations() > 0;
    if by_step && by_list {
        found.defect(format!("{path}.stepWeights"), "excludes stepWeight; keep one of the two");
    }
    if by_count && (by_step || by_list) {
        let other = if by_step { "stepWeight" } else { "stepWeights" };
        found.defect(format!("{path}.iterations"), format!("excludes {other}; keep one of the two"));
    }
    // A provider that cannot route ignores the conditions and says so in an event, as Flagger does.
    if !analysis.match_.is_empty() && by_count && !router.matches && router.weights {
        found.defect(format!("{path}.match"), subject.unsupported(Feature::Matches));
    }
    if !analysis.match_.is_empty() && !by_count {
        found.remark(format!("{path}.match"), "counts only together with iterations and is ignored");
    }
    if analysis.mirror() && !router.mirror {
        found.defect(format!("{path}.mirror"), subject.unsupported(Feature::Mirroring));
    }
    // Traffic is still split as asked, so Flagger ignores this one too.
    if analysis.session_affinity.is_some() && !router.affinity {
        let text = format!("is ignored: {}", subject.unsupported(Feature::SessionAffinity));
        found.remark(format!("{path}.sessionAffinity"), text);
    }
}

/// The weights have to advance from 0 to the maximum.
fn steps(path: &str, analysis: &Analysis, found: &mut Validation) {
    // Negative numbers are reported as such.
    let negative = |number: Option<i64>| number.is_some_and(|number| number < 0);
    if analysis.step_weights.is_empty() {
        if analysis.step_weight() == 0 && !negative(analysis.step_weight) && !negative(analysis.iterations) {
            let text = "the weight would never advance: set stepWeight or stepWeights";
            found.defect(format!("{path}.stepWeight"), text);
        }
        return;
    }
    let mut reached = 0;
    for (index, weight) in analysis.step_weights.iter().enumerate() {
        if (0..=reached).contains(weight) {
            let text =
                format!("the weight would never advance past {reached}: {weight} must be more than that");
            found.defect(format!("{path}.stepWeights[{index}]"), text);
        }
        reached = reached.max(*weight);
    }
}
