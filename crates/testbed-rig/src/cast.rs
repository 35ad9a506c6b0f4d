//! The names of the objects that belong to a Canary.

use serde_json::Value;

use crate::{api::Resource, route::Entry, systems::System};

/// Name of the Canary and, unless a scene says otherwise, of its target.
pub const PODINFO: &str = "podinfo";

/// The names of a Canary and its objects.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The system that splits its traffic.
    pub system: &'static System,
    /// Where the Canary is.
    pub namespace: String,
    /// The Deployment.
    pub target: String,
    /// The Service that clients call.
    pub apex: String,
}

/// Where the route of most systems is: beside the Canary, named as the apex.
pub fn in_namespace(cast: &Cast) -> (String, String) {
    (cast.namespace.clone(), cast.apex.clone())
}

/// Where a route is.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its resource.
    pub of: Resource,
    /// Empty for a kind of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Cast {
    /// The names of the guides.
    pub fn new(system: &'static System, namespace: impl Into<String>) -> Self {
        Cast { system, namespace: namespace.into(), target: PODINFO.to_owned(), apex: PODINFO.to_owned() }
    }

    /// The Service of the canary.
    pub fn canary(&self) -> String {
        format!("{}-canary", self.apex)
    }

    /// The copy of the target.
    pub fn primary(&self) -> String {
        format!("{}-primary", self.target)
    }

    /// Where the route is, when the system has one.
    pub fn place(&self) -> Option<Place> {
        let kind = self.system.route.as_ref()?;
        let (namespace, name) = (kind.place)(self);
        Some(Place { of: kind.of, namespace, name })
    }

    /// Whether an object is the route.
    pub fn is_route(&self, of: Resource, name: &str) -> bool {
        self.place().is_some_and(|place| place.of == of && place.name == name)
    }

    /// The lists of a route that hold weights.
    pub fn lists(&self, route: &Value) -> Vec<Vec<Entry>> {
        self.system.route.as_ref().map(|kind| kind.lists(route)).unwrap_or_default()
    }

    /// The entry of the canary, in the list that gives it most.
    pub fn share(&self, route: &Value) -> Option<i64> {
        let canary = self.canary();
        let shares = self.lists(route).into_iter().flatten().filter(|entry| entry.service == canary);
        shares.filter_map(|entry| entry.weight).max()
    }

    /// What a route says: ` primary 75 canary 25`. Entries at 0 are left out, and so are lists that say the same.
    pub fn weights(&self, route: &Value) -> String {
        let mut lists: Vec<String> = Vec::new();
        for mut list in self.lists(route) {
            let role = |entry: &Entry| self.role(&entry.service);
            let rank =
                |role: &str| ["primary", "canary"].iter().position(|known| *known == role).unwrap_or(2);
            list.retain(|entry| entry.weight != Some(0));
            list.sort_by_key(|entry| rank(&role(entry)));
            let words = list.iter().map(|entry| {
                let weight = entry.weight.map_or("?".to_owned(), |weight| weight.to_string());
                format!(" {} {weight}", role(entry))
            });
            let words: String = words.collect();
            if !lists.contains(&words) {
                lists.push(words);
            }
        }
        lists.join(" |")
    }

    /// `primary` and `canary` for our Services, and the name for those of others.
    fn role(&self, service: &str) -> String {
        let role = service.strip_prefix(&self.apex).and_then(|rest| rest.strip_prefix('-'));
        role.unwrap_or(service).to_owned()
    }

    /// A name as the stories write it, whatever the names in this scene are.
    pub fn in_story(&self, name: &str) -> String {
        let known = [&self.apex, &self.target].into_iter().find_map(|own| name.strip_prefix(own.as_str()));
        known.map_or(name.to_owned(), |rest| format!("{PODINFO}{rest}"))
    }
}
