//! Observations that do not show everything: pods that are counted while they are being deleted, and a route that
//! exists and cannot be read.

use crate::checked::{Bound, Fault::*, Rev::*, Rollout, Side::*, plan};

#[test]
fn a_rollout_survives_pods_that_leave_slowly() {
    let faults = [
        Push(H0),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Scale(true),
        Delete(Canary),
        Create(H2),
        Unanswered,
    ];
    let slowly = Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_at_rest(2, |state| {
        state.world.slow = true;
        state.push(H1);
    });
    slowly.check(30_000);
}

#[test]
fn a_rollout_survives_a_route_that_cannot_be_read() {
    let faults = [
        Unreadable(true),
        Unreadable(false),
        Push(H0),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Invalid(true),
        Bind(Bound::Target),
        Unanswered,
    ];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(2).check(30_000);
}
