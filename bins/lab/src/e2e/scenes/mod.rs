//! The scenes: which are played for which system, and beside which others.

mod apisix;
mod blue_green;
mod configs;
mod crash;
mod definitions;
mod deletion;
mod gates;
mod guides;
mod input;
mod kuma;
mod migration;
mod names;
mod rollout;
mod routes;
mod scalers;
mod smi;
mod strategies;
mod targets;
mod texts;
mod trouble;

pub use texts::TOLD_INITIALISED;

use futures::future::BoxFuture;

use vexil_testbed_rig::route::RouteKind;

use super::{
    stage::Stage,
    systems::{
        APISIX, CONTOUR, GATEWAY_API_ALONE, GLOO, ISTIO, KUBERNETES, KUMA, KUMA_BY_NAME, KUMA_MESH, LINKERD,
        NGINX, SKIPPER, SMI_ISTIO, SMI_V1ALPHA1, SMI_V1ALPHA2, SMI_V1ALPHA3, System, TRAEFIK,
        TRAEFIK_CONTAINO,
    },
};

/// One scene: what a user does, and what must be seen.
pub struct Scene {
    pub name: String,
    pub system: &'static System,
    play: Play,
    /// Takes the route's kind away from everybody who uses it.
    pub exclusive: bool,
    /// Starts its operators itself.
    pub own: bool,
}

type Play = fn(Stage) -> BoxFuture<'static, anyhow::Result<()>>;
type Named = (&'static str, Play);

impl Scene {
    /// The CRD of the routes in it.
    pub fn definition(&self) -> Option<&'static str> {
        self.system.route.as_ref().and_then(RouteKind::crd)
    }

    /// All CRDs that it needs.
    pub fn definitions(&self) -> impl Iterator<Item = &'static str> {
        self.definition().into_iter().chain(self.system.definitions.iter().copied())
    }

    /// Plays it.
    pub async fn play(&self, stage: Stage) -> anyhow::Result<()> {
        (self.play)(stage).await
    }
}

macro_rules! scenes {
    ($($name:literal => $play:expr),* $(,)?) => {
        &[$(($name, |stage| Box::pin($play(stage)))),*]
    };
}

/// The flags of the first operator of all namespaces.
pub const FIRST_FLAGS: &[&str] =
    &["-traefik-api-group=traefik.containo.us", "-kuma-route-kind=MeshHTTPRoute"];

/// One operator, with flags for the other kinds of route, serves these at the same time. The longest are first.
pub fn first() -> Vec<Scene> {
    let mut scenes = named(&[&SMI_V1ALPHA1, &APISIX], &[ROUTE_KINDS]);
    scenes.extend(named(&[&KUBERNETES], &[WITHOUT_ROUTES]));
    scenes.extend(named(&[&TRAEFIK_CONTAINO, &KUMA_MESH], &[EVERYWHERE]));
    scenes
}

/// One operator that chooses by itself serves these at the same time. The longest are first.
pub fn second() -> Vec<Scene> {
    let mut scenes = named(&[&TRAEFIK, &KUMA, &ISTIO], &[ROUTE_KINDS]);
    scenes.extend(named(&[&SMI_V1ALPHA1, &APISIX, &ISTIO, &NGINX, &SKIPPER, &CONTOUR, &GLOO], &[EVERYWHERE]));
    scenes.extend(named(&[&GATEWAY_API_ALONE], &[EVERYWHERE]));
    let weighted = [&TRAEFIK, &KUMA, &ISTIO, &SMI_V1ALPHA1, &APISIX, &NGINX, &SKIPPER, &LINKERD];
    scenes.extend(named(&weighted, &[BLUE_GREEN]));
    scenes.extend(named(&[&ISTIO], &[STRATEGIES_OF_ISTIO]));
    scenes.extend(named(&[&NGINX], &[STRATEGIES_OF_NGINX]));
    scenes.extend(named(&[&APISIX], &[FOLLOWS_A_ROUTE]));
    scenes.extend(named(&[&SMI_V1ALPHA2, &SMI_V1ALPHA3, &LINKERD], &[ROLLOUT]));
    scenes.extend(named(&[&SMI_ISTIO], &[ISTIOS_ADAPTER]));
    scenes.extend(named(&[&TRAEFIK], &[SCALERS, ONCE, EVERYWHERE]));
    scenes.extend(named(&[&KUMA], &[EVERYWHERE, MESHES]));
    scenes
}

/// Each starts and kills operators of its own. No other operator may serve all namespaces meanwhile.
pub fn on_their_own() -> Vec<Scene> {
    let mut scenes = named(&[&TRAEFIK], &[KILLED, LEFT_BY_FLAGGER]);
    scenes.extend(named(&[&APISIX, &KUMA, &SMI_V1ALPHA1, &ISTIO, &TRAEFIK_CONTAINO], &[KILLED_PROMOTED]));
    scenes.extend(named(&[&KUBERNETES], &[KILLED_WITHOUT_ROUTES]));
    scenes.extend(named(&[&KUMA_MESH], &[OUT_OF_SIGHT]));
    scenes.into_iter().map(|scene| Scene { own: true, ..scene }).collect()
}

/// Changes the Canary's CRD for everybody. Played alone, after all others.
pub fn last() -> Vec<Scene> {
    named(&[&TRAEFIK], &[CANARYS_KIND]).into_iter().map(|scene| Scene { own: true, ..scene }).collect()
}

/// The flags of an operator of all namespaces where the products' own CRDs are.
pub const REAL_FLAGS: &[&str] = &["-kuma-route-kind=MeshHTTPRoute"];

/// Under the CRDs of the products themselves: what they drop or fill in, ours may not.
pub fn real_first() -> Vec<Scene> {
    let mut scenes = named(
        &[&TRAEFIK, &APISIX, &SMI_V1ALPHA1, &KUMA_BY_NAME, &CONTOUR, &GLOO, &GATEWAY_API_ALONE],
        &[REAL],
    );
    scenes.extend(named(&[&SMI_V1ALPHA3], &[ROLLOUT]));
    scenes.extend(named(&[&TRAEFIK], &[REAL_SCALERS]));
    as_real(scenes)
}

/// The same, for an operator that chooses by itself.
pub fn real_second() -> Vec<Scene> {
    as_real(named(&[&KUMA], &[REAL]))
}

/// Changes the Canary's CRD for everybody, as [`last`] does: to that of Flagger itself.
pub fn real_last() -> Vec<Scene> {
    let scenes = named(&[&TRAEFIK], &[FLAGGERS_KIND]).into_iter();
    as_real(scenes.map(|scene| Scene { own: true, ..scene }).collect())
}

fn as_real(scenes: Vec<Scene>) -> Vec<Scene> {
    let real = |scene: Scene| Scene { name: format!("real CRDs, {}", scene.name), ..scene };
    scenes.into_iter().map(real).collect()
}

/// Each scene of these lists for each of these systems.
fn named(systems: &[&'static System], lists: &[&[Named]]) -> Vec<Scene> {
    let of = |system: &'static System| {
        let scene = move |(name, play): &Named| Scene {
            name: format!("{}: {name}", system.name),
            system,
            play: *play,
            exclusive: lists == [ROUTE_KINDS],
            own: false,
        };
        lists.iter().flat_map(|list| list.iter()).map(scene)
    };
    systems.iter().copied().flat_map(of).collect()
}

static ROUTE_KINDS: &[Named] = scenes! {
    "its CRDs come, go in mid-run and come back" => definitions::come_and_go,
};

static ROLLOUT: &[Named] = scenes! {
    "a rollout" => rollout::promoted,
};

/// What every system with routes must do.
static EVERYWHERE: &[Named] = scenes! {
    "a bad version is rolled back, a good one promoted" => rollout::rolled_back,
    "a route edited or deleted by hand is put back" => routes::put_back,
    "names as long as can be" => names::long_names,
    "the route has another owner" => routes::foreign,
};

static REAL: &[Named] = scenes! {
    "a bad version is rolled back, a good one promoted" => rollout::rolled_back,
    "a route edited or deleted by hand is put back" => routes::put_back,
};

static REAL_SCALERS: &[Named] = scenes! {
    "a ScaledObject rests and is resumed" => scalers::keda_pauses,
};

static FLAGGERS_KIND: &[Named] = scenes! {
    "under Flagger's CRD nothing is touched" => definitions::flaggers,
};

/// What does not depend on the system.
static ONCE: &[Named] = scenes! {
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

static WITHOUT_ROUTES: &[Named] = scenes! {
    "blue/green" => blue_green::promoted,
    "blue/green, a bad version is rolled back" => blue_green::rolled_back,
};

static BLUE_GREEN: &[Named] = scenes! {
    "blue/green" => strategies::blue_green,
};

static STRATEGIES_OF_ISTIO: &[Named] = scenes! {
    "A/B testing" => strategies::ab_testing_by_routes,
    "mirroring" => strategies::mirrored,
    "session affinity" => strategies::sticky,
};

static STRATEGIES_OF_NGINX: &[Named] = scenes! {
    "A/B testing" => strategies::ab_testing_by_annotations,
};

static FOLLOWS_A_ROUTE: &[Named] = scenes! {
    "the user's route changes at 25 %" => apisix::followed,
    "routeRef names nothing" => apisix::missing,
    "there is no routeRef" => apisix::not_named,
    "routeRef names another kind" => apisix::other_kind,
    "the user's route is for another Service" => apisix::other_service,
    "the user's route names a port that does not exist" => apisix::missing_port,
};

static ISTIOS_ADAPTER: &[Named] = scenes! {
    "its guide's manifests in v1alpha3" => guides::smi_istio,
    "a rollout" => smi::gateways,
};

static SCALERS: &[Named] = scenes! {
    "an HPA is followed" => scalers::hpa_followed,
    "a ScaledObject rests and is resumed" => scalers::keda_pauses,
    "the HPA is missing" => scalers::hpa_missing,
    "the HPA is for another target" => scalers::hpa_of_another,
};

static MESHES: &[Named] = scenes! {
    "the route is that of another namespace's Canary" => kuma::taken,
    "the mesh is not there" => kuma::no_mesh,
};

static OUT_OF_SIGHT: &[Named] = scenes! {
    "an operator of one namespace cannot see the route's" => kuma::out_of_sight,
};

static KILLED: &[Named] = scenes! {
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

static KILLED_PROMOTED: &[Named] = scenes! {
    "killed at every write before its answer, promoted" => crash::promoted_unanswered,
};

static LEFT_BY_FLAGGER: &[Named] = scenes! {
    "Flagger leaves a Canary at rest" => migration::at_rest,
    "Flagger leaves a rollout at 25 %" => migration::in_mid_run,
};

static KILLED_WITHOUT_ROUTES: &[Named] = scenes! {
    "killed at every write before its answer, blue/green" => blue_green::killed,
};

static CANARYS_KIND: &[Named] = scenes! {
    "under Flagger's CRD nothing is touched" => definitions::pruned,
};
