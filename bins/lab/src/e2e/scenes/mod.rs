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
mod knative;
mod kuma;
mod lists;
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
use lists::{
    AB_TESTING, BLUE_GREEN, CANARYS_KIND, EVERYWHERE, FLAGGERS_KIND, FOLLOWS_A_ROUTE, ISTIOS_ADAPTER, KILLED,
    KILLED_PROMOTED, KILLED_WITHOUT_ROUTES, KNATIVE_SERVICES, LEFT_BY_FLAGGER, MESHES, ONCE, OUT_OF_SIGHT,
    REAL, REAL_SCALERS, ROLLOUT, ROUTE_KINDS, SCALERS, STRATEGIES_OF_ISTIO, STRATEGIES_OF_NGINX,
    STRATEGIES_OF_THE_GATEWAY_API, WITHOUT_ROUTES,
};

use vexil_testbed_rig::route::RouteKind;

use super::{
    stage::Stage,
    systems::{
        APISIX, CONTOUR, GATEWAY_API_ALONE, GLOO, ISTIO, KNATIVE, KUBERNETES, KUMA, KUMA_BY_NAME, KUMA_MESH,
        LINKERD, LINKERD_ROUTES, NGINX, SKIPPER, SMI_ISTIO, SMI_V1ALPHA1, SMI_V1ALPHA2, SMI_V1ALPHA3, System,
        TRAEFIK, TRAEFIK_CONTAINO,
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
    let meshes = [&KUMA, &ISTIO, &SMI_V1ALPHA1, &LINKERD];
    let ingresses = [&TRAEFIK, &APISIX, &NGINX, &SKIPPER, &CONTOUR, &GLOO, &GATEWAY_API_ALONE];
    scenes.extend(named(&meshes, &[BLUE_GREEN]));
    scenes.extend(named(&ingresses, &[BLUE_GREEN]));
    scenes.extend(named(&[&ISTIO], &[STRATEGIES_OF_ISTIO]));
    scenes.extend(named(&[&NGINX], &[STRATEGIES_OF_NGINX]));
    scenes.extend(named(&[&GATEWAY_API_ALONE], &[STRATEGIES_OF_THE_GATEWAY_API]));
    scenes.extend(named(&[&ISTIO, &GATEWAY_API_ALONE, &CONTOUR, &GLOO], &[AB_TESTING]));
    scenes.extend(named(&[&LINKERD_ROUTES], &[ROLLOUT, AB_TESTING]));
    scenes.extend(named(&[&APISIX], &[FOLLOWS_A_ROUTE]));
    scenes.extend(named(&[&SMI_V1ALPHA2, &SMI_V1ALPHA3, &LINKERD], &[ROLLOUT]));
    scenes.extend(named(&[&SMI_ISTIO], &[ISTIOS_ADAPTER]));
    scenes.extend(named(&[&KNATIVE], &[KNATIVE_SERVICES]));
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
    let mut scenes = named(&[&TRAEFIK, &APISIX, &SMI_V1ALPHA1, &KUMA_BY_NAME, &CONTOUR, &GLOO], &[REAL]);
    scenes.extend(named(&[&SMI_V1ALPHA3], &[ROLLOUT]));
    scenes.extend(named(&[&TRAEFIK], &[REAL_SCALERS]));
    scenes.extend(named(&[&KNATIVE], &[KNATIVE_SERVICES]));
    scenes.extend(named(&[&GATEWAY_API_ALONE], &[EVERYWHERE]));
    scenes.extend(named(&[&LINKERD_ROUTES], &[ROLLOUT]));
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
