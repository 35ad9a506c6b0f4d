//! How what the watch tells and what is laid over it become what is seen, and what looks different then.

use vexil_object::ObjectKey;

use super::{Cache, Progress, objects::Sight};
use crate::{
    changes::Noted,
    overlay::{Laid, What},
    packed::Packed,
};

impl Cache {
    /// The watch told what an object is now.
    pub(super) fn under_is(&mut self, key: &ObjectKey, packed: Option<Packed>, at: u64) -> Vec<Noted> {
        let before = self.objects.set(key, packed);
        let mut noted = Vec::new();
        let same = match (&before, self.under(key)) {
            (Some(before), Some(after)) => before.says_the_same(after),
            (before, after) => before.is_none() && after.is_none(),
        };
        if !same && !self.laid.contains_key(key) {
            noted = self.indexed_anew(key, before.as_ref());
            noted.push(Noted::Object(key.clone()));
        }
        noted.extend(self.reached(at));
        noted
    }

    /// Everything up to `at` has been told: what was laid over and is past goes. Answers what looks different now.
    pub(super) fn reached(&mut self, at: u64) -> Vec<Noted> {
        self.reached = self.reached.max(at);
        let past = self.laid.iter().filter(|(key, laid)| self.is_past(key, &laid.what));
        let past: Vec<ObjectKey> = past.map(|(key, _)| key.clone()).collect();
        past.iter().flat_map(|key| self.lift(key)).collect()
    }

    fn is_past(&self, key: &ObjectKey, what: &What) -> bool {
        what.is_past(self.reached, self.under(key), key)
    }

    pub(super) fn lay(&mut self, key: ObjectKey, what: What) -> Vec<Noted> {
        self.ticket += 1;
        let laid = (!self.is_past(&key, &what)).then_some(Laid { what, ticket: self.ticket });
        self.relaid(&key, laid)
    }

    pub(super) fn lift(&mut self, key: &ObjectKey) -> Vec<Noted> {
        self.relaid(key, None)
    }

    /// Replaces what is laid over an object.
    fn relaid(&mut self, key: &ObjectKey, laid: Option<Laid>) -> Vec<Noted> {
        let before = match laid {
            Some(laid) => self.laid.insert(key.clone(), laid),
            None => self.laid.remove(key),
        };
        let under = match self.under(key) {
            Some(object) => Sight::Present(object),
            None if self.progress == Progress::Synced => Sight::Absent,
            None => Sight::NotKnown,
        };
        let sight = before.as_ref().map_or(under, |laid| laid.what.sight());
        if sight == self.sight(key) {
            return Vec::new();
        }
        let before = sight.packed().cloned();
        let mut noted = self.indexed_anew(key, before.as_ref());
        noted.push(Noted::Object(key.clone()));
        noted
    }

    /// An object looked like this before and looks different now. Answers which lists differ.
    pub(super) fn indexed_anew(&mut self, key: &ObjectKey, before: Option<&Packed>) -> Vec<Noted> {
        let before = self.index.pairs(|| before.map(|packed| packed.value_of(key)));
        let after = self.index.pairs(|| self.sight(key).packed().map(|packed| packed.value_of(key)));
        self.index.change(key, before, after)
    }
}
