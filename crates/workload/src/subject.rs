//! The Canary as a workload sees it, and whose an object is that has the name of a generated one.

use std::ops::Deref;

use serde_json::Value;
use vexil_analysis::Side;
use vexil_api::CanaryView;
use vexil_object::{Kind, MAX_NAME_BYTES, ObjectKey, Objects, Seen, meta};

use crate::{Settings, WorkloadError};

/// Whose an object is that has the name of a generated one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// Its controller is this Canary, by uid.
    Ours,
    /// It has no controller: made by hand, or its owner references were lost, as after a restore from a backup.
    Unowned,
    /// It has another controller; the text names it: `HelmRelease shop`.
    Foreign(String),
}

impl std::fmt::Display for Ownership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ownership::Ours => f.write_str("this Canary"),
            Ownership::Unowned => f.write_str("no owner"),
            Ownership::Foreign(owner) => f.write_str(owner),
        }
    }
}

/// The Canary whose workloads are meant, and the operator's flags. It has the fields of the [`CanaryView`].
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The Canary.
    pub view: CanaryView<'a>,
    /// The operator's flags that concern workloads.
    pub settings: &'a Settings,
}

impl<'a> Deref for Subject<'a> {
    type Target = CanaryView<'a>;

    fn deref(&self) -> &Self::Target {
        &self.view
    }
}

impl Subject<'_> {
    /// The workload of one side, of the given kind.
    pub fn key(&self, kind: Kind, side: Side) -> ObjectKey {
        match side {
            Side::Primary => ObjectKey::new(kind, self.namespace, primary(self.target)),
            Side::Canary => ObjectKey::new(kind, self.namespace, self.target),
        }
    }

    /// The target as seen.
    pub(crate) fn target_in<'h>(
        &self,
        noun: &'static str,
        kind: Kind,
        have: &'h Objects,
    ) -> Result<&'h Value, WorkloadError> {
        present(noun, &self.key(kind, Side::Canary), have)
    }

    /// The primary as seen, `None` when there is none. One that this Canary does not control is refused, never adopted.
    pub(crate) fn primary_in<'h>(
        &self,
        kind: Kind,
        have: &'h Objects,
    ) -> Result<Option<&'h Value>, WorkloadError> {
        self.ours(&self.key(kind, Side::Primary), have)
    }

    /// A generated object as seen, `None` when there is none. One that this Canary does not control is refused.
    pub(crate) fn ours<'h>(
        &self,
        key: &ObjectKey,
        have: &'h Objects,
    ) -> Result<Option<&'h Value>, WorkloadError> {
        match have.get(key) {
            Seen::Present(object) => match self.ownership(object) {
                Ownership::Ours => Ok(Some(object)),
                Ownership::Unowned => {
                    Err(WorkloadError::Unowned { object: key.to_string(), canary: self.owner.name.clone() })
                }
                Ownership::Foreign(owner) => Err(WorkloadError::Foreign { object: key.to_string(), owner }),
            },
            Seen::Absent => Ok(None),
            Seen::NotKnown => Err(WorkloadError::NotKnown { object: key.to_string() }),
        }
    }

    /// The primary's name, when the API server would take it.
    pub(crate) fn primary_name(&self) -> Result<String, WorkloadError> {
        within("name of the primary", primary(self.target), MAX_NAME_BYTES)
    }

    /// Whose a generated object is, whole or projected. The uid of its controller decides: a Canary that was deleted
    /// and made again under the same name is another owner, whose objects the garbage collector is about to remove.
    pub fn ownership(&self, object: &Value) -> Ownership {
        let Some(reference) = meta::controller(object) else { return Ownership::Unowned };
        if self.owner.controls(object) {
            return Ownership::Ours;
        }
        let (kind, name) = (meta::text(reference, "/kind"), meta::text(reference, "/name"));
        Ownership::Foreign(if kind == "Canary" && name == self.owner.name {
            format!("an earlier Canary {name}, whose objects are about to be collected")
        } else {
            format!("{kind} {name}")
        })
    }
}

/// An object that must be there.
pub(crate) fn present<'h>(
    noun: &'static str,
    key: &ObjectKey,
    have: &'h Objects,
) -> Result<&'h Value, WorkloadError> {
    match have.get(key) {
        Seen::Present(object) => Ok(object),
        Seen::Absent => Err(missing(noun, key)),
        Seen::NotKnown => Err(WorkloadError::NotKnown { object: key.to_string() }),
    }
}

/// The error of an object that does not exist.
pub(crate) fn missing(noun: &'static str, key: &ObjectKey) -> WorkloadError {
    WorkloadError::Missing {
        noun,
        resource: format!("{}.{}", key.kind().plural, key.kind().group),
        name: key.name().to_owned(),
        namespace: key.namespace().to_owned(),
    }
}

/// The primary's counterpart of a name or label value.
pub(crate) fn primary(text: &str) -> String {
    format!("{text}-primary")
}

/// `text`, unless it is longer than `limit` characters.
pub(crate) fn within(what: &'static str, text: String, limit: usize) -> Result<String, WorkloadError> {
    if text.len() > limit { Err(WorkloadError::TooLong { what, text, limit }) } else { Ok(text) }
}
