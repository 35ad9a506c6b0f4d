//! The label that tells canary pods from primary pods (`workloads.md` 2.4).

use serde_json::Value;
use vexil_object::Kind;

use crate::{
    Side, Subject, WorkloadError,
    metadata::pairs,
    subject::{primary, within},
};

/// Longest value of a label (Kubernetes "Labels and Selectors").
const VALUE_LIMIT: usize = 63;

/// One label of the target's selector. The primary has the same key and the value with `-primary` behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The label's key.
    pub key: String,
    /// The target's value.
    pub value: String,
}

impl Selector {
    /// The primary's value.
    pub fn primary_value(&self) -> String {
        primary(&self.value)
    }
}

/// The selector label of a target. Where there is a primary its key decides, since a selector can never be changed:
/// the flag may have changed, or the target may have been made anew with another label (`workloads.md` S19).
pub(crate) fn resolve(
    subject: &Subject<'_>,
    noun: &'static str,
    kind: Kind,
    target: &Value,
    existing: Option<&Value>,
) -> Result<Selector, WorkloadError> {
    const MATCH_LABELS: &str = "/spec/selector/matchLabels";
    let labels = pairs(target, MATCH_LABELS);
    let fixed = existing.map(|primary| pairs(primary, MATCH_LABELS)).unwrap_or_default();
    let keys = subject.settings.selector_keys();
    let of = |map: &crate::metadata::Pairs| {
        keys.iter().find_map(|key| map.get_key_value(key)).map(|(key, value)| (key.clone(), value.clone()))
    };
    if let Some((key, value)) = of(&fixed).or_else(|| fixed.clone().into_iter().next()) {
        let ours = labels.get(&key).filter(|own| primary(own) == value);
        return ours.map(|own| Selector { key: key.clone(), value: own.clone() }).ok_or_else(|| {
            WorkloadError::SelectorFixed {
                primary: subject.key(kind, Side::Primary).to_string(),
                fixed: format!("{key}={value}"),
                target: subject.key(kind, Side::Canary).to_string(),
            }
        });
    }
    let Some((key, value)) = of(&labels) else {
        return Err(WorkloadError::Selector {
            noun,
            name: subject.target.to_owned(),
            namespace: subject.namespace.to_owned(),
            keys: keys.join(" "),
        });
    };
    within("label value of the primary", primary(&value), VALUE_LIMIT)?;
    Ok(Selector { key, value })
}
