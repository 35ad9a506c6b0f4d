//! The weights that a TraefikService says, or why they cannot be told for certain.

use serde_json::Value;
use vexil_routing::{NAMELESS, RouteError, Routes, Weight};

use crate::view::{LIST, View, Whose};

/// The split between primary and canary. Entries of others take their share beside it and do not count.
pub(crate) fn routes(view: &View<'_>) -> Result<Routes, RouteError> {
    if let Some(path) = view.nameless() {
        return Err(view.edited(path, NAMELESS.to_owned()));
    }
    let edited = |problem| view.edited(LIST.to_owned(), problem);
    let (primary, canary) = (weight(view, Whose::Primary)?, weight(view, Whose::Canary)?);
    if primary.is_none() && canary.is_none() {
        return Err(edited("has no entry for the primary and none for the canary".to_owned()));
    }
    // An entry that is not there has no weight.
    let (primary, canary) = (primary.unwrap_or(Weight::ZERO), canary.unwrap_or(Weight::ZERO));
    if primary != canary.rest() {
        return Err(edited(format!("has primary {primary} and canary {canary}, which is not 100 in all")));
    }
    Ok(Routes::split(canary))
}

/// The weight of the one entry that is `whose`.
fn weight(view: &View<'_>, whose: Whose) -> Result<Option<Weight>, RouteError> {
    let mut found = None;
    for (at, (_, entry)) in view.entries.iter().enumerate().filter(|(_, (of, _))| *of == whose) {
        if found.is_some() {
            let path = format!("{LIST}[{at}]");
            return Err(view.edited(path, "names a Service that an entry before it names".to_owned()));
        }
        let weight = percent(entry.get("weight"))
            .map_err(|problem| view.edited(format!("{LIST}[{at}].weight"), problem))?;
        found = Some(weight);
    }
    Ok(found)
}

fn percent(weight: Option<&Value>) -> Result<Weight, String> {
    match weight {
        None | Some(Value::Null) => Err("is missing, which Traefik takes as 1".to_owned()),
        Some(value) => value
            .as_i64()
            .and_then(|percent| Weight::new(percent).ok())
            .ok_or_else(|| format!("is {value}, not a whole number from 0 to 100")),
    }
}
