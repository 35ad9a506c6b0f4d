//! Selectors: from the store to vectors. Ranges are open on the left, as since Prometheus 3.0.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use promql_parser::parser::{AtModifier, MatrixSelector, Offset, SubqueryExpr, VectorSelector};

use super::{Element, Engine, LOOKBACK_MS, MAX_STEPS, QueryError, Series, Windows, unsupported};
use crate::labels::{Labels, METRIC_NAME};
use crate::store::Sample;

/// The step of a subquery that names none: Prometheus' default evaluation interval.
const SUBQUERY_STEP_MS: i64 = 60_000;

impl Engine<'_> {
    pub(super) fn instant(&self, selector: &VectorSelector, at_ms: i64) -> Result<Vec<Element>, QueryError> {
        let samples = self.instant_samples(selector, at_ms)?;
        Ok(samples.into_iter().map(|(labels, sample)| Element { labels, value: sample.value }).collect())
    }

    /// An instant vector that still knows when each sample was taken.
    pub(super) fn instant_samples(
        &self,
        selector: &VectorSelector,
        at_ms: i64,
    ) -> Result<Vec<(Labels, Sample)>, QueryError> {
        check(selector)?;
        let at_ms = self.moved(selector.at.as_ref(), selector.offset.as_ref(), at_ms);
        let found = self.store.latest(|labels| matches(selector, labels), at_ms, LOOKBACK_MS);
        Ok(found.into_iter().map(|(labels, sample)| (labels.clone(), sample)).collect())
    }

    pub(super) fn window(&self, selector: &MatrixSelector, at_ms: i64) -> Result<Windows, QueryError> {
        let MatrixSelector { vs, range } = selector;
        check(vs)?;
        let to_ms = self.moved(vs.at.as_ref(), vs.offset.as_ref(), at_ms);
        let from_ms = to_ms.saturating_sub(millis(*range));
        let found = self.store.between(|labels| matches(vs, labels), from_ms, to_ms);
        let series = found.into_iter().map(|(labels, samples)| Series { labels: labels.clone(), samples });
        Ok(Windows { series: series.collect(), from_ms, to_ms })
    }

    /// The inner expression at every multiple of the step in the range, whatever the time of the query.
    pub(super) fn subquery(&self, node: &SubqueryExpr, at_ms: i64) -> Result<Windows, QueryError> {
        let step_ms = node.step.map_or(SUBQUERY_STEP_MS, millis).max(1);
        let to_ms = self.moved(node.at.as_ref(), node.offset.as_ref(), at_ms);
        let from_ms = to_ms.saturating_sub(millis(node.range));
        let first = from_ms.div_euclid(step_ms) + 1;
        let last = to_ms.div_euclid(step_ms);
        if last.saturating_sub(first) > MAX_STEPS {
            return Err(QueryError::Execution("subquery has more than 11,000 steps".to_owned()));
        }
        let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
        for ts_ms in (first..=last).map(|n| n * step_ms) {
            for Element { labels, value } in self.vector(&node.expr, ts_ms)? {
                series.entry(labels).or_default().push(Sample { ts_ms, value });
            }
        }
        let series = series.into_iter().map(|(labels, samples)| Series { labels, samples });
        Ok(Windows { series: series.collect(), from_ms, to_ms })
    }

    /// The time a selector really looks at: `@` replaces the time of the query, `offset` is subtracted from either.
    fn moved(&self, at: Option<&AtModifier>, offset: Option<&Offset>, at_ms: i64) -> i64 {
        let base_ms = match at {
            None => at_ms,
            Some(AtModifier::Start) => self.start_ms,
            Some(AtModifier::End) => self.end_ms,
            Some(AtModifier::At(time)) => unix_millis(*time),
        };
        match offset {
            None => base_ms,
            Some(Offset::Pos(back)) => base_ms.saturating_sub(millis(*back)),
            Some(Offset::Neg(ahead)) => base_ms.saturating_add(millis(*ahead)),
        }
    }
}

/// Whether a series is selected.
pub(crate) fn matches(selector: &VectorSelector, labels: &Labels) -> bool {
    let named = selector.name.as_ref().is_none_or(|name| labels.get(METRIC_NAME) == name);
    named && selector.matchers.matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name)))
}

/// The parser reads `{a="x" or b="y"}`, which is not PromQL.
fn check(selector: &VectorSelector) -> Result<(), QueryError> {
    if selector.matchers.or_matchers.is_empty() {
        Ok(())
    } else {
        Err(unsupported("\"or\" between matchers"))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn unix_millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}
