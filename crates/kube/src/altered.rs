//! Writes that the API server accepted but did not store as they were sent: the report about them, and the rule that
//! the same write is not sent again and again.
//!
//! A definition of another version drops fields silently, a conversion or an admission webhook changes them. A
//! reconcile that compares the stored object with the wanted one then finds a difference each time.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde_json::Value;
use tokio::time::Instant;
use vexil_object::{Change, ObjectKey, definition, meta};

use crate::{
    retry_after::after,
    stored::{Difference, Rules, Sent, differences},
};

/// Fields that a message names; more are counted.
const NAMED: usize = 4;

/// Objects of which this is remembered.
const MOST: usize = 256;

/// After this the same write is tried once more: what changes the fields may be an admission webhook that was repaired
/// meanwhile, which cannot be observed.
const PATIENCE: Duration = Duration::from_secs(600);

/// The same after a definition was replaced: the API server goes by the former one for a moment.
const SETTLING: Duration = Duration::from_secs(5);

/// What an API server did not store as it was sent. Its text is for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// The object.
    pub object: String,
    /// Group and version that it was written in: `kuma.io/v1alpha1`.
    pub api: String,
    /// Name of the definition; empty for a built-in kind.
    pub definition: String,
    /// Versions that the definition serves, as far as they are known.
    pub versions: Vec<String>,
    /// Fields that are missing, as people write them: `spec.to[0].targetRef.labels`.
    pub dropped: Vec<String>,
    /// Whether the definition has no such fields; `None` when that is not known.
    pub unknown_to_definition: Option<bool>,
    /// Fields that have another value.
    pub changed: Vec<String>,
    /// Whether nothing was sent this time, because the same write has been answered so before.
    pub repeated: bool,
}

impl fmt::Display for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) is not stored as it was written: the API server ", self.object, self.api)?;
        match (self.dropped.as_slice(), self.changed.as_slice()) {
            (dropped, []) => write!(f, "dropped {}", named(dropped))?,
            ([], changed) => write!(f, "changed {}", named(changed))?,
            (dropped, changed) => write!(f, "dropped {} and changed {}", named(dropped), named(changed))?,
        }
        let versions = match self.versions.as_slice() {
            [] => String::new(),
            versions => format!(" (versions {})", versions.join(", ")),
        };
        match (self.definition.as_str(), self.unknown_to_definition) {
            ("", _) => f.write_str("; look for an admission webhook or policy that changes it")?,
            (crd, Some(true)) => write!(
                f,
                "; the CRD {crd}{versions} has no such field: apply the CRD of a version that has it"
            )?,
            (crd, _) => {
                write!(f, "; look for an admission webhook that changes it, and at the CRD {crd}{versions}")?
            }
        }
        f.write_str("; it is written again when the object, its definition or what is wanted changes")
    }
}

fn named(fields: &[String]) -> String {
    let named = fields.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match fields.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{named} and {more} more"),
        None => named,
    }
}

/// What was answered to a write, as far as it matters for the next one.
#[derive(Clone, Debug)]
struct Remembered {
    differences: Vec<Difference>,
    answer: Value,
    /// What the cache keeps of the answer.
    kept: Value,
    definition: Option<Identity>,
    until: Instant,
    report: Altered,
}

/// Which definition it was, and which state of it.
type Identity = (String, Option<Value>);

/// What the cache knows when a change is about to be made, or was made.
pub(crate) struct Known<'a> {
    /// The object; `None` when it is not there, or not known.
    pub(crate) object: Option<&'a Value>,
    /// The definition of its kind, if it has one.
    pub(crate) definition: Option<&'a Value>,
}

/// The writes that were not stored as they were sent, by object.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<ObjectKey, Remembered>);

impl Memory {
    /// What was answered before, when `change` would only say it once more.
    pub(crate) fn repeats(&self, change: &Change, known: &Known<'_>) -> Option<Altered> {
        let before = self.0.get(&change.key)?;
        let sent = Sent::of(&change.action)?;
        let as_before = before.until > after(Duration::ZERO)
            && before.definition == known.definition.map(identity)
            && known.object.is_some_and(|object| stable(object) == stable(&before.kept));
        let rules = Rules { built_in: change.key.kind().is_built_in(), exact: true };
        let known = |found: &Difference| {
            before.differences.iter().any(|known| known.path == found.path && known.sent == found.sent)
        };
        let repeats = as_before && differences(&sent, &before.answer, rules).iter().all(known);
        repeats.then(|| Altered { repeated: true, ..before.report.clone() })
    }

    /// Remembers what was answered.
    pub(crate) fn remember(
        &mut self,
        key: &ObjectKey,
        found: Vec<Difference>,
        (answer, kept): (Value, Value),
        definition: Option<&Value>,
        report: Altered,
    ) {
        let definition = definition.map(identity);
        let replaced = self.0.get(key).is_some_and(|before| before.definition != definition);
        let until = after(if replaced { SETTLING } else { PATIENCE });
        if self.0.len() >= MOST && !self.0.contains_key(key) {
            self.0.pop_first();
        }
        self.0
            .insert(key.clone(), Remembered { differences: found, answer, kept, definition, until, report });
    }

    /// The object is as it was written, or gone.
    pub(crate) fn forget(&mut self, key: &ObjectKey) {
        self.0.remove(key);
    }
}

fn identity(definition: &Value) -> Identity {
    (meta::uid(definition).to_owned(), definition.pointer("/metadata/generation").cloned())
}

/// An object without what changes by itself.
fn stable(object: &Value) -> Value {
    let mut stable = object.clone();
    if let Some(fields) = stable.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| {
                !matches!(name.as_str(), "generation" | "managedFields" | "resourceVersion")
            });
        }
    }
    stable
}

/// The report about a write that was answered with other fields. `shape` is the definition of the kind with its fields,
/// where it could be read.
pub(crate) fn report(key: &ObjectKey, found: &[Difference], shape: Option<&Value>) -> Altered {
    let kind = key.kind();
    let of = |missing: bool| found.iter().filter(move |found| found.missing == missing);
    let lacks = |found: &Difference| {
        let path = found.path.iter().map(String::as_str);
        definition::has_field(shape?, kind.version, path).map(|has| !has)
    };
    Altered {
        object: key.to_string(),
        api: kind.api_version(),
        definition: if kind.is_built_in() { String::new() } else { kind.definition().name().to_owned() },
        versions: shape
            .map(|shape| definition::served(shape).into_iter().map(str::to_owned).collect())
            .unwrap_or_default(),
        dropped: of(true).map(|found| dotted(&found.path)).collect(),
        unknown_to_definition: of(true).map(lacks).reduce(|one, other| Some(one? && other?)).flatten(),
        changed: of(false).map(|found| dotted(&found.path)).collect(),
        repeated: false,
    }
}

/// `spec.to[0].targetRef.labels`, `metadata.labels[kuma.io/mesh]`.
fn dotted(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            step if step.contains(['.', '/']) || step.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.push_str(&format!("[{step}]"));
            }
            step if text.is_empty() => text.push_str(step),
            step => text.push_str(&format!(".{step}")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
