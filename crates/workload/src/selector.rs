//! The labels that distinguish canary pods from primary pods, and both from those of other workloads.
//!
//! One label is not an identity: two releases of one chart, or the web and the worker of one app, have the same `app`.
//! The target's pods are those with all labels of its selector, and the primary's are those with the same labels and
//! one value replaced.

use serde_json::Value;
use vexil_object::{Kind, MAX_LABEL_BYTES, meta};

use crate::{
    DeploymentView, Side, Subject, WorkloadError,
    metadata::{Pairs, pairs},
    subject::{primary, within},
};

/// Where the labels of pods are.
pub(crate) const POD_LABELS: &str = "/spec/template/metadata/labels";

/// The labels of the target's selector and of the primary that goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// The key of the label whose value the primary has with `-primary` behind it.
    pub key: String,
    /// The target's value of that label.
    pub value: String,
    /// Every label of the target's selector: what selects canary pods.
    pub canary: Pairs,
    /// What selects primary pods: `canary` with the one value replaced, as far as the primary's pod template carries
    /// it.
    pub primary: Pairs,
    /// The labels that every pod of the primary has in any case, because its own selector cannot be changed. The same
    /// as `primary` unless the primary was made by Flagger or for a target with other labels.
    pub always: Pairs,
    /// Whether every pod of the primary has the labels `primary`; otherwise its rollout is still under way.
    pub settled: bool,
    /// The labels of `canary`, with the one value replaced, that the primary's pods do not carry. The next promotion
    /// adds them.
    pub lacks: Pairs,
}

impl Selector {
    /// The primary's value.
    pub fn primary_value(&self) -> String {
        primary(&self.value)
    }

    /// The selector of a primary whose target, with these labels, may not exist any more; `None` when the primary is
    /// not a copy of such a target. `keys`: the labels that may tell both apart.
    pub fn of_primary(canary: Pairs, keys: &[String], primary: &Value) -> Option<Selector> {
        following(&Value::Null, canary, keys, primary, &equalities(primary))
    }

    /// The labels that the pods of a copy must carry: all that they are selected by, now or later.
    pub(crate) fn of_copy(&self) -> Pairs {
        let mut labels = replaced(&self.canary, &self.key);
        labels.extend(self.always.clone());
        labels
    }
}

/// `key=value,key=value`: labels as `kubectl --selector` takes them.
pub(crate) fn text(labels: &Pairs) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The selector labels of a target. Where there is a primary, what it selects by decides which label is replaced, since
/// a selector can never be changed: the flag may have changed, or the target may have been made anew with other labels.
pub(crate) fn resolve(
    subject: &Subject<'_>,
    noun: &'static str,
    kind: Kind,
    target: &Value,
    existing: Option<&Value>,
) -> Result<Selector, WorkloadError> {
    let labels = equalities(target);
    let keys = subject.settings.selector_keys();
    if let Some((live, fixed)) =
        existing.map(|live| (live, equalities(live))).filter(|(_, it)| !it.is_empty())
    {
        return following(target, labels, keys, live, &fixed).ok_or_else(|| WorkloadError::SelectorFixed {
            primary: subject.key(kind, Side::Primary).to_string(),
            fixed: text(&fixed),
            target: subject.key(kind, Side::Canary).to_string(),
        });
    }
    let Some((key, value)) = keys.iter().find_map(|key| labels.get_key_value(key)) else {
        return Err(WorkloadError::Selector {
            noun,
            name: subject.target.to_owned(),
            namespace: subject.namespace.to_owned(),
            keys: keys.join(" "),
        });
    };
    within("label value of the primary", primary(value), MAX_LABEL_BYTES)?;
    let all = replaced(&labels, key);
    Ok(Selector {
        key: key.clone(),
        value: value.clone(),
        primary: all.clone(),
        always: all,
        canary: labels,
        settled: true,
        lacks: Pairs::new(),
    })
}

/// The selector for a primary that selects its pods by `fixed`; `None` when a copy of the target could not have
/// those labels.
fn following(
    target: &Value,
    labels: Pairs,
    keys: &[String],
    live: &Value,
    fixed: &Pairs,
) -> Option<Selector> {
    let follows = |key: &String| labels.get(key).is_some_and(|own| fixed.get(key) == Some(&primary(own)));
    let key = keys.iter().chain(fixed.keys()).find(|key| follows(key))?.clone();
    let pods = pairs(target, POD_LABELS);
    let agrees = |(other, value): (&String, &String)| {
        *other == key || labels.get(other).or_else(|| pods.get(other)).is_none_or(|own| own == value)
    };
    if !fixed.iter().all(agrees) {
        return None;
    }
    let carried = pairs(live, POD_LABELS);
    let has = |key: &String, value: &String| fixed.get(key) == Some(value) || carried.get(key) == Some(value);
    let (mut selects, lacks): (Pairs, Pairs) =
        replaced(&labels, &key).into_iter().partition(|(key, value)| has(key, value));
    selects.extend(fixed.clone());
    Some(Selector {
        value: labels.get(&key)?.clone(),
        settled: selects == *fixed || DeploymentView::new(live).is_rolled_out(),
        key,
        canary: labels,
        primary: selects,
        always: fixed.clone(),
        lacks,
    })
}

fn replaced(labels: &Pairs, key: &str) -> Pairs {
    let mut labels = labels.clone();
    if let Some(value) = labels.get_mut(key) {
        *value = primary(value);
    }
    labels
}

/// What a selector says by equality: its `matchLabels`, and each `In` with one value. A Service can say no more, so
/// other expressions do not keep pods of others out of it; [`crate::mixed`] finds such pods.
fn equalities(workload: &Value) -> Pairs {
    let mut labels = pairs(workload, "/spec/selector/matchLabels");
    let expressions = workload.pointer("/spec/selector/matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let values = expression.get("values").and_then(Value::as_array).map(Vec::as_slice);
        if let (key, "In", Some([Value::String(value)])) =
            (meta::text(expression, "/key"), meta::text(expression, "/operator"), values)
        {
            labels.entry(key.to_owned()).or_insert_with(|| value.clone());
        }
    }
    labels
}
