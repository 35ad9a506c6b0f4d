//! Whole rollouts as readable files: each story in `stories/` is a script, followed by what came of it.
//!
//! The part above the line `== timeline ==` is read; the part below is checked, or written anew with `UPDATE_EXPECT=1`.
//! A line that differs from what the reference was seen to do ends with the name of its row of `docs/differences.md`.

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
    let timeline = story::tell(script);
    expect_file![path].assert_eq(&format!("{script}== timeline ==\n{timeline}"));
}

macro_rules! stories {
    ($($name:ident),* $(,)?) => { $(#[test] fn $name() { check(&stringify!($name).replace('_', "-")); })* };
}

stories! {
    traefik, rollback, restart, steps_of_20, promotion_fails, promotion_fails_and_recovers,
    promotion_fails_and_a_push_heals, weights_list_and_steps_back, canary_crashes, canary_never_ready,
    reverted_push, pushed_while_promoting, skip_analysis, suspended, routes_edited_by_hand, write_refused,
    target_deleted, primary_deleted, pre_rollout_fails, hooks_after_the_end, crash_everywhere,
    pushed_while_rolling_back, primary_crashes, primary_crashes_while_rolling_back, promotion_fails_twice,
    promotion_fails_and_the_primary_dies, pushed_into_a_failing_promotion, pushed_while_the_primary_is_down,
    canary_without_addresses, taken_over_in_mid_run, taken_over_while_waiting, taken_over_while_promoting,
    scaled_up_between_rollouts, autoscaled, autoscaler_missing, autoscaler_rests, one_thing_after_the_other,
    blue_green, blue_green_without_a_mesh, blue_green_smoke_test,
}
