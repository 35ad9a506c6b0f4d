//! The weights that a route says, or why they cannot be told for certain.

use serde_json::Value;
use vexil_object::ObjectKey;
use vexil_routing::{Claim, RouteError, RouteTarget, Routes, agreed};

use crate::{api::Api, view};

pub(crate) fn routes(
    api: Api,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    claim: Claim<'_>,
) -> Result<Routes, RouteError> {
    let (live, edited) = match claim {
        Claim::Absent => return Err(RouteError::Absent { object: key.to_string() }),
        Claim::Ours(live) => (live, view::edited(api, target, live)),
        Claim::Unclaimed(live) => {
            view::unusable(api, key, target, live)?;
            view::has_place(api, key, target, live)?;
            (live, Vec::new())
        }
    };
    let lists = view::lists(api, key, target, live)?;
    if let Some((path, problem)) = edited.first() {
        return Err(RouteError::edited(key, *path, *problem));
    }
    agreed(&lists, Value::as_i64)?
        .ok_or_else(|| RouteError::edited(key, view::TO, "has no rule that sends traffic to our Services"))
}
