//! Aggregations: many elements of a vector become one per group, or the few that stand out.

use std::collections::BTreeMap;

use promql_parser::parser::token::{
    T_AVG, T_BOTTOMK, T_COUNT, T_COUNT_VALUES, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUM,
    T_TOPK,
};
use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};

use super::functions::{ascending, descending, sorted};
use super::quantile::quantile;
use super::sum::{Sum, mean, variance};
use super::windows::{greater, lesser};
use super::{Element, Engine, QueryError, unsupported};
use crate::labels::Labels;
use crate::number;

impl Engine<'_> {
    pub(super) fn aggregate(&self, node: &AggregateExpr, at_ms: i64) -> Result<Vec<Element>, QueryError> {
        let elements = self.vector(&node.expr, at_ms)?;
        let groups = grouped(elements, node.modifier.as_ref());
        match node.op.id() {
            T_TOPK => Ok(chosen(groups, self.parameter(node, at_ms)?, descending)),
            T_BOTTOMK => Ok(chosen(groups, self.parameter(node, at_ms)?, ascending)),
            T_COUNT_VALUES => {
                let label = self.text(parameter(node)?, at_ms)?;
                count_values(groups, &label)
            }
            T_QUANTILE => {
                let rank = self.parameter(node, at_ms)?;
                Ok(merged(groups, |values| quantile(rank, values.to_vec())))
            }
            id => match of_values(id) {
                Some(function) => Ok(merged(groups, function)),
                None => Err(unsupported(&format!("the aggregation {}", node.op))),
            },
        }
    }

    fn parameter(&self, node: &AggregateExpr, at_ms: i64) -> Result<f64, QueryError> {
        self.scalar(parameter(node)?, at_ms)
    }
}

fn parameter(node: &AggregateExpr) -> Result<&Expr, QueryError> {
    let missing = || QueryError::BadData(format!("parse error: {} needs a parameter", node.op));
    node.param.as_deref().ok_or_else(missing)
}

type Groups = BTreeMap<Labels, Vec<Element>>;

fn grouped(elements: Vec<Element>, modifier: Option<&LabelModifier>) -> Groups {
    let mut groups = Groups::new();
    for element in elements {
        let key = match modifier {
            None => Labels::default(),
            Some(LabelModifier::Include(by)) => element.labels.only(&by.labels),
            Some(LabelModifier::Exclude(without)) => element.labels.except(&without.labels).nameless(),
        };
        groups.entry(key).or_default().push(element);
    }
    groups
}

fn merged(groups: Groups, function: impl Fn(&[f64]) -> f64) -> Vec<Element> {
    let merge = |(labels, members): (Labels, Vec<Element>)| {
        let values: Vec<f64> = members.iter().map(|element| element.value).collect();
        Element { labels, value: function(&values) }
    };
    groups.into_iter().map(merge).collect()
}

/// The aggregations that need nothing but the values.
fn of_values(id: u16) -> Option<fn(&[f64]) -> f64> {
    Some(match id {
        T_SUM => |values| Sum::of(values.iter().copied()),
        T_AVG => mean,
        T_COUNT => |values| values.len() as f64,
        T_GROUP => |_| 1.0,
        T_MIN => |values| values.iter().copied().reduce(lesser).unwrap_or(f64::NAN),
        T_MAX => |values| values.iter().copied().reduce(greater).unwrap_or(f64::NAN),
        T_STDVAR => variance,
        T_STDDEV => |values| variance(values).sqrt(),
        _ => return None,
    })
}

/// The first `count` of each group in that order, as they are.
fn chosen(groups: Groups, count: f64, order: fn(f64, f64) -> std::cmp::Ordering) -> Vec<Element> {
    // A count that is NaN or below 1 chooses none: the cast saturates.
    let count = count as usize;
    groups.into_values().flat_map(|members| sorted(members, order).into_iter().take(count)).collect()
}

/// One element per distinct value of each group, with the value in `label`.
fn count_values(groups: Groups, label: &str) -> Result<Vec<Element>, QueryError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if label.is_empty() || !label.chars().all(legal) || label.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(QueryError::Execution(format!("invalid label name {label:?}")));
    }
    let mut counts: BTreeMap<Labels, f64> = BTreeMap::new();
    for (labels, members) in groups {
        for member in members {
            let labels = labels.clone().with(label, number::positional(member.value));
            *counts.entry(labels).or_default() += 1.0;
        }
    }
    Ok(counts.into_iter().map(|(labels, value)| Element { labels, value }).collect())
}
