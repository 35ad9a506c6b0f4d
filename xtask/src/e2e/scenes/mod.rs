//! The scenes, in the order in which they are listed.

mod crash;
mod definitions;
mod input;
mod rollout;
mod trouble;

use futures::future::BoxFuture;

use super::stage::Stage;

/// One scene: what a user does, and what must be seen.
pub struct Scene {
    pub name: &'static str,
    pub play: fn(Stage) -> BoxFuture<'static, anyhow::Result<()>>,
}

macro_rules! scenes {
    ($($name:literal => $play:expr),* $(,)?) => {
        &[$(Scene { name: $name, play: |stage| Box::pin($play(stage)) }),*]
    };
}

/// The operator runs and no router's CRD is there yet. Played alone, before all others.
pub static FIRST: &[Scene] = scenes! {
    "traefik's CRDs come while the operator runs" => definitions::come_later,
};

/// One operator serves all of these at the same time. The longest comes first.
pub static TOGETHER: &[Scene] = scenes! {
    "a rollout at 10 s is over in 3 intervals" => rollout::in_three_intervals,
    "a rollout" => rollout::promoted,
    "a bad version is rolled back, a good one promoted" => rollout::rolled_back,
    "a push at weight 20 restarts the analysis" => rollout::restarted,
    "a reverted push ends the rollout" => rollout::reverted,
    "all canary pods crash at 25 %" => trouble::crashes,
    "crashed pods come back and the step is tried again" => trouble::recovers,
    "a version that crashes is pushed at 25 %" => trouble::crashing_push,
    "the canary never becomes ready" => trouble::never_ready,
    "a route edited by hand is put back" => trouble::edited_route,
    "a MetricTemplate is missing" => input::missing_template,
    "the provider is not known" => input::unknown_provider,
    "the target is missing" => input::missing_target,
    "the metric server answers 500" => input::metrics_error,
    "the metric server answers a page" => input::metrics_page,
    "the metric server answers NaN" => input::metrics_nan,
    "the metric server has no values" => input::metrics_nothing,
    "the metric server has several series" => input::metrics_many,
};

/// Each has operators of its own, which are killed.
pub static KILLED: &[Scene] = scenes! {
    "killed at every write before its answer, promoted" => crash::promoted_unanswered,
    "killed at every write before it is sent, promoted" => crash::promoted_unsent,
    "killed at every write before its answer, rolled back" => crash::rolled_back_unanswered,
    "killed at every write before it is sent, rolled back" => crash::rolled_back_unsent,
    "killed at every write before its answer, restarted" => crash::restarted_unanswered,
    "killed at every write before it is sent, restarted" => crash::restarted_unsent,
    "killed at every write before its answer, reverted" => crash::reverted_unanswered,
    "killed at odd moments, promoted" => crash::promoted_at_odd_moments,
    "killed at odd moments, rolled back" => crash::rolled_back_at_odd_moments,
};

/// Changes the Canary's CRD for everybody. Played alone, after all others.
pub static LAST: &[Scene] = scenes! {
    "under the reference's CRD nothing is touched" => definitions::pruned,
};
