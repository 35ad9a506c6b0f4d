//! When a Canary releases its route, nothing of ours is left and everything of the user's.

use proptest::prelude::*;
use vexil_object::Store;

use super::{
    arbitrary::{add_fields, fields, forall},
    case::{Case, Held, broken, unstamped},
    requests::requests,
};

pub(super) fn of_our_own(case: &Case<'_>) -> Result<(), String> {
    forall(&(requests(case), fields()), |(was, fields)| {
        let mut object = case.live(&case.made(&was)?)?;
        add_fields(&mut object, &fields);
        let mut store = case.put(&case.cluster, object.clone());
        release(case, &mut store)?;
        match store.get(&case.route) {
            None => Ok(()),
            Some(left) if case.target.owner.controls(left) => Ok(()),
            Some(left) => broken(format!("{left} is left without an owner")),
        }
    })
}

pub(super) fn of_a_users(case: &Case<'_>) -> Result<(), String> {
    let users: Vec<_> = case.adoptable.iter().collect();
    if users.is_empty() {
        return Ok(());
    }
    forall(
        &(any::<prop::sample::Index>(), requests(case), requests(case), fields()),
        |(user, first, second, fields)| {
            let mut found = (*user.get(&users)).clone();
            add_fields(&mut found, &fields);
            let mut store = case.put(&case.cluster, found);
            let found = unstamped(case.live(&store)?);
            case.make(&mut store, &first)?;
            case.make(&mut store, &second)?;
            release(case, &mut store)?;
            let left = unstamped(case.live(&store)?);
            if left == found { Ok(()) } else { broken(format!("{found} was found, {left} is left")) }
        },
    )
}

/// Releases twice, since a deletion is retried until it succeeds.
fn release(case: &Case<'_>, store: &mut Store) -> Held {
    let changes = case.release(store)?.or_else(|error| broken(format!("cannot release: {error}")))?;
    case.apply(store, &changes)?;
    match case.release(store)?.as_deref() {
        Ok([]) => Ok(()),
        again => broken(format!("a second release returns {again:?}")),
    }
}
