//! The exhaustive check of the engine: every state that a small world can come to, within bounds that keep it quick.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]
#![allow(clippy::disallowed_types, reason = "maps that are only looked up, by the million")]

#[path = "model/mod.rs"]
mod checked;
#[path = "model/deletion.rs"]
mod deletion;
#[path = "model/partial_observation.rs"]
mod partial_observation;

use vexil_analysis::{Strategy, Weight};

use checked::{Bound, Fault::*, Object, Rev::*, Rollout, Side::*, gated, plan};

/// Each state is cloned several times.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[test]
fn an_initialisation_survives_everything() {
    let faults = [
        Push(H1),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(30),
        Scale(false),
        Delete(Canary),
        Create(H0),
        Delete(Primary),
        Suspend,
        ApexEdited,
        Unreadable(true),
        Refuse(Object::Primary),
        Refuse(Object::Routes),
        Refuse(Object::Target),
        Unanswered,
        Down,
    ];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_anew(3).check(30_000);
}

#[test]
fn a_rollout_survives_pods_and_pushes() {
    let faults = [Push(H0), Push(H2), PodsCrash(Canary), PodsCrash(Primary), Down];
    Rollout::new(plan(&[30, 60], 0)).fails().faults(&faults).starting_with_a_push(3).check(30_000);
}

#[test]
fn a_rollout_survives_its_users() {
    let faults = [
        Push(H0),
        Push(H2),
        Route(0),
        Route(40),
        Route(100),
        Scale(false),
        Scale(true),
        Delete(Canary),
        Create(H1),
        Create(H2),
        Delete(Primary),
        Suspend,
        ApexEdited,
        ScalerEdited,
        ConfigsEdited,
    ];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_rollout_survives_refused_and_unanswered_writes() {
    let faults = [
        Push(H2),
        Push(H0),
        Refuse(Object::Primary),
        Refuse(Object::Routes),
        Refuse(Object::Target),
        Refuse(Object::Apex),
        Refuse(Object::Scaler),
        ScalerEdited,
        Unanswered,
        NotKnown(Object::Target),
        NotKnown(Object::Primary),
        NotKnown(Object::Routes),
        NotKnown(Object::Addresses),
        PodsCrash(Canary),
        PodsCrash(Primary),
    ];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_rollout_survives_late_caches() {
    let faults = [
        Late(Object::Target),
        Late(Object::Primary),
        Late(Object::Routes),
        Late(Object::Addresses),
        Push(H2),
        Push(H0),
        Route(40),
        Scale(false),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Delete(Primary),
        ConfigsEdited,
    ];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_rollout_survives_two_leaders() {
    let faults = [LoseLease, Push(H2), Push(H0), PodsCrash(Canary), PodsCrash(Primary), Route(40)];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_promotion_in_steps_survives_everything() {
    let faults =
        [Push(H2), Push(H0), PodsCrash(Canary), PodsCrash(Primary), Route(40), Scale(false), Unanswered];
    Rollout::new(plan(&[80], 40)).faults(&faults).starting_with_a_push(3).check(30_000);
}

#[test]
fn gates_survive_everything() {
    let faults = [
        Push(H0),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Scale(true),
        Delete(Canary),
        Delete(Primary),
        Suspend,
        Bind(Bound::Provider),
        Invalid(true),
        Unanswered,
        Down,
    ];
    Rollout::new(gated(&[50])).fails().rolls_back().faults(&faults).starting_with_a_push(1).check(30_000);
}

#[test]
fn gates_survive_pods_and_pushes() {
    let faults = [Push(H0), Push(H2), PodsCrash(Canary), PodsCrash(Primary)];
    Rollout::new(gated(&[50])).fails().rolls_back().faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn an_ab_test_survives_everything() {
    let tests = vexil_analysis::Plan { strategy: Strategy::AbTesting { iterations: 2 }, ..plan(&[50], 0) };
    let faults = [
        Push(H0),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Route(100),
        Delete(Primary),
        Unanswered,
        Down,
    ];
    Rollout::new(tests).fails().faults(&faults).starting_with_a_push(2).check(10_000);
}

#[test]
fn mirroring_survives_everything() {
    let faults = [Push(H0), Push(H2), PodsCrash(Canary), PodsCrash(Primary), Route(40), Unanswered, Down];
    let mirror = Some(Weight::FULL);
    let weights = vexil_analysis::Plan { mirror, ..plan(&[50], 0) };
    let strategy = Strategy::BlueGreen { iterations: 1 };
    let blue_green = vexil_analysis::Plan { strategy, ..weights.clone() };
    for of in [weights, blue_green] {
        Rollout::new(of).fails().faults(&faults).starting_with_a_push(1).check(1_000);
    }
}

#[test]
fn a_skipped_analysis_survives_everything() {
    let skips = vexil_analysis::Plan { skip_analysis: true, ..plan(&[50], 0) };
    let faults = [
        Push(H2),
        Push(H0),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Scale(false),
        Delete(Primary),
        Suspend,
        Refuse(Object::Routes),
        Unanswered,
        Down,
    ];
    Rollout::new(skips).faults(&faults).starting_with_a_push(2).check(30_000);
}

#[test]
fn a_takeover_survives_everything() {
    let faults =
        [Push(H2), Push(H0), PodsCrash(Canary), PodsCrash(Primary), Route(40), Delete(Primary), Down];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_taken_over(1).check(30_000);
}

#[test]
fn a_migration_survives_everything() {
    let faults = [
        Bind(Bound::Target),
        Bind(Bound::Provider),
        Bind(Bound::Own),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Route(40),
        Delete(Canary),
        Delete(Primary),
        DeleteServices,
        Refuse(Object::Backends),
        Refuse(Object::Leftovers),
        Unanswered,
    ];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_with_a_push(2).check(1_000);
}

#[test]
fn a_rollout_survives_a_primary_that_sleeps_or_is_not_ours() {
    let faults = [
        Sleep(true),
        Sleep(false),
        Disown(true),
        Disown(false),
        EditPrimary,
        Push(H0),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Delete(Canary),
        Create(H2),
    ];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_with_a_push(2).check(1_000);
}

#[test]
fn a_rollout_survives_an_invalid_spec() {
    let faults = [
        Invalid(true),
        Invalid(false),
        Push(H0),
        Push(H2),
        PodsCrash(Canary),
        PodsCrash(Primary),
        Delete(Primary),
        Bind(Bound::Provider),
    ];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_with_a_push(2).check(1_000);
}

#[test]
fn a_rollout_survives_clocks_and_downtime() {
    let faults =
        [ClockAhead, ClockBack, DownForAnHour, Push(H2), PodsCrash(Canary), PodsCrash(Primary), Route(40)];
    Rollout::new(plan(&[50], 0)).fails().faults(&faults).starting_with_a_push(2).check(1_000);
}

#[test]
fn an_image_that_does_not_exist_is_replaced_by_a_push() {
    let faults = [
        Push(H1),
        Push(H2),
        Delete(Canary),
        Create(H1),
        Delete(Primary),
        Bind(Bound::Target),
        Bind(Bound::Own),
        Invalid(true),
        Invalid(false),
        PodsCrash(Primary),
        DownForAnHour,
    ];
    Rollout::new(plan(&[50], 0)).faults(&faults).starting_with_a_broken_image(3).check(1_000);
}
