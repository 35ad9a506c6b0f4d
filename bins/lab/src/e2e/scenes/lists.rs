//! The lists of scenes by name: what several systems play is one list.

use super::{
    Named, apisix, blue_green, configs, crash, definitions, deletion, gates, guides, input, knative, kuma,
    migration, names, rollout, routes, scalers, smi, strategies, targets, trouble,
};

macro_rules! scenes {
    ($($name:literal => $play:expr),* $(,)?) => {
        &[$(($name, |stage| Box::pin($play(stage)))),*]
    };
}

pub static ROUTE_KINDS: &[Named] = scenes! {
    "its CRDs come, go in mid-run and come back" => definitions::come_and_go,
};

pub static ROLLOUT: &[Named] = scenes! {
    "a rollout" => rollout::promoted,
};

pub static KNATIVE_SERVICES: &[Named] = scenes! {
    "a Revision is promoted, another rolled back" => knative::revisions,
};

/// What every system with routes must do.
pub static EVERYWHERE: &[Named] = scenes! {
    "a bad version is rolled back, a good one promoted" => rollout::rolled_back,
    "a route edited or deleted by hand is put back" => routes::put_back,
    "names as long as can be" => names::long_names,
    "the route has another owner" => routes::foreign,
};

pub static REAL: &[Named] = scenes! {
    "a bad version is rolled back, a good one promoted" => rollout::rolled_back,
    "a route edited or deleted by hand is put back" => routes::put_back,
};

pub static REAL_SCALERS: &[Named] = scenes! {
    "a ScaledObject rests and is resumed" => scalers::keda_pauses,
};

pub static FLAGGERS_KIND: &[Named] = scenes! {
    "under Flagger's CRD nothing is touched" => definitions::flaggers,
};

/// What does not depend on the system.
pub static ONCE: &[Named] = scenes! {
    "a rollout" => rollout::promoted,
    "a rollout at 10 s is over in 3 intervals" => rollout::in_three_intervals,
    "a push at weight 20 restarts the analysis" => rollout::restarted,
    "a reverted push ends the rollout" => rollout::reverted,
    "all canary pods crash at 25 %" => trouble::crashes,
    "crashed pods come back and the step is tried again" => trouble::recovers,
    "a version that crashes is pushed at 25 %" => trouble::crashing_push,
    "the canary never becomes ready" => trouble::never_ready,
    "a name is too long" => names::too_long,
    "the primary's name is taken" => names::primary_is_taken,
    "a Service's name is taken" => names::service_is_taken,
    "a second Canary has the same target" => input::second_canary,
    "a port name does not exist" => input::missing_port,
    "a MetricTemplate is missing" => input::missing_template,
    "the provider is not known" => input::unknown_provider,
    "the target is missing" => input::missing_target,
    "three gates are closed and opened" => gates::opened,
    "a rollback hook passes at 25 %" => gates::taken_back,
    "a ConfigMap is promoted, a Secret rolled back" => configs::rolled_out,
    "a DaemonSet is promoted" => targets::daemon_set,
    "a Service is promoted and rolled back" => targets::core_service,
    "the Canary is deleted at 25 %" => deletion::reverted,
    "the metric server answers 500" => input::metrics_error,
    "the metric server answers a page" => input::metrics_page,
    "the metric server answers NaN" => input::metrics_nan,
    "the metric server has no values" => input::metrics_nothing,
    "the metric server has several series" => input::metrics_many,
};

pub static WITHOUT_ROUTES: &[Named] = scenes! {
    "blue/green" => blue_green::promoted,
    "blue/green, a bad version is rolled back" => blue_green::rolled_back,
};

pub static BLUE_GREEN: &[Named] = scenes! {
    "blue/green" => strategies::blue_green,
};

pub static STRATEGIES_OF_ISTIO: &[Named] = scenes! {
    "mirroring" => strategies::mirrored_by_field,
    "session affinity" => strategies::sticky_by_routes,
};

pub static STRATEGIES_OF_THE_GATEWAY_API: &[Named] = scenes! {
    "mirroring" => strategies::mirrored_by_filter,
    "session affinity" => strategies::sticky_by_rules,
};

pub static AB_TESTING: &[Named] = scenes! {
    "A/B testing" => strategies::ab_testing_by_routes,
};

pub static STRATEGIES_OF_NGINX: &[Named] = scenes! {
    "A/B testing" => strategies::ab_testing_by_annotations,
};

pub static FOLLOWS_A_ROUTE: &[Named] = scenes! {
    "the user's route changes at 25 %" => apisix::followed,
    "routeRef names nothing" => apisix::missing,
    "there is no routeRef" => apisix::not_named,
    "routeRef names another kind" => apisix::other_kind,
    "the user's route is for another Service" => apisix::other_service,
    "the user's route names a port that does not exist" => apisix::missing_port,
};

pub static ISTIOS_ADAPTER: &[Named] = scenes! {
    "its guide's manifests in v1alpha3" => guides::smi_istio,
    "a rollout" => smi::gateways,
};

pub static SCALERS: &[Named] = scenes! {
    "an HPA is followed" => scalers::hpa_followed,
    "a ScaledObject rests and is resumed" => scalers::keda_pauses,
    "the HPA is missing" => scalers::hpa_missing,
    "the HPA is for another target" => scalers::hpa_of_another,
};

pub static MESHES: &[Named] = scenes! {
    "the route is that of another namespace's Canary" => kuma::taken,
    "the mesh is not there" => kuma::no_mesh,
};

pub static OUT_OF_SIGHT: &[Named] = scenes! {
    "an operator of one namespace cannot see the route's" => kuma::out_of_sight,
};

pub static KILLED: &[Named] = scenes! {
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

pub static KILLED_PROMOTED: &[Named] = scenes! {
    "killed at every write before its answer, promoted" => crash::promoted_unanswered,
};

pub static LEFT_BY_FLAGGER: &[Named] = scenes! {
    "Flagger leaves a Canary at rest" => migration::at_rest,
    "Flagger leaves a rollout at 25 %" => migration::in_mid_run,
};

pub static KILLED_WITHOUT_ROUTES: &[Named] = scenes! {
    "killed at every write before its answer, blue/green" => blue_green::killed,
};

pub static CANARYS_KIND: &[Named] = scenes! {
    "under Flagger's CRD nothing is touched" => definitions::pruned,
};
