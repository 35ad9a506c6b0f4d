//! What is written is what was asked, and is read back.

use vexil_object::Action;

use super::{
    arbitrary::{forall, routes, split},
    case::{Case, broken},
};
use crate::{RouteError, Routes};

pub(super) fn are_read_back(case: &Case<'_>) -> Result<(), String> {
    for canary in 0..=100 {
        case.made(&split(canary)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

pub(super) fn follow_each_other(case: &Case<'_>) -> Result<(), String> {
    forall(&[routes(), routes(), routes()], |[first, second, third]| {
        let mut store = case.made(&first)?;
        case.make(&mut store, &second)?;
        case.make(&mut store, &third)
    })
}

pub(super) fn mirror_or_refuse(case: &Case<'_>) -> Result<(), String> {
    let mirrored = Routes::mirrored();
    if case.router.supports().mirror {
        return case.made(&mirrored).map(drop).map_err(|error| error.to_string());
    }
    match case.render(&case.cluster, &mirrored).map_err(|error| error.to_string())? {
        Err(RouteError::Unsupported { .. }) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

pub(super) fn begin_with_a_create(case: &Case<'_>) -> Result<(), String> {
    forall(&routes(), |want| {
        let read = case.read(&case.cluster)?;
        if !matches!(read, Err(RouteError::Absent { .. })) {
            return broken(format!("without a route, {read:?} is read"));
        }
        match case.render(&case.cluster, &want)?.as_deref() {
            Ok([only]) if only.key == case.route && matches!(only.action, Action::Create(_)) => Ok(()),
            other => broken(format!("without a route, {other:?} is wanted")),
        }
    })
}
