//! The operator is killed after each of its writes and started again: the rollout ends as if it had not been.

use crate::cluster::{
    KillSwitch,
    fault_injection::{PROMOTION, ROLLBACK, Rollout},
};

/// More writes than this would mean that a writer never stops.
const MOST_WRITES: u32 = 60;

async fn check(rollout: Rollout, also_the_initialisation: bool) {
    let clean = rollout.go(KillSwitch::new(None), |_| {}).await;
    assert!(clean.writes < MOST_WRITES, "{}", clean.text);
    let first = if also_the_initialisation { 1 } else { clean.first_writes + 1 };
    for write in first..=clean.writes {
        let what = format!("killed after write {write}");
        rollout.check(&what, &clean.outcome, KillSwitch::new(Some(write)), |_| {}).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_promotion_survives_a_crash_after_each_write() {
    check(PROMOTION, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_survives_a_crash_after_each_write() {
    check(ROLLBACK, false).await;
}

async fn check_loop(rollout: Rollout, every: u32) {
    let clean = rollout.go(KillSwitch::new(None), |_| {}).await.outcome;
    let what = format!("killed after every {every} writes");
    rollout.check(&what, &clean, KillSwitch::new(Some(every)), |stage| stage.cut_again = Some(every)).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_finished_by_operators_that_each_live_for_one_write_or_two() {
    check_loop(PROMOTION, 1).await;
    check_loop(PROMOTION, 2).await;
    check_loop(ROLLBACK, 1).await;
}
