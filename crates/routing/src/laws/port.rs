//! An edit of `service.port` is followed by the entries that are there.

use super::{
    case::{Case, Held, broken, unstamped},
    requests::supported,
};
use crate::Routes;

/// Edits of the port's number, of its name, and of both.
const EDITS: [(i64, Option<&str>); 3] = [(8080, None), (80, Some("web")), (8080, Some("web"))];

/// The traffic that the route had before is still read from it, and the object becomes the one that the later port
/// alone makes. A copy of a route of the user has the port that its source names.
pub(super) fn is_followed(case: &Case<'_>) -> Result<(), String> {
    if case.source.is_some() {
        return Ok(());
    }
    let wants = supported(case);
    let all = wants.iter().flat_map(|want| EDITS.map(|edit| (want, edit)));
    all.into_iter().try_for_each(|(want, edit)| one(case, want, edit)).map_err(|error| error.to_string())
}

fn one(case: &Case<'_>, want: &Routes, (number, name): (i64, Option<&str>)) -> Held {
    let mut spec = case.target.spec.clone();
    (spec.service.port, spec.service.port_name) = (Some(number), name.map(str::to_owned));
    let after = case.with(case.target_with(&spec));
    let alone = after.live(&after.made(want)?)?;
    let mut store = case.made(want)?;
    let read = after.read(&store)?;
    if read.as_ref() != Ok(want) {
        return broken(format!(
            "after an edit of the port to {number} {name:?} {read:?} is read instead of {want:?}"
        ));
    }
    after.make(&mut store, want)?;
    let live = after.live(&store)?;
    if unstamped(live.clone()) == unstamped(alone.clone()) {
        return Ok(());
    }
    broken(format!("after an edit of the port to {number} {name:?} the route is {live}, and not {alone}"))
}
