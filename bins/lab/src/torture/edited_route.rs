//! A user who edits a route by hand.

use serde_json::{Value, json};
use vexil_testbed_rig::cast::Cast;

use super::{place::NAMESPACE, record::text, world::World};

/// What it is called among the deeds.
pub const DEED: &str = "the route is edited by hand";

impl World {
    /// Puts the canary's share in the primary's place and the other way round, in the route of the apex that is in
    /// force. That of an apex or a provider that was left is its user's.
    pub async fn edit_route(&mut self) -> anyhow::Result<()> {
        let (Some(kind), resource) = (&self.place.system.route, self.place.routes()) else { return Ok(()) };
        let canary = self.canary();
        let (bound, wanted) = (text(&canary, "/status/binding/provider"), text(&canary, "/spec/provider"));
        if bound == "kubernetes" || !wanted.is_empty() && wanted != bound {
            return Ok(());
        }
        let apex = text(&canary, "/status/binding/apex").to_owned();
        let cast = Cast { apex, ..Cast::new(self.place.system, NAMESPACE) };
        let primary = format!("{}-primary", cast.apex);
        let found = {
            let seen = self.recorder.seen();
            let mut all = seen.now.iter().filter(|((kind, ..), _)| kind == resource);
            let ours =
                |route: &Value| self.place.weights(route).iter().any(|(service, _)| *service == primary);
            all.find(|(_, route)| ours(route)).map(|(key, route)| (key.clone(), route.clone()))
        };
        let Some(((_, namespace, name), route)) = found else { return Ok(()) };
        self.deed(DEED, 0);
        let edited = kind.edited(&cast, &route, 100 - cast.share(&route).unwrap_or(0));
        let body = json!({
            "spec": edited.get("spec"), "metadata": {"annotations": edited.pointer("/metadata/annotations")},
        });
        let version = text(&route, "/apiVersion");
        self.cluster.merge((version, kind.kind), (&namespace, &name), &body).await
    }
}
