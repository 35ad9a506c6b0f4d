//! The arithmetic of a rolling update: how many pods the new and the old ReplicaSets may have.

use serde_json::Value;

use super::Roll;
use crate::view;

/// `maxSurge` and `maxUnavailable` in pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// How many pods there may be above the desired number.
    pub surge: i64,
    /// How many of the desired number may be unavailable.
    pub unavailable: i64,
}

impl Limits {
    /// Resolves percentages: the surge is rounded up, what may be unavailable down, and both cannot be 0.
    pub fn of(deployment: &Value) -> Self {
        let desired = view::number(deployment, "/spec/replicas", 1);
        if view::text(deployment, "/spec/strategy/type") == "Recreate" {
            return Limits { surge: 0, unavailable: 0 };
        }
        let amount = |field: &str, up: bool| {
            let pointer = format!("/spec/strategy/rollingUpdate/{field}");
            pods(view::at(deployment, &pointer), desired, up)
        };
        let surge = amount("maxSurge", true);
        let unavailable = amount("maxUnavailable", false);
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Limits { surge, unavailable: unavailable.min(desired) }
    }
}

fn pods(amount: Option<&Value>, desired: i64, up: bool) -> i64 {
    let percent = match amount {
        Some(Value::Number(number)) => return number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => text.trim_end_matches('%').parse().unwrap_or(0),
        _ => 25,
    };
    (desired * percent + if up { 99 } else { 0 }) / 100
}

/// The size that a new ReplicaSet is created with.
pub(super) fn first(roll: &Roll<'_>) -> i64 {
    if view::text(roll.deployment, "/spec/strategy/type") == "Recreate" {
        return roll.desired;
    }
    let total: i64 = roll.sets().map(spec).sum();
    (roll.desired + roll.limits.surge - total).clamp(0, roll.desired)
}

/// The sets whose size must change now: the new one if it may grow (or must shrink), else the old ones.
pub(super) fn changes<'a>(roll: &Roll<'a>, new: &'a Value) -> Vec<(&'a Value, i64)> {
    let total: i64 = roll.sets().map(spec).sum();
    let size = spec(new);
    if size > roll.desired {
        return vec![(new, roll.desired)];
    }
    let room = roll.desired + roll.limits.surge - total;
    let grow = room.min(roll.desired - size);
    if grow > 0 {
        return vec![(new, size + grow)];
    }
    shrink_old(roll, new, total)
}

/// First the pods of old sets that are not available anyway, then available ones as far as `maxUnavailable` allows.
fn shrink_old<'a>(roll: &Roll<'a>, new: &Value, total: i64) -> Vec<(&'a Value, i64)> {
    let least = roll.desired - roll.limits.unavailable;
    let budget = total - least - (spec(new) - available(new));
    let mut sizes: Vec<(&Value, i64)> = roll.old.iter().map(|set| (*set, spec(set))).collect();
    let mut left = budget.max(0);
    for (set, size) in &mut sizes {
        let cut = (*size - available(set)).max(0).min(left);
        *size -= cut;
        left -= cut;
    }
    let mut spare = if budget > 0 { roll.sets().map(available).sum::<i64>() - least } else { 0 }.max(0);
    for (set, size) in &mut sizes {
        let cut = (*size).min(spare).min(available(set));
        *size -= cut;
        spare -= cut;
    }
    sizes.into_iter().filter(|(set, size)| spec(set) != *size).collect()
}

fn spec(set: &Value) -> i64 {
    view::number(set, "/spec/replicas", 1)
}

fn available(set: &Value) -> i64 {
    view::number(set, "/status/availableReplicas", 0)
}
