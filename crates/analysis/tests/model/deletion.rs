//! The exhaustive check of a deletion with `revertOnDeletion`, at any moment of a rollout.

use crate::checked::{Bound, Fault::*, Object, Rev::*, Rollout, Side::*, plan};

#[test]
fn a_deletion_survives_everything() {
    let faults = [
        DeleteCanary,
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Delete(Canary),
        Suspend,
        Invalid(true),
        Sleep(true),
        Refuse(Object::Traffic),
        Refuse(Object::Target),
        Refuse(Object::Routes),
        NotKnown(Object::Target),
        Unanswered,
        Down,
    ];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_deletion_survives_its_users() {
    let faults = [
        DeleteCanary,
        Push(H2),
        PodsCrash(Primary),
        Scale(false),
        Delete(Primary),
        Bind(Bound::Target),
        Bind(Bound::Provider),
        Sleep(true),
        Invalid(true),
        Refuse(Object::Target),
        Refuse(Object::Routes),
    ];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_deletion_during_a_migration_survives_everything() {
    let faults = [
        DeleteCanary,
        Delete(Canary),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Bind(Bound::Own),
        Push(H2),
        Sleep(true),
        Refuse(Object::Target),
        Unanswered,
    ];
    let migrating = |model: Rollout, exists: bool| {
        model.starting_at_rest(2, |state| {
            state.spec.bound = Bound::Target;
            state.world.aside.target = state.world.aside.target.filter(|_| exists);
        })
    };
    let rollout = Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(1);
    migrating(migrating(rollout, true), false).check(30_000);
}
