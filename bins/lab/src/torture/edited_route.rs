//! A user who edits a route by hand.

use serde_json::{Value, json};

use super::{record::text, world::World};

/// What it is called among the deeds.
pub const DEED: &str = "the route is edited by hand";

impl World {
    /// Puts the canary's share in the primary's place and the other way round, in the route of the apex that is in
    /// force. That of an apex that was left is its user's.
    pub async fn edit_route(&mut self) -> anyhow::Result<()> {
        let resource = self.place.routes();
        let canary = self.canary();
        let primary = format!("{}-primary", text(&canary, "/status/binding/apex"));
        let found = {
            let seen = self.recorder.seen();
            let mut all = seen.now.iter().filter(|((kind, ..), _)| kind == resource);
            let ours =
                |route: &Value| self.place.weights(route).iter().any(|(service, _)| *service == primary);
            all.find(|(_, route)| ours(route)).map(|(key, route)| (key.clone(), route.clone()))
        };
        let Some(((_, namespace, name), route)) = found else { return Ok(()) };
        self.deed(DEED, 0);
        let mut route = (*route).clone();
        turn(&mut route);
        let (version, kind) = (text(&route, "/apiVersion").to_owned(), text(&route, "/kind").to_owned());
        let body = json!({"spec": route.get("spec")});
        self.cluster.merge((&version, &kind), (&namespace, &name), &body).await
    }
}

/// Turns the weights of every list round.
fn turn(value: &mut Value) {
    let weigh = |weight: &mut Value| {
        let text = weight.is_string();
        let number = weight.as_u64().or(weight.as_str().and_then(|text| text.parse().ok())).unwrap_or(0);
        let other = 100_u64.saturating_sub(number);
        *weight = if text { other.to_string().into() } else { other.into() };
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(turn),
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "weight" { weigh(field) } else { turn(field) }
            }
        }
        _ => {}
    }
}
