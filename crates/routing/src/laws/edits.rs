//! What a careless hand leaves behind is told, and put back where that throws nothing away.

use serde_json::Value;
use vexil_object::{Store, meta};

use super::{
    arbitrary::{edit, edits, forall, json, routes},
    case::{Case, Held, broken},
};
use crate::{RouteError, Routes};

pub(super) fn are_told(case: &Case<'_>) -> Result<(), String> {
    forall(&(routes(), routes(), edits()), |(was, want, edits)| {
        let mut object = case.live(&case.made(&was)?)?;
        edit(&mut object, &edits);
        told(case, case.put(&case.cluster, object), &want)
    })
}

pub(super) fn of_any_shape(case: &Case<'_>) -> Result<(), String> {
    forall(&(json(), json(), routes()), |(whole, spec, want)| {
        told(case, case.put(&case.cluster, whole.clone()), &want)?;
        let ours = case.live(&case.made(&want)?)?;
        for mut object in [if whole.is_object() { whole } else { Value::Null }, ours] {
            meta::set(&mut object, &["spec"], spec.clone());
            told(case, case.put(&case.cluster, object), &want)?;
        }
        Ok(())
    })
}

/// Reading says how bad it is, and rendering does as reading said.
fn told(case: &Case<'_>, mut store: Store, want: &Routes) -> Held {
    // Releasing must be possible whatever it finds, or a Canary could not be deleted.
    let released = case.release(&store)?;
    let live = case.live(&store)?;
    match case.read(&store)? {
        Ok(read) => {
            let taken = (case.weights)(&live);
            if taken != Some(weights(&read)) {
                return broken(format!("{read:?} is read where the gateway takes {taken:?}: {live}"));
            }
            case.make(&mut store, want)
        }
        Err(RouteError::Edited { path, .. }) if !path.is_empty() => case.make(&mut store, want),
        Err(error @ RouteError::Malformed { .. }) => match case.render(&store, want)? {
            Err(RouteError::Malformed { path, .. }) if !path.is_empty() => Ok(()),
            other => broken(format!("{error:?} is read, {other:?} is rendered from {live}")),
        },
        Err(RouteError::Foreign { .. }) => match (case.render(&store, want)?, released) {
            (Err(RouteError::Foreign { .. }), Ok(changes)) if changes.is_empty() => Ok(()),
            other => broken(format!("of a foreign object, {other:?} is wanted")),
        },
        Err(error) => broken(format!("{error:?} is read from {live}")),
    }
}

fn weights(routes: &Routes) -> (i64, i64) {
    (routes.primary().percent().into(), routes.canary().percent().into())
}
