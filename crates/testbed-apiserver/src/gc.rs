//! What a cluster does by itself after a write: serve new kinds, delete what lost its owner, empty namespaces.
//!
//! The real cluster does this in controllers, some moments later. Here it is done before the next request, so that
//! nothing depends on chance.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    json::{has_finalizers, is_deleting, list, name, number, put, take, text, uid},
    state::State,
    store::{Happening, Key},
};

/// An object and where it is.
type Found = (String, Key, Arc<Value>);

impl State {
    /// Does what follows from the last write, until nothing follows any more.
    pub fn settle(&mut self, stamp: &str) {
        if !self.has_consequences() {
            return;
        }
        loop {
            let before = self.store.revision();
            self.serve_definitions(stamp);
            self.release_owners();
            self.collect_orphans(stamp);
            self.empty_namespaces(stamp);
            if self.store.revision() == before {
                return;
            }
        }
    }

    /// Whether the last write can lead to anything else: most cannot, and looking at all objects takes time.
    fn has_consequences(&self) -> bool {
        let Some(mut last) = self.store.since(self.store.revision().saturating_sub(1)) else {
            return true;
        };
        last.any(|event| {
            event.happening == Happening::Deleted
                || is_deleting(&event.object)
                || event.happening == Happening::Added && self.is_orphan(&event.object)
                || event.bucket.starts_with("customresourcedefinitions")
        })
    }

    /// Whether an object has owners of which none is there to stay.
    fn is_orphan(&self, object: &Value) -> bool {
        let stays = |owner: &Value| {
            let mut all = self.store.everything();
            all.any(|(_, _, o)| uid(o) == text(owner, &["uid"]) && !goes_after_its_dependents(o))
        };
        owners(object).next().is_some() && !owners(object).any(stays)
    }

    /// Serves exactly the kinds whose definitions are there.
    fn serve_definitions(&mut self, stamp: &str) {
        let definitions: Vec<Arc<Value>> = self
            .store
            .all("customresourcedefinitions.apiextensions.k8s.io")
            .map(|(_, o)| o.clone())
            .collect();
        for definition in definitions {
            super::crd::serve(self, &definition, stamp);
        }
        super::crd::forget_missing(self);
    }

    /// Lets go of owners that wait for their dependents, one way or the other.
    fn release_owners(&mut self) {
        for (bucket, key, owner) in self.waiting("orphan") {
            for (of, _, dependent) in self.dependents(uid(&owner)) {
                let mut freed = (*dependent).clone();
                let owners: Vec<Value> =
                    owners(&dependent).filter(|o| text(o, &["uid"]) != uid(&owner)).cloned().collect();
                match owners.is_empty() {
                    true => drop(take(&mut freed, &["metadata", "ownerReferences"])),
                    false => put(&mut freed, &["metadata", "ownerReferences"], json!(owners)),
                }
                self.store.put(&of, freed);
            }
            self.drop_finalizer(&bucket, &key, &owner, "orphan");
        }
        for (bucket, key, owner) in self.waiting("foregroundDeletion") {
            let mut blocking = self.dependents(uid(&owner));
            blocking.retain(|(_, _, dependent)| {
                owners(dependent).any(|o| {
                    text(o, &["uid"]) == uid(&owner) && o.get("blockOwnerDeletion") == Some(&json!(true))
                })
            });
            if blocking.is_empty() {
                self.drop_finalizer(&bucket, &key, &owner, "foregroundDeletion");
            }
        }
    }

    fn waiting(&self, finalizer: &str) -> Vec<Found> {
        let holds = |object: &Value| {
            is_deleting(object) && list(object, &["metadata", "finalizers"]).iter().any(|f| f == finalizer)
        };
        let all = self.store.everything().filter(|(_, _, object)| holds(object));
        all.map(|(bucket, key, object)| (bucket.to_owned(), key.clone(), object.clone())).collect()
    }

    fn dependents(&self, owner: &str) -> Vec<Found> {
        let all = self.store.everything();
        all.filter(|(_, _, object)| owners(object).any(|o| text(o, &["uid"]) == owner))
            .map(|(bucket, key, object)| (bucket.to_owned(), key.clone(), object.clone()))
            .collect()
    }

    fn drop_finalizer(&mut self, bucket: &str, key: &Key, object: &Value, finalizer: &str) {
        let mut freed = object.clone();
        let mut left = list(object, &["metadata", "finalizers"]).to_vec();
        left.retain(|have| have != finalizer);
        put(&mut freed, &["metadata", "finalizers"], json!(left));
        if left.is_empty() {
            take(&mut freed, &["metadata", "finalizers"]);
        }
        self.put_or_remove(bucket, key, freed);
    }

    /// Stores an object that is being deleted, or ends it when nothing holds it any more.
    fn put_or_remove(&mut self, bucket: &str, key: &Key, object: Value) {
        let held = has_finalizers(&object)
            || number(&object, &["metadata", "deletionGracePeriodSeconds"]) > 0
            || !list(&object, &["spec", "finalizers"]).is_empty() && bucket == "namespaces";
        if held {
            self.store.put(bucket, object);
        } else {
            self.store.remove(bucket, &key.0, &key.1);
        }
    }

    /// Deletes what has owners of which none is left, or whose remaining owner waits for it.
    fn collect_orphans(&mut self, stamp: &str) {
        let mut alive = BTreeSet::new();
        let mut foreground = BTreeSet::new();
        for (_, _, object) in self.store.everything() {
            alive.insert(uid(object).to_owned());
            if goes_after_its_dependents(object) {
                foreground.insert(uid(object).to_owned());
            }
        }
        let lost = |object: &Value| {
            let mut owners = owners(object).map(|owner| text(owner, &["uid"])).peekable();
            owners.peek().is_some()
                && owners.all(|owner| !alive.contains(owner) || foreground.contains(owner))
        };
        let all = self.store.everything().filter(|(_, _, object)| lost(object) && !is_deleting(object));
        let lost: Vec<Found> =
            all.map(|(bucket, key, object)| (bucket.to_owned(), key.clone(), object.clone())).collect();
        for (bucket, key, object) in lost {
            self.mark(&bucket, &key, &object, stamp);
        }
    }

    /// Deletes an object, or marks it when something holds it.
    fn mark(&mut self, bucket: &str, key: &Key, object: &Value, stamp: &str) {
        if is_deleting(object) {
            return;
        }
        let mut marked = object.clone();
        let grace = self.registry.of_bucket(bucket).map_or(0, |r| super::kinds::grace(&r, object, None));
        put(&mut marked, &["metadata", "deletionTimestamp"], json!(stamp));
        put(&mut marked, &["metadata", "deletionGracePeriodSeconds"], json!(grace));
        self.put_or_remove(bucket, key, marked);
    }

    /// Empties namespaces that are being deleted, and ends them when they are empty.
    fn empty_namespaces(&mut self, stamp: &str) {
        let ending: Vec<Arc<Value>> =
            self.store.all("namespaces").map(|(_, o)| o.clone()).filter(|o| is_deleting(o)).collect();
        for namespace in ending {
            let inside: Vec<Found> = self
                .store
                .everything()
                .filter(|(_, key, _)| key.0 == name(&namespace))
                .map(|(bucket, key, object)| (bucket.to_owned(), key.clone(), object.clone()))
                .collect();
            if inside.is_empty() {
                let mut free = (*namespace).clone();
                put(&mut free, &["spec"], json!({}));
                let key = (String::new(), name(&namespace).to_owned());
                self.put_or_remove("namespaces", &key, free);
            }
            for (bucket, key, object) in inside {
                self.mark(&bucket, &key, &object, stamp);
            }
        }
    }
}

fn goes_after_its_dependents(object: &Value) -> bool {
    let mut finalizers = list(object, &["metadata", "finalizers"]).iter();
    is_deleting(object) && finalizers.any(|f| f == "foregroundDeletion")
}

fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    list(object, &["metadata", "ownerReferences"]).iter()
}
