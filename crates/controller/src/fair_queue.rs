//! A queue that takes from each namespace in turn, and within a namespace from each Canary in turn: a thousand Canaries
//! of one tenant delay a Canary of another tenant by one place, not by a thousand.

use std::collections::{BTreeMap, VecDeque};

use vexil_object::ObjectKey;

/// What waits, by namespace and Canary.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    turns: VecDeque<String>,
    lines: BTreeMap<String, Line<T>>,
}

/// One namespace.
#[derive(Debug)]
struct Line<T> {
    turns: VecDeque<ObjectKey>,
    waiting: BTreeMap<ObjectKey, VecDeque<T>>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        FairQueue { turns: VecDeque::new(), lines: BTreeMap::new() }
    }
}

impl<T> FairQueue<T> {
    /// Adds an item of a Canary behind its other items. Of those, the ones for which `keep` is false are removed.
    pub(crate) fn push(&mut self, key: &ObjectKey, thing: T, keep: impl FnMut(&T) -> bool) {
        let line = self.lines.entry(key.namespace().to_owned()).or_insert_with(|| {
            self.turns.push_back(key.namespace().to_owned());
            Line { turns: VecDeque::new(), waiting: BTreeMap::new() }
        });
        let things = line.waiting.entry(key.clone()).or_insert_with(|| {
            line.turns.push_back(key.clone());
            VecDeque::new()
        });
        things.retain(keep);
        things.push_back(thing);
    }

    /// Takes the next item of a Canary that `may` accepts.
    pub(crate) fn pop(&mut self, may: impl Fn(&ObjectKey) -> bool) -> Option<(ObjectKey, T)> {
        for _ in 0..self.turns.len() {
            let namespace = self.turns.pop_front()?;
            let Some(line) = self.lines.get_mut(&namespace) else { continue };
            let found = line.pop(&may);
            if line.turns.is_empty() {
                self.lines.remove(&namespace);
            } else {
                self.turns.push_back(namespace);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether a Canary has an item.
    pub(crate) fn contains(&self, key: &ObjectKey) -> bool {
        self.lines.get(key.namespace()).is_some_and(|line| line.waiting.contains_key(key))
    }

    /// Removes the items of a Canary.
    pub(crate) fn remove(&mut self, key: &ObjectKey) {
        if let Some(line) = self.lines.get_mut(key.namespace())
            && line.waiting.remove(key).is_some()
        {
            line.turns.retain(|other| other != key);
        }
    }
}

/// Canaries of one namespace that are tried for one that is accepted: they rarely differ in that.
const MAX_TRIED: usize = 16;

impl<T> Line<T> {
    fn pop(&mut self, may: impl Fn(&ObjectKey) -> bool) -> Option<(ObjectKey, T)> {
        for _ in 0..self.turns.len().min(MAX_TRIED) {
            let key = self.turns.pop_front()?;
            if !may(&key) {
                self.turns.push_back(key);
                continue;
            }
            let things = self.waiting.get_mut(&key)?;
            let thing = things.pop_front();
            if things.is_empty() {
                self.waiting.remove(&key);
            } else {
                self.turns.push_back(key.clone());
            }
            return Some((key, thing?));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use vexil_object::kinds::CANARY;

    use super::*;

    fn key(name: &str) -> ObjectKey {
        let (namespace, name) = name.split_once('/').unwrap();
        ObjectKey::new(CANARY, namespace, name)
    }

    fn check(given: &[&str], may: impl Fn(&ObjectKey) -> bool, expect: &[&str]) {
        let mut fair = FairQueue::default();
        for name in given {
            fair.push(&key(name), *name, |_| true);
        }
        let taken: Vec<&str> = std::iter::from_fn(|| fair.pop(&may)).map(|(_, name)| name).collect();
        assert_eq!(taken, expect, "{given:?}");
    }

    #[test]
    fn namespaces_alternate_and_in_them_canaries() {
        let any = |_: &ObjectKey| true;
        check(&["a/1", "a/2", "a/3", "b/1"], any, &["a/1", "b/1", "a/2", "a/3"]);
        check(&["a/1", "a/1", "a/1", "a/2", "b/1"], any, &["a/1", "b/1", "a/2", "a/1", "a/1"]);
        check(&["a/1", "b/1", "a/2"], |key| key.namespace() == "b", &["b/1"]);
        check(&["a/1", "a/2", "a/3"], |key| key.name() != "1", &["a/2", "a/3"]);
        check(&[], any, &[]);
    }

    #[test]
    fn a_removed_canary_has_no_item() {
        let mut fair = FairQueue::default();
        fair.push(&key("a/1"), 1, |_| true);
        fair.push(&key("a/2"), 2, |_| true);
        fair.remove(&key("a/1"));
        assert!(!fair.contains(&key("a/1")) && fair.contains(&key("a/2")));
        assert_eq!(fair.pop(|_| true), Some((key("a/2"), 2)));
        assert_eq!(fair.pop(|_| true), None);
    }
}
