//! The objects of a kind that were read, written or reported most recently, unpacked: a reconcile reads the same few
//! objects several times, and first of all those that have just changed.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::packed::Packed;

/// How many objects of a kind are kept: those of some reconciles at once. A tree takes up to 16 KiB, and as long as
/// nothing else is read they stay.
const KEPT: usize = 64;

/// The objects of one kind that were used most recently, each in one version.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    entries: Vec<Entry>,
    /// Counts uses.
    used: u64,
}

#[derive(Debug)]
struct Entry {
    /// The hash of the namespace and name, which is compared first.
    hash: u64,
    /// When it was last used.
    used: u64,
    packed: Packed,
    value: Arc<Value>,
}

impl Recent {
    /// The object as a tree, which is kept.
    pub(crate) fn value(&self, packed: &Packed) -> Arc<Value> {
        let mut entries = self.entries();
        entries.get(packed).unwrap_or_else(|| {
            let value = Arc::new(packed.value());
            entries.keep(packed, Arc::clone(&value));
            value
        })
    }

    /// The object as a tree, which is not kept: a version that another replaces is not read again.
    pub(crate) fn value_once(&self, packed: &Packed) -> Arc<Value> {
        let known = self.entries().get(packed);
        known.unwrap_or_else(|| Arc::new(packed.value()))
    }

    /// Keeps an object that was packed from this tree: it will be read soon.
    pub(crate) fn keep(&self, packed: &Packed, value: Arc<Value>) {
        self.entries().keep(packed, value);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn get(&mut self, packed: &Packed) -> Option<Arc<Value>> {
        let hash = hash(packed);
        let entry = self.entries.iter_mut().find(|entry| entry.hash == hash && entry.packed == *packed)?;
        self.used += 1;
        entry.used = self.used;
        Some(Arc::clone(&entry.value))
    }

    /// In the place of an older version, or of the object that was not used for the longest time.
    fn keep(&mut self, packed: &Packed, value: Arc<Value>) {
        self.used += 1;
        let entry = Entry { hash: hash(packed), used: self.used, packed: packed.clone(), value };
        let same = self.entries.iter().position(|kept| kept.hash == entry.hash);
        let number = match same {
            None if self.entries.len() < KEPT => return self.entries.push(entry),
            None => {
                self.entries.iter().enumerate().min_by_key(|(_, kept)| kept.used).map(|(number, _)| number)
            }
            same => same,
        };
        if let Some(kept) = number.and_then(|number| self.entries.get_mut(number)) {
            *kept = entry;
        }
    }
}

fn hash(packed: &Packed) -> u64 {
    let mut hasher = DefaultHasher::new();
    packed.place().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packed(name: usize, version: u64) -> Packed {
        let name = name.to_string();
        Packed::of(
            &json!({"metadata": {"namespace": "test", "name": name, "resourceVersion": version.to_string()}}),
        )
    }

    /// Whether the same tree is returned again.
    fn is_kept(recent: &Recent, packed: &Packed) -> bool {
        Arc::ptr_eq(&recent.value_once(packed), &recent.value_once(packed))
    }

    #[test]
    fn the_objects_that_were_used_last_stay() {
        let recent = Recent::default();
        let objects: Vec<Packed> = (0..=KEPT).map(|number| packed(number, 1)).collect();
        let (others, last) = objects.split_at(KEPT);
        others.iter().for_each(|packed| drop(recent.value(packed)));
        assert!(others.iter().all(|packed| is_kept(&recent, packed)));
        recent.value(&objects[0]);
        recent.value(&last[0]);
        let gone: Vec<usize> = (0..=KEPT).filter(|number| !is_kept(&recent, &objects[*number])).collect();
        assert_eq!(gone, [1]);
    }

    #[test]
    fn a_version_takes_the_place_of_an_older_one_and_one_that_is_read_once_takes_none() {
        let (recent, older, newer) = (Recent::default(), packed(1, 1), packed(1, 2));
        let tree = Arc::new(newer.value());
        recent.keep(&older, Arc::new(older.value()));
        recent.keep(&newer, Arc::clone(&tree));
        assert_eq!(*recent.value_once(&older), older.value());
        assert!(!is_kept(&recent, &older));
        assert!(Arc::ptr_eq(&recent.value(&newer), &tree));
    }
}
