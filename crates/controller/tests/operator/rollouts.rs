//! Rollouts as readable files: each in `rollouts/` is a script, followed by its timeline.
//!
//! The part above the line `== timeline ==` is read; the part below is checked, or written anew with
//! `UPDATE_EXPECT=1`.

use std::path::Path;

use expect_test::expect_file;

use crate::cluster::script;

async fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/operator/rollouts/{name}.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let script = text.split("== timeline ==").next().unwrap_or_default();
    let timeline = script::play(script).await;
    expect_file![path].assert_eq(&format!("{script}== timeline ==\n{timeline}"));
}

macro_rules! rollouts {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            check(&stringify!($name).replace('_', "-")).await;
        })*
    };
}

rollouts! {
    promotion, rollback, restart, canary_crashes, canary_keeps_crashing, reverted_push, operator_is_away,
    canary_never_ready, promotion_fails, gates, rolled_back_by_hand,
}
