//! An API server drops fields that its CRD does not have, silently. The route does not grow, and it is reported.

use proptest::prelude::*;
use serde_json::Value;
use vexil_object::Store;

use super::{
    arbitrary::{forall, pointers},
    case::{Case, Held, broken},
    requests::{requests, supported},
};
use crate::Routes;

/// How often the same is written.
const TIMES: usize = 4;

/// Whatever is dropped: writing the same again has the same result, and no list has more items than before.
pub(super) fn nothing_grows(case: &Case<'_>) -> Result<(), String> {
    let users: Vec<Option<&Value>> = [None].into_iter().chain(case.adoptable.iter().map(Some)).collect();
    let dropped = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    let wants = prop::collection::vec(requests(case), 2..4);
    forall(&(any::<prop::sample::Index>(), wants, dropped), |(user, wants, dropped)| {
        let mut store = match *user.get(&users) {
            None => case.cluster.clone(),
            Some(user) => case.put(&case.cluster, user.clone()),
        };
        let (mut fields, mut most) = (Vec::new(), 0);
        for want in supported(case) {
            let complete = written(case, &store, &want)?;
            fields.extend(shared(&complete));
            most = most.max(items(&complete));
        }
        if fields.is_empty() {
            return Ok(());
        }
        let dropped: Vec<&str> = dropped.iter().map(|at| at.get(&fields).as_str()).collect();
        if let Some(live) = store.get(&case.route).cloned() {
            store = case.put(&case.cluster, pruned(live, &dropped));
        }
        for want in wants.iter().cycle().take(wants.len() * 2) {
            repeatedly(case, &mut store, want, &dropped, most)?;
        }
        Ok(())
    })
}

fn repeatedly(case: &Case<'_>, store: &mut Store, want: &Routes, dropped: &[&str], most: usize) -> Held {
    let mut last: Option<Value> = None;
    for time in 0..TIMES {
        let changes = match case.render(store, want)? {
            // It is reported: a person has to act.
            Err(error) if !error.to_string().is_empty() => return Ok(()),
            Err(error) => return broken(format!("{error:?} has no text")),
            Ok(changes) => changes,
        };
        let settled = changes.is_empty();
        case.apply(store, &changes)?;
        let live = pruned(case.live(store)?, dropped);
        *store = case.put(store, live.clone());
        let live = unversioned(live);
        if items(&live) > most {
            return broken(format!(
                "without {dropped:?}, {live} has more items than {most} after {time} writes"
            ));
        }
        match case.read(store)? {
            Ok(read) if settled && read != *want => {
                return broken(format!(
                    "without {dropped:?}, {read:?} is read from {live} and considered to be {want:?}"
                ));
            }
            Err(error) if settled => {
                return broken(format!(
                    "without {dropped:?}, rendering changes nothing of {live}, and reading says {error}"
                ));
            }
            _ => {}
        }
        if last.as_ref().is_some_and(|last| *last != live) {
            return broken(format!("without {dropped:?}, {last:?} became {live} by the same write"));
        }
        last = Some(live);
    }
    Ok(())
}

/// The route as stored by a server that drops nothing.
fn written(case: &Case<'_>, store: &Store, want: &Routes) -> Held<Value> {
    let mut store = store.clone();
    case.make(&mut store, want)?;
    case.live(&store)
}

/// The fields below the spec, each once for all items of a list, as a schema names them.
fn shared(object: &Value) -> Vec<String> {
    let number = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let mut fields: Vec<String> = pointers(object)
        .into_iter()
        .filter(|at| at.starts_with("/spec/") && !at.rsplit('/').next().is_some_and(number))
        .map(|at| {
            at.split('/').map(|step| if number(step) { "*" } else { step }).collect::<Vec<_>>().join("/")
        })
        .collect();
    fields.sort();
    fields.dedup();
    fields
}

fn pruned(mut object: Value, fields: &[&str]) -> Value {
    for field in fields {
        let steps: Vec<&str> = field.split('/').skip(1).collect();
        drop_field(&mut object, &steps);
    }
    object
}

fn drop_field(place: &mut Value, steps: &[&str]) {
    match (place, steps) {
        (Value::Array(list), [_, rest @ ..]) => list.iter_mut().for_each(|item| drop_field(item, rest)),
        (Value::Object(map), [last]) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
        (Value::Object(map), [step, rest @ ..]) => {
            if let Some(below) = map.get_mut(&step.replace("~1", "/").replace("~0", "~")) {
                drop_field(below, rest);
            }
        }
        _ => {}
    }
}

/// The number of items of all lists.
fn items(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.len() + list.iter().map(items).sum::<usize>(),
        Value::Object(map) => map.values().map(items).sum(),
        _ => 0,
    }
}

fn unversioned(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
    }
    object
}
