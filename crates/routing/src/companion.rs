//! Objects that belong to a route beside the one that holds the weights: DestinationRules, upstreams.

use serde_json::{Value, json};
use vexil_object::{Change, Kind, ObjectKey, Objects, Owner, Seen, meta};

use crate::{Claim, RouteError, put};

/// An object that the Canary owns and that has no weights. Fields of others in it are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Companion {
    /// The object, in the Canary's namespace.
    pub key: ObjectKey,
    /// The fields that it is to have, each with its path; `None` when it is not wanted: one that the Canary owns is
    /// deleted then.
    pub fields: Option<Vec<(&'static str, Value)>>,
}

impl Companion {
    /// What has to be observed for it.
    pub(crate) fn needs(&self) -> [ObjectKey; 2] {
        [self.key.kind().definition(), self.key.clone()]
    }

    /// The change that makes it as wanted; `None` when it is.
    ///
    /// # Errors
    /// When it was not observed, or is wanted and cannot be written: its kind is not served (`Ok(Err(kind))`), or it
    /// has another owner or none.
    pub(crate) fn change(
        &self,
        owner: &Owner,
        have: &Objects,
    ) -> Result<Result<Option<Change>, Kind>, RouteError> {
        let definition = self.key.kind().definition();
        match (have.get(&definition), &self.fields) {
            (Seen::NotKnown, _) => return Err(RouteError::NotKnown { object: definition.to_string() }),
            (Seen::Absent, None) => return Ok(Ok(None)),
            (Seen::Absent, Some(_)) => return Ok(Err(self.key.kind())),
            (Seen::Present(_), _) => {}
        }
        let claim = match (Claim::exclusive(&self.key, owner, have), &self.fields) {
            (Err(RouteError::Foreign { .. }), None) => return Ok(Ok(None)),
            (claim, _) => claim?,
        };
        Ok(Ok(match (claim, &self.fields) {
            (Claim::Ours(live), Some(fields)) => {
                Change::between(self.key.clone(), live, &with(live.clone(), fields))
            }
            (Claim::Ours(live), None) => Some(Change::delete(self.key.clone(), live)),
            (Claim::Absent, Some(fields)) => {
                Some(Change::create(self.key.clone(), with(self.bare(owner), fields)))
            }
            (Claim::Absent | Claim::Unclaimed(_), _) => None,
        }))
    }

    fn bare(&self, owner: &Owner) -> Value {
        let (kind, key) = (self.key.kind(), &self.key);
        let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind});
        meta::set(&mut object, &["metadata", "name"], key.name().into());
        meta::set(&mut object, &["metadata", "namespace"], key.namespace().into());
        meta::set(&mut object, &["metadata", "ownerReferences"], json!([owner.reference()]));
        object
    }
}

fn with(mut object: Value, fields: &[(&'static str, Value)]) -> Value {
    for (path, value) in fields {
        put(&mut object, path, value.clone());
    }
    object
}
