//! An index of objects by whether their generation is odd: every other write of an object moves it.

use std::sync::Arc;

use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Projection, Seen, kinds::DEPLOYMENT};

use super::super::{Cache, Packing};

/// The projection with the index.
pub(super) struct ByGeneration;

const ODD: &str = "odd";

impl Projection for ByGeneration {
    fn kind(&self) -> Kind {
        DEPLOYMENT
    }

    fn keep(&self, object: Value) -> Value {
        object
    }

    fn index(&self, kept: &Value) -> Vec<(&'static str, String)> {
        vec![(ODD, is_odd(kept))]
    }
}

fn is_odd(object: &Value) -> String {
    let generation = object.pointer("/metadata/generation").and_then(Value::as_u64).unwrap();
    (generation % 2 == 1).to_string()
}

/// The objects of a list.
pub(super) fn list(objects: impl IntoIterator<Item = Value>) -> Packing {
    let mut list = Packing::indexed(Arc::new(ByGeneration));
    objects.into_iter().for_each(|object| list.add(&object));
    list
}

/// The index finds what a look at every object finds: at `key` and at an object that we never write.
pub(super) fn check_index(cache: &Cache, key: &ObjectKey) {
    let looks = [&ObjectKey::new(DEPLOYMENT, "test", "other"), key].map(|key| (key.clone(), cache.look(key)));
    let known = cache.look(key) != Seen::NotKnown;
    let found = ["true", "false"].map(|odd| (odd, cache.keys_by("test", ODD, odd)));
    for (odd, found) in &found {
        let has = |seen: &Seen| seen.object().is_some_and(|object| is_odd(object) == *odd);
        let expect = looks.iter().filter(|(_, seen)| has(seen)).map(|(key, _)| key.clone()).collect();
        assert!(*found == Some(expect) || found.is_none() && !known, "{odd}: {found:?} of {looks:?}");
    }
    let may_be_either = found.iter().any(|(_, found)| found.is_none());
    assert_eq!(may_be_either, !known, "an object of which nothing is known may be one of them");
    assert_eq!(cache.keys_by("elsewhere", ODD, "true"), Some(Vec::new()));
}
