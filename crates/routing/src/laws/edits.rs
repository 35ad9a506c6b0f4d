//! Drift of any shape is reported, and corrected where that removes nothing of others.

use serde_json::Value;
use vexil_object::{Store, meta};

use super::{
    arbitrary::{edit, edits, forall, json},
    case::{Case, Held, broken},
    requests::requests,
};
use crate::{RouteError, Routes};

pub(super) fn are_reported(case: &Case<'_>) -> Result<(), String> {
    forall(&(requests(case), requests(case), edits()), |(was, want, edits)| {
        let mut object = case.live(&case.made(&was)?)?;
        edit(&mut object, &edits);
        reported(case, case.put(&case.cluster, object), &want)
    })
}

pub(super) fn of_any_shape(case: &Case<'_>) -> Result<(), String> {
    forall(&(json(), json(), requests(case)), |(any, spec, want)| {
        reported(case, case.put(&case.cluster, any.clone()), &want)?;
        let ours = case.live(&case.made(&want)?)?;
        for mut object in [if any.is_object() { any } else { Value::Null }, ours] {
            meta::set(&mut object, &["spec"], spec.clone());
            reported(case, case.put(&case.cluster, object), &want)?;
        }
        Ok(())
    })
}

/// Reading says whether rendering corrects or refuses it.
fn reported(case: &Case<'_>, mut store: Store, want: &Routes) -> Held {
    // Releasing must be possible whatever the object is, or a Canary could not be deleted.
    let released = case.release(&store)?;
    let live = case.live(&store)?;
    match case.read(&store)? {
        Ok(read) => {
            case.shows(&live, &read)?;
            case.make(&mut store, want)
        }
        Err(RouteError::Edited { path, .. }) if !path.is_empty() => case.make(&mut store, want),
        Err(error) if is_refusal(&error) => match case.render(&store, want)? {
            Err(again) if is_refusal(&again) => Ok(()),
            other => broken(format!("{error:?} is read, {other:?} is rendered from {live}")),
        },
        Err(RouteError::Foreign { .. }) => match (case.render(&store, want)?, released) {
            (Err(RouteError::Foreign { .. }), Ok(changes)) if changes.is_empty() => Ok(()),
            other => broken(format!("of a foreign object, rendering and releasing return {other:?}")),
        },
        Err(error) => broken(format!("{error:?} is read from {live}")),
    }
}

/// What a person has to correct, or what has to be made first, with its place.
fn is_refusal(error: &RouteError) -> bool {
    match error {
        RouteError::Malformed { path, .. } | RouteError::NoPrimary { path, .. } => !path.is_empty(),
        _ => false,
    }
}
