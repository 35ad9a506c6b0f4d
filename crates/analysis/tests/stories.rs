//! Whole rollouts as readable files: each story in `stories/` is a script, followed by what came of it.
//!
//! The part above the line `== timeline ==` is read; the part below is checked, or written anew with `UPDATE_EXPECT=1`.
//! A line that differs from what Flagger was observed to do ends with the name of its row of `docs/differences.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod story;

use std::path::Path;

use expect_test::expect_file;

#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stories/{name}.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let script = text.split("== timeline ==").next().unwrap_or_default();
    let timeline = story::run(script);
    expect_file![path].assert_eq(&format!("{script}== timeline ==\n{timeline}"));
}

macro_rules! stories {
    ($($name:ident),* $(,)?) => { $(#[test] fn $name() { check(&stringify!($name).replace('_', "-")); })* };
}

stories! {
    provider_edited_while_the_route_is_refused,
    provider_edited_while_the_primary_wakes, provider_edited_with_the_primary_down,
    traefik, rollback, restart, steps_of_20, promotion_fails, promotion_fails_and_recovers,
    promotion_fails_and_a_push_heals, weights_list_and_steps_back, canary_crashes, canary_never_ready,
    reverted_push, pushed_while_promoting,
    pushed_while_pods_are_deleted, spec_invalid_and_route_unreadable, skip_analysis, suspended,
    routes_edited_by_hand, write_refused,
    target_deleted, primary_deleted, pre_rollout_fails, hooks_after_the_end, crash_everywhere,
    pushed_while_rolling_back, primary_crashes, primary_crashes_while_rolling_back, promotion_fails_twice,
    promotion_fails_and_the_primary_dies, pushed_into_a_failing_promotion, pushed_while_the_primary_is_down,
    canary_without_addresses, taken_over_in_mid_run, taken_over_while_waiting, taken_over_while_promoting,
    scaled_up_between_rollouts, autoscaled, autoscaler_missing, autoscaler_rests, one_thing_after_the_other,
    target_edited_in_mid_run, provider_edited_in_mid_run, target_edited_and_edited_back,
    target_edited_and_the_new_primary_crashes, target_edited_to_one_that_does_not_exist,
    first_image_does_not_exist, primary_asleep, primary_falls_asleep_in_mid_run, primary_is_not_ours, primary_edited,
    canary_crashes_under_load, pushed_fix_while_the_primary_crashes, pushed_fix_with_skip_analysis,
    pushed_while_the_primary_service_is_gone, healing_canary_loses_its_pods, both_copies_lose_their_pods,
    services_deleted_while_the_spec_is_invalid, services_deleted_while_the_primary_is_down,
    initialisation_without_a_route,
    clock_set_ahead_between_steps, operator_down_between_steps,
    healing_push_fails_and_the_next_heals, promotion_never_ready_and_paused, spec_invalid_in_mid_run, clock_set_back,
    clock_set_ahead_while_waiting, operator_down_while_waiting, target_deleted_and_created_again, canary_flaps,
    provider_edited_while_the_canary_stands_in, primary_deleted_while_finalising,
    spec_invalid_while_traffic_cannot_go_back,
    clock_set_ahead_after_copied_requests,
    clock_set_ahead_in_a_drain, drain_restarted_three_times, waits_that_take_turns,
    blue_green, blue_green_without_a_mesh, blue_green_smoke_test, blue_green_gate,
    ab_testing, ab_testing_fails, ab_testing_primary_crashes, ab_testing_edited, mirrored, blue_green_mirrored,
    session_affinity, gates, gate_closed_at_the_start, gates_survive_restarts, approval_before_the_rollout,
    approval_withdrawn, rolled_back_by_hand, rolled_back_while_waiting_for_promotion,
    pushed_while_waiting_for_promotion, gateway_refuses_the_route, gateway_lags_in_an_ending,
    canary_deleted, canary_deleted_in_mid_run, canary_deleted_and_target_never_ready,
    canary_deleted_without_rights, canary_deleted_and_rights_come_late, primary_deleted_while_the_spec_is_invalid,
    canary_deleted_without_route_rights,
    canary_deleted_after_a_failed_promotion, canary_deleted_and_target_missing,
}
