//! The systems that are tortured: what a Canary says there besides, and how clients come in.

use serde_json::{Value, json};
use vexil_api::Capabilities;
use vexil_testbed_rig::{
    cast::Cast,
    manifests,
    systems::{
        APISIX, CONTOUR, GATEWAY_API, GLOO, ISTIO, KUBERNETES, KUMA, KUMA_MESH, LINKERD, NGINX, SKIPPER,
        SMI_V1ALPHA2, System, TRAEFIK,
    },
};

/// The Canary, its target and its apex.
pub const NAME: &str = "podinfo";
/// Where all of it is.
pub const NAMESPACE: &str = "test";

/// The image without its tag.
pub const IMAGE: &str = "stefanprodan/podinfo";

/// By which a Canary names its mesh.
const MESH: &str = "kuma.io/mesh";

/// A system in its cluster.
#[derive(Debug)]
pub struct Place {
    /// What `--router` calls it.
    pub name: &'static str,
    pub system: &'static System,
    /// The annotation by which a Canary names its mesh.
    pub mesh: Option<&'static str>,
    /// Fields of the spec that say which requests its route takes: an edit of one may leave clients out.
    pub lets_in: &'static [&'static str],
    /// Without a route, clients come to the pods that the apex selects.
    pub follows_apex: bool,
}

/// All of them. New ones go last: numbers of cases count them.
pub static PLACES: [Place; 13] = [
    Place::of("traefik", &TRAEFIK),
    Place { mesh: Some(MESH), ..Place::inside("kuma", &KUMA) },
    Place { mesh: Some(MESH), ..Place::inside("kuma-mesh", &KUMA_MESH) },
    Place::inside("smi", &SMI_V1ALPHA2),
    Place::inside("apisix", &APISIX),
    Place::inside("kubernetes", &KUBERNETES),
    Place { lets_in: &["service.match"], ..Place::of("istio", &ISTIO) },
    Place {
        lets_in: &["service.match", "service.hosts", "service.gatewayRefs"],
        ..Place::of("gateway-api", &GATEWAY_API)
    },
    Place::inside("nginx", &NGINX),
    Place::inside("linkerd", &LINKERD),
    Place::of("skipper", &SKIPPER),
    Place { lets_in: &["service.match"], ..Place::of("contour", &CONTOUR) },
    Place { lets_in: &["service.match"], ..Place::of("gloo", &GLOO) },
];

impl Place {
    const fn inside(name: &'static str, system: &'static System) -> Place {
        Place { follows_apex: true, ..Place::of(name, system) }
    }

    const fn of(name: &'static str, system: &'static System) -> Place {
        Place { name, system, mesh: None, lets_in: &[], follows_apex: false }
    }

    /// Whether it splits by weight.
    pub fn has_weights(&self) -> bool {
        self.system.route.is_some()
    }

    /// What its router can do.
    pub fn supports(&self) -> Capabilities {
        let router =
            vexil_testbed_rig::registry().router(self.system.provider).map(|router| router.supports());
        router.unwrap_or_default()
    }

    /// Resource of the route, with its group; empty without one.
    pub fn routes(&self) -> &'static str {
        self.system.route.as_ref().map(|kind| kind.definition).unwrap_or_default()
    }

    /// What its Canary says besides.
    pub fn spec(&self) -> Value {
        let analysis = match self.has_weights() {
            true => json!({"interval": "10s", "threshold": 2, "stepWeight": 25, "maxWeight": 75}),
            false => json!({"interval": "10s", "threshold": 2, "iterations": 3}),
        };
        let mut spec = json!({"provider": self.system.provider, "analysis": analysis});
        // Only what names other objects: the Services keep the names and ports of the manifests.
        let further = (self.system.spec)(&Cast::new(self.system, NAMESPACE));
        for name in ["routeRef", "ingressRef"] {
            if let (Some(spec), Some(user)) = (spec.as_object_mut(), further.get(name)) {
                spec.insert(name.to_owned(), user.clone());
            }
        }
        if let Some(parents) = further.pointer("/service/gatewayRefs") {
            let service = json!({"service": {"gatewayRefs": parents}});
            manifests::merge(&mut spec, &service);
        }
        spec
    }

    /// What the user has made before: how clients reach an apex.
    pub fn before(&self, apex: &str) -> Vec<Value> {
        let mut all: Vec<Value> = self.system.site.iter().map(|site| site(apex)).collect();
        if apex == NAME {
            let cast = Cast::new(self.system, NAMESPACE);
            all.extend((self.system.before)(&cast).into_iter().map(|(_, object)| object));
        }
        for object in &mut all {
            manifests::merge(object, &json!({"metadata": {"namespace": NAMESPACE}}));
        }
        all
    }

    /// The URL and the host by which clients reach an apex.
    pub fn entrance(&self, apex: &str, port: u64) -> (String, String) {
        self.system.entrance(apex, port)
    }

    /// The Services that a route leads to, with their weights; an entry without one has all.
    pub fn weights(&self, route: &Value) -> Vec<(String, u64)> {
        let lists = self.system.route.as_ref().map(|kind| kind.lists(route)).unwrap_or_default();
        let weight = |weight: i64| u64::try_from(weight).unwrap_or(0);
        lists.into_iter().flatten().map(|entry| (entry.service, entry.weight.map_or(100, weight))).collect()
    }
}

/// The spec of a place's Canary as it is at first.
pub fn first_spec(place: &Place) -> Value {
    let mut spec = manifests::canary(NAME).get("spec").cloned().unwrap_or_default();
    // One strategy excludes the others.
    let bare = json!({"analysis": {"stepWeight": null, "maxWeight": null}});
    manifests::merge(&mut spec, &bare);
    manifests::merge(&mut spec, &place.spec());
    spec
}
