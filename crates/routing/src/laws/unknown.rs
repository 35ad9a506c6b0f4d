//! Nothing is changed without having observed it, and nothing that has another owner.

use proptest::prelude::*;
use serde_json::json;
use vexil_object::{ObjectKey, Objects, Seen, Store, kinds, merge};

use super::{
    arbitrary::{add_fields, fields, forall},
    case::{Case, Held, broken},
    requests::{requests, supported},
};
use crate::{RouteError, Routes};

pub(super) fn foreign(case: &Case<'_>) -> Result<(), String> {
    let others =
        [("Knob", "podinfo", "uid-of-a-knob"), ("Canary", case.target.owner.name.as_str(), "an-earlier-uid")];
    let others = others.iter().filter(|_| case.owned).map(|(kind, name, uid)| {
        let owner = json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": true});
        json!({"metadata": {"ownerReferences": [owner]}})
    });
    for patch in others.chain(case.foreign.iter().cloned()) {
        forall(&(requests(case), requests(case), fields()), |(was, want, fields)| {
            let mut object = case.live(&case.made(&was)?)?;
            merge(&mut object, &patch);
            add_fields(&mut object, &fields);
            let store = case.put(&case.cluster, object);
            let answers = (case.read(&store)?, case.render(&store, &want)?, case.release(&store)?);
            match answers {
                (Err(RouteError::Foreign { .. }), Err(RouteError::Foreign { .. }), Ok(none))
                    if none.is_empty() =>
                {
                    Ok(())
                }
                answers => broken(format!("{answers:?}")),
            }
        })?;
    }
    Ok(())
}

pub(super) fn not_known(case: &Case<'_>) -> Result<(), String> {
    forall(&(requests(case), requests(case), any::<bool>()), |(was, want, there)| {
        let store = if there { case.made(&was)? } else { case.cluster.clone() };
        let seen = case.observe(&store)?;
        let keys: Vec<ObjectKey> = seen.iter().map(|(key, _)| key.clone()).collect();
        for key in keys {
            let mut have = seen.clone();
            have.insert(key.clone(), Seen::NotKnown);
            unobserved(case, &key, &have, &want)?;
        }
        Ok(())
    })
}

fn unobserved(case: &Case<'_>, key: &ObjectKey, have: &Objects, want: &Routes) -> Held {
    let rendered = case.router.render(&case.target, want, have);
    let released = case.router.release(&case.target, have);
    for changes in [&rendered, &released] {
        case.fenced(have, changes.as_deref().unwrap_or_default())?;
    }
    if key != &case.route {
        return Ok(());
    }
    match (case.router.read(&case.target, have), rendered, released) {
        (
            Err(RouteError::NotKnown { .. }),
            Err(RouteError::NotKnown { .. }),
            Err(RouteError::NotKnown { .. }),
        ) => Ok(()),
        answers => broken(format!("without having observed {key}: {answers:?}")),
    }
}

pub(super) fn questions_end(case: &Case<'_>) -> Result<(), String> {
    let want = supported(case).first().copied().unwrap_or(Routes::PRIMARY);
    for store in [case.cluster.clone(), Store::default(), case.made(&want).map_err(|e| e.to_string())?] {
        let answers = (case.read(&store), case.render(&store, &Routes::PRIMARY), case.release(&store));
        let (Ok(read), Ok(rendered), Ok(released)) = answers else { return Err(format!("{answers:?}")) };
        for error in [read.err(), rendered.err(), released.err()].into_iter().flatten() {
            if matches!(error, RouteError::NotKnown { .. }) {
                return Err(format!("{error}, and the router did not need it"));
            }
        }
    }
    Ok(())
}

pub(super) fn not_served(case: &Case<'_>) -> Result<(), String> {
    let mut store = case.cluster.clone();
    let seen = Objects::from(&store);
    let definitions = seen.iter().filter(|(key, _)| key.kind() == kinds::CUSTOM_RESOURCE_DEFINITION);
    let removed = definitions.filter_map(|(key, _)| store.remove(key)).count();
    if removed == 0 {
        return Ok(());
    }
    let answers = (case.read(&store), case.render(&store, &Routes::PRIMARY), case.release(&store));
    match answers {
        (Ok(Err(RouteError::NotServed { .. })), Ok(Err(RouteError::NotServed { .. })), Ok(Ok(none)))
            if none.is_empty() =>
        {
            Ok(())
        }
        answers => Err(format!("{answers:?}")),
    }
}
