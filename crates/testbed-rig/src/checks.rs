//! The metric checks of the Canary with the values that the operator measured.

use std::collections::BTreeMap;

use anyhow::Context as _;
use vexil_api::{Canary, ThresholdRange};

use crate::{
    guide::NAMESPACE,
    styled_line::{Line, Tone},
};

/// The built-in check of errors, a share that must not fall below its bound.
const SUCCESS: &str = "request-success-rate";
/// The built-in check of durations.
const DURATION: &str = "request-duration";

/// The checks of the Canary, in the order in which they are asked.
#[derive(Debug)]
pub struct Checks {
    bounds: Vec<(String, ThresholdRange)>,
    values: BTreeMap<String, f64>,
    /// Failed checks before the rollback.
    pub threshold: u32,
    /// Checks before the promotion (Blue/Green); 0 where the weight grows instead.
    pub iterations: u32,
    /// By how much the weight grows with each step, and up to what.
    pub weights: (u32, u32),
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// Inside its bounds.
    Holds(f64),
    /// Outside of them.
    Fails(f64),
    /// Not yet, or an earlier one has failed.
    NotAsked,
}

impl Checks {
    /// The checks of a Canary, none of them asked yet.
    ///
    /// # Errors
    /// When the manifest is no Canary.
    pub fn of(manifest: &str) -> anyhow::Result<Self> {
        let canary: Canary = serde_saphyr::from_str(manifest).context("the Canary's manifest")?;
        let analysis = canary.spec.analysis().context("the Canary has no analysis")?;
        let bound = |metric: &vexil_api::Metric| (metric.name.clone(), bounds(metric));
        Ok(Checks {
            bounds: analysis.metrics.iter().map(bound).collect(),
            values: BTreeMap::new(),
            threshold: analysis.threshold(),
            iterations: analysis.iterations(),
            weights: (analysis.step_weight(), analysis.max_weight()),
        })
    }

    /// Steps of the analysis that are made, and how many there are.
    pub fn steps(&self, weight: u64, iterations: u64) -> (u64, u64) {
        let (step, most) = (u64::from(self.weights.0.max(1)), u64::from(self.weights.1));
        match u64::from(self.iterations) {
            0 => (weight.div_ceil(step), most.div_ceil(step)),
            all => (iterations.min(all), all),
        }
    }

    /// A new run: nothing has been asked.
    pub fn reset(&mut self) {
        self.values.clear();
    }

    /// Takes over what the operator says.
    pub fn update(&mut self, metrics: &str) {
        self.values = measured(metrics);
    }

    /// Name, bounds and standing of each. The first that fails ends the round.
    pub fn standings(&self) -> Vec<(&str, ThresholdRange, Standing)> {
        let mut ended = false;
        let mut stand = |name: &String, range: ThresholdRange| match self.values.get(name) {
            Some(value) if !ended && holds(*value, range) => Standing::Holds(*value),
            Some(value) if !ended => {
                ended = true;
                Standing::Fails(*value)
            }
            _ => Standing::NotAsked,
        };
        self.bounds.iter().map(|(name, range)| (name.as_str(), *range, stand(name, *range))).collect()
    }

    /// One line each, aligned.
    pub fn lines(&self) -> Vec<Line> {
        let standings = self.standings();
        let width = standings.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        let line = |(name, range, standing): &(&str, ThresholdRange, Standing)| {
            let (tone, mark, value) = match standing {
                Standing::Holds(value) => (Tone::Good, "✓", shown(name, *value)),
                Standing::Fails(value) => (Tone::Bad, "✗", shown(name, *value)),
                Standing::NotAsked => (Tone::Dim, "·", "–".to_owned()),
            };
            Line::of(tone, format!("{mark} {name:width$}  {value:>9}"))
                .and(Tone::Dim, format!("   {}", words(name, *range)))
        };
        standings.iter().map(line).collect()
    }

    /// All of them on one line.
    pub fn line(&self) -> Line {
        let asked = self.standings().into_iter().filter_map(|(name, _, standing)| match standing {
            Standing::Holds(value) => Some((Tone::Plain, format!("{name} {} ✓", shown(name, value)))),
            Standing::Fails(value) => Some((Tone::Bad, format!("{name} {} ✗", shown(name, value)))),
            Standing::NotAsked => None,
        });
        let part = |line: Line, (tone, text): (Tone, String)| {
            let gap = if line.text().is_empty() { "" } else { "   " };
            line.and(Tone::Plain, gap).and(tone, text)
        };
        asked.fold(Line::default(), part)
    }
}

/// The bounds of a check, also in their old form: one number, a minimum for the success rate and a maximum for
/// everything else.
fn bounds(metric: &vexil_api::Metric) -> ThresholdRange {
    let old = || match (metric.name.as_str(), metric.threshold) {
        (SUCCESS, min) => ThresholdRange { min, max: None },
        (_, max) => ThresholdRange { min: None, max },
    };
    metric.threshold_range.unwrap_or_else(old)
}

fn holds(value: f64, range: ThresholdRange) -> bool {
    range.min.is_none_or(|min| value >= min) && range.max.is_none_or(|max| value <= max)
}

/// The unit of a check's bounds: the two built-in ones have one, a template's value may be anything.
fn unit(name: &str) -> &'static str {
    match name {
        SUCCESS => " %",
        DURATION => " ms",
        _ => "",
    }
}

fn shown(name: &str, value: f64) -> String {
    let digits = if name == DURATION { 0 } else { 2 };
    format!("{value:.digits$}{}", unit(name))
}

fn words(name: &str, range: ThresholdRange) -> String {
    let unit = unit(name);
    match (range.min, range.max) {
        (Some(min), Some(max)) => format!("{min} to {max}{unit}"),
        (Some(min), None) => format!("at least {min}{unit}"),
        (None, Some(max)) => format!("at most {max}{unit}"),
        (None, None) => "any".to_owned(),
    }
}

/// The gauge `flagger_canary_metric_analysis` of the guides' Canary, by metric.
fn measured(text: &str) -> BTreeMap<String, f64> {
    let line = |line: &str| {
        let rest = line.strip_prefix("flagger_canary_metric_analysis{")?;
        let (labels, value) = rest.rsplit_once("} ")?;
        labels.contains(&format!("namespace=\"{NAMESPACE}\"")).then_some(())?;
        let (_, metric) = labels.split_once("metric=\"")?;
        let (metric, _) = metric.split_once('"')?;
        let value: f64 = value.split(' ').next()?.parse().ok()?;
        // Durations are exported in seconds, but judged in milliseconds.
        Some((metric.to_owned(), if metric == DURATION { value * 1000.0 } else { value }))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::GUIDES;

    /// All guides have the same two checks, in the old form or in the new one.
    fn check(success: &str, duration: &str, expect: &[&str]) {
        GUIDES.iter().for_each(|guide| check_one(guide.canary(), success, duration, expect));
    }

    fn check_one(canary: &str, success: &str, duration: &str, expect: &[&str]) {
        let mut checks = Checks::of(canary).unwrap();
        let series = |metric: &str, value: &str| match value {
            "" => String::new(),
            value => format!(
                "flagger_canary_metric_analysis{{name=\"podinfo\",namespace=\"test\",metric=\"{metric}\"}} {value}\n"
            ),
        };
        let text = format!(
            "# TYPE flagger_canary_metric_analysis gauge\n{}{}flagger_canary_total{{namespace=\"test\"}} 1\n",
            series("request-success-rate", success),
            series("request-duration", duration)
        );
        checks.update(&text);
        let lines: Vec<String> = checks.lines().iter().map(Line::text).collect();
        assert_eq!(lines, expect);
    }

    #[test]
    fn checks_are_shown_with_value_and_bound_up_to_the_first_that_fails() {
        check(
            "99.5",
            "0.099",
            &[
                "✓ request-success-rate    99.50 %   at least 99 %",
                "✓ request-duration          99 ms   at most 500 ms",
            ],
        );
        check(
            "53.4167",
            "0.099",
            &[
                "✗ request-success-rate    53.42 %   at least 99 %",
                "· request-duration              –   at most 500 ms",
            ],
        );
        check(
            "",
            "",
            &[
                "· request-success-rate          –   at least 99 %",
                "· request-duration              –   at most 500 ms",
            ],
        );
    }
}
