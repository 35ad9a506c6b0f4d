//! Which Canaries look at which objects, so that a change wakes those and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use vexil_object::{ObjectKey, kinds};

/// Who looks at what.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    by_object: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    by_canary: BTreeMap<ObjectKey, Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    objects: BTreeSet<ObjectKey>,
    apex: String,
}

impl Interest {
    /// Replaces what a Canary looks at: objects by their key, and the EndpointSlices of the Services of its apex.
    pub(crate) fn set(&mut self, canary: &ObjectKey, objects: &BTreeSet<ObjectKey>, apex: &str) {
        let looks = self.by_canary.entry(canary.clone()).or_default();
        apex.clone_into(&mut looks.apex);
        if looks.objects == *objects {
            return;
        }
        let before = std::mem::replace(&mut looks.objects, objects.clone());
        for gone in before.difference(objects) {
            self.drop_one(gone, canary);
        }
        for new in objects.difference(&before) {
            self.by_object.entry(new.clone()).or_default().insert(canary.clone());
        }
    }

    /// Forgets a Canary that is gone.
    pub(crate) fn forget(&mut self, canary: &ObjectKey) {
        if let Some(looks) = self.by_canary.remove(canary) {
            for object in looks.objects {
                self.drop_one(&object, canary);
            }
        }
    }

    fn drop_one(&mut self, object: &ObjectKey, canary: &ObjectKey) {
        if let Some(canaries) = self.by_object.get_mut(object) {
            canaries.remove(canary);
            if canaries.is_empty() {
                self.by_object.remove(object);
            }
        }
    }

    /// The Canaries that a change of `object` concerns.
    pub(crate) fn of(&self, object: &ObjectKey) -> BTreeSet<ObjectKey> {
        if object.kind() != kinds::ENDPOINT_SLICE {
            let mut canaries = self.by_object.get(object).cloned().unwrap_or_default();
            canaries.extend((object.kind() == kinds::CANARY).then(|| object.clone()));
            return canaries;
        }
        // Slices have generated names that begin with the Service's.
        let near = |(canary, looks): &(&ObjectKey, &Looks)| {
            canary.namespace() == object.namespace() && object.name().starts_with(&looks.apex)
        };
        self.by_canary.iter().filter(near).map(|(canary, _)| canary.clone()).collect()
    }

    /// Every Canary.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = &ObjectKey> {
        self.by_canary.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_concerns_those_who_look_at_it() {
        let mut interest = Interest::default();
        let canary = |name: &str| ObjectKey::new(kinds::CANARY, "test", name);
        let service = |name: &str| ObjectKey::new(kinds::SERVICE, "test", name);
        interest.set(&canary("a"), &[service("a"), service("shared")].into(), "a");
        interest.set(&canary("b"), &[service("shared")].into(), "b");
        assert_eq!(interest.of(&service("shared")), [canary("a"), canary("b")].into());
        assert_eq!(interest.of(&canary("c")), [canary("c")].into());
        let slice = ObjectKey::new(kinds::ENDPOINT_SLICE, "test", "b-primary-x7k2p");
        assert_eq!(interest.of(&slice), [canary("b")].into());
        interest.set(&canary("a"), &[service("a")].into(), "a");
        interest.forget(&canary("b"));
        assert_eq!(interest.of(&service("shared")), [].into());
        assert_eq!(interest.of(&service("a")), [canary("a")].into());
    }
}
