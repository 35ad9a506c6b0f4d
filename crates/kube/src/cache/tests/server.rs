//! What a small API server holds: the history of one object, and the versions that another one takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vexil_object::meta;

/// The object after a version, if there is one.
pub(super) type State = Option<Value>;

pub(super) struct Server {
    /// States of the object by the version that brought them; the other object's versions lie between.
    pub(super) history: BTreeMap<u64, State>,
    /// The versions of the other object.
    pub(super) others: BTreeSet<u64>,
    /// The latest version.
    pub(super) head: u64,
    uids: u64,
}

impl Server {
    /// Without the object, at version 1.
    pub(super) fn new() -> Self {
        Server { history: BTreeMap::from([(1, None)]), others: BTreeSet::new(), head: 1, uids: 0 }
    }

    /// The object now.
    pub(super) fn live(&self) -> State {
        self.at(self.head)
    }

    /// The object as it was at a version.
    pub(super) fn at(&self, version: u64) -> State {
        self.history.range(..=version).next_back().unwrap().1.clone()
    }

    /// Creates the object, with another uid than before, or changes it.
    pub(super) fn write(&mut self) -> Value {
        self.head += 1;
        let uid = match self.at(self.head) {
            Some(live) => meta::uid(&live).to_owned(),
            None => {
                self.uids += 1;
                format!("u{}", self.uids)
            }
        };
        let object = object("podinfo", &uid, self.head);
        self.history.insert(self.head, Some(object.clone()));
        object
    }

    /// Deletes the object, if there is one.
    pub(super) fn delete(&mut self) {
        if self.live().is_some() {
            self.head += 1;
            self.history.insert(self.head, None);
        }
    }

    /// Changes the other object.
    pub(super) fn write_other(&mut self) {
        self.head += 1;
        self.others.insert(self.head);
    }
}

pub(super) fn object(name: &str, uid: &str, version: u64) -> Value {
    json!({"metadata": {"namespace": "test", "name": name, "uid": uid, "resourceVersion": version.to_string()}})
}
