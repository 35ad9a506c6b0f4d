//! Fields and entries of others are kept.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::Value;

use crate::Routes;

use super::{
    arbitrary::{add_fields, count, fields, forall},
    case::{Case, Held, Source, broken},
    requests::requests,
};

/// Key that marks an entry of others in a list.
const ENTRY: &str = "x-others-entry";

pub(super) fn survive(case: &Case<'_>) -> Result<(), String> {
    match &case.source {
        Some(source) => follow(case, source),
        None => stay(case),
    }
}

/// A copy has what the user's object has, whatever is requested, and that object is only read.
fn follow(case: &Case<'_>, source: &Source) -> Result<(), String> {
    forall(&(requests(case), requests(case), fields()), |(first, second, fields)| {
        let mut store = case.made(&first)?;
        let mut users = store.get(&source.key).cloned().unwrap_or_default();
        let Some(part) = users.pointer_mut(source.pointer) else {
            return broken(format!("{} has no {}", source.key, source.pointer));
        };
        let added = add_fields(part, &fields);
        store.put(source.key.clone(), users);
        let users = store.get(&source.key).cloned();
        for want in [first, second] {
            case.make(&mut store, &want)?;
            let live = case.live(&store)?;
            let lost: Vec<_> = added.iter().filter(|(key, value)| count(&live, key, value) == 0).collect();
            if !lost.is_empty() || store.get(&source.key) != users.as_ref() {
                return broken(format!("{lost:?} of {users:?} did not arrive at {want:?} in {live}"));
            }
        }
        Ok(())
    })
}

fn stay(case: &Case<'_>) -> Result<(), String> {
    let inputs = (requests(case), requests(case), fields(), vec(any::<Index>(), 0..4));
    forall(&inputs, |(first, second, fields, places)| {
        // What others wrote into an entry of ours is lost when another request removes that entry.
        let there = |routes: &Routes| {
            (std::mem::discriminant(routes), routes.primary().is_zero(), routes.canary().is_zero())
        };
        let second = if there(&first) == there(&second) { second } else { first };
        let mut object = case.live(&case.made(&first)?)?;
        let added = add_fields(&mut object, &fields);
        let entries = add_entries(case, &mut object, &places)?;
        let mut store = case.put(&case.cluster, object);
        for want in [second, first, second] {
            case.make(&mut store, &want)?;
            let live = case.live(&store)?;
            let lost: Vec<_> = added.iter().filter(|(key, value)| count(&live, key, value) == 0).collect();
            if !lost.is_empty() {
                return broken(format!("{lost:?} is lost at {want:?} in {live}"));
            }
            if entries_of_others(case, &live) != entries {
                return broken(format!("entries of others {entries:?} became {live}"));
            }
        }
        Ok(())
    })
}

pub(super) fn keep_their_order(case: &Case<'_>) -> Result<(), String> {
    let inputs = (requests(case), vec(any::<Index>(), 0..4), vec(any::<Index>(), 8));
    forall(&inputs, |(want, places, swaps)| {
        let mut object = case.live(&case.made(&want)?)?;
        add_entries(case, &mut object, &places)?;
        for shared in case.lists {
            shuffle(list(&mut object, shared.pointer)?, &swaps);
        }
        let mut store = case.put(&case.cluster, object.clone());
        case.make(&mut store, &want)?;
        let live = case.live(&store)?;
        if live.get("spec") == object.get("spec") {
            Ok(())
        } else {
            broken(format!("{object} became {live}"))
        }
    })
}

/// Inserts entries of others between ours and returns them, in order.
fn add_entries(case: &Case<'_>, object: &mut Value, places: &[Index]) -> Held<Vec<Value>> {
    for (n, place) in places.iter().enumerate() {
        for shared in case.lists {
            let mut entry = (shared.entry)();
            if let Some(map) = entry.as_object_mut() {
                map.insert(ENTRY.to_owned(), n.into());
            }
            let list = list(object, shared.pointer)?;
            list.insert(place.index(list.len() + 1), entry);
        }
    }
    Ok(entries_of_others(case, object))
}

fn entries_of_others(case: &Case<'_>, object: &Value) -> Vec<Value> {
    let lists = case.lists.iter().filter_map(|shared| object.pointer(shared.pointer)?.as_array());
    lists.flatten().filter(|entry| entry.get(ENTRY).is_some()).cloned().collect()
}

fn list<'a>(object: &'a mut Value, pointer: &str) -> Held<&'a mut Vec<Value>> {
    match object.pointer_mut(pointer) {
        Some(Value::Array(list)) => Ok(list),
        other => broken(format!("{pointer} is not a list but {other:?}")),
    }
}

fn shuffle(list: &mut [Value], swaps: &[Index]) {
    for (at, swap) in (0..list.len()).zip(swaps) {
        list.swap(at, swap.index(list.len()));
    }
}
