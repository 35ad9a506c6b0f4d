//! How the route objects of each product read: the lists that hold the weights, and what an entry says.

use serde_json::{Value, json};

use crate::{
    api::{Resource, text},
    cast::Cast,
};

/// A kind of route object.
#[derive(Debug)]
pub struct RouteKind {
    /// Its resource.
    pub of: Resource,
    /// Its kind, as manifests write it.
    pub kind: &'static str,
    /// Its resource with its group, which is also the name of its CRD.
    pub definition: &'static str,
    /// Namespace and name of the one that belongs to a Canary.
    pub place: fn(&Cast) -> (String, String),
    /// The lists that hold the weights, as a JSON pointer in which `*` is any item of a list.
    pub lists: &'static str,
    /// What names the Service in an entry. Kuma's tags go on after it, with an underscore; the
    /// names of Gloo's Upstreams have the namespace before it, and `upstream` and the port behind it.
    pub service: &'static str,
    /// How weights are written.
    pub weight: Written,
    /// What becomes of the canary's entry at weight 0.
    pub at_zero: AtZero,
    /// The spec of a route that another owner has made.
    pub theirs: &'static str,
    /// What the operator calls the product, when the CRD is not there.
    pub missing: &'static str,
}

/// How a weight is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// `25`.
    AsNumber,
    /// `"25"`.
    AsText,
    /// The share of the canary alone, as a text in this annotation; the rest is the primary's.
    InAnnotation(&'static str),
    /// The shares of the Services, as a JSON object in this annotation.
    InAnnotatedShares(&'static str),
    /// `percent: 25` of a Revision; that of the primary is named in this annotation.
    OfRevisions(&'static str),
}

/// What becomes of the canary's entry at weight 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtZero {
    /// A listed Service without endpoints breaks the route.
    LeftOut,
    /// It is there with weight 0.
    Listed,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The Service.
    pub service: String,
    /// In percent; `None` when it is not there or not written as this kind writes it.
    pub weight: Option<i64>,
}

impl RouteKind {
    /// The lists that hold weights, entry by entry.
    pub fn lists(&self, route: &Value) -> Vec<Vec<Entry>> {
        match self.weight {
            Written::InAnnotation(key) => return self.annotated(route, key).into_iter().collect(),
            Written::InAnnotatedShares(key) => return shares(route, key).into_iter().collect(),
            Written::OfRevisions(key) => return vec![revisions(route, key)],
            Written::AsNumber | Written::AsText => {}
        }
        let entries = |list: &Value| -> Vec<Entry> {
            list.as_array().into_iter().flatten().map(|entry| self.entry(entry)).collect()
        };
        find(route, self.lists).into_iter().map(entries).collect()
    }

    /// What an annotation means for the Service of the canary, which the lists name, and that of the primary.
    fn annotated(&self, route: &Value, key: &str) -> Option<Vec<Entry>> {
        let share: Option<i64> = route.pointer("/metadata/annotations")?.get(key)?.as_str()?.parse().ok();
        let canary = find(route, self.lists).into_iter().find_map(|list| {
            Some(text(list.as_array()?.first()?, self.service).to_owned()).filter(|name| !name.is_empty())
        })?;
        let primary = format!("{}-primary", canary.strip_suffix("-canary")?);
        let entry = |service, weight| Entry { service, weight };
        Some(vec![entry(primary, share.map(|share| 100 - share)), entry(canary, share)])
    }

    /// Its CRD; `None` for a kind that every API server has.
    pub fn crd(&self) -> Option<&'static str> {
        (!self.of.0.starts_with("/apis/networking.k8s.io/")).then_some(self.definition)
    }

    /// Its `apiVersion`.
    pub fn version(&self) -> &'static str {
        self.of.0.trim_start_matches("/apis/")
    }

    fn entry(&self, entry: &Value) -> Entry {
        let name = text(entry, self.service);
        let parent = self.service.rsplit_once('/').map_or("", |(parent, _)| parent);
        let namespace = format!("{}-", text(entry, &format!("{parent}/namespace")));
        let upstream = name.rsplit_once("upstream-").and_then(|(name, _)| name.strip_prefix(&namespace));
        let service = upstream.unwrap_or_else(|| name.split('_').next().unwrap_or_default()).to_owned();
        let weight = entry.get("weight").and_then(|weight| match self.weight {
            Written::AsNumber => weight.as_i64(),
            Written::AsText => weight.as_str()?.parse().ok(),
            Written::InAnnotation(_) | Written::InAnnotatedShares(_) | Written::OfRevisions(_) => None,
        });
        Entry { service, weight }
    }

    /// The same route with other weights, as a user would edit it by hand.
    pub fn edited(&self, cast: &Cast, route: &Value, canary: i64) -> Value {
        let mut route = route.clone();
        let annotation = match self.weight {
            Written::InAnnotation(key) => Some((key, canary.to_string())),
            Written::InAnnotatedShares(key) => {
                let primary = format!("{}-primary", cast.apex);
                Some((key, json!({primary: 100 - canary, cast.canary(): canary}).to_string()))
            }
            Written::AsNumber | Written::AsText | Written::OfRevisions(_) => None,
        };
        if let Some((key, text)) = annotation {
            if let Some(annotations) =
                route.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
            {
                annotations.insert(key.to_owned(), text.into());
            }
            return route;
        }
        change(&mut route, self.lists, &mut |entry| {
            let share = if self.entry(entry).service == cast.canary() { canary } else { 100 - canary };
            entry["weight"] = match self.weight {
                Written::AsNumber => share.into(),
                _ => share.to_string().into(),
            };
        });
        route
    }
}

/// What the traffic of a Knative Service says of both sides, as if they were Services. Entries with a tag are others'.
/// Of two entries of one Revision the last one is the primary's.
fn revisions(route: &Value, key: &str) -> Vec<Entry> {
    let annotations = route.pointer("/metadata/annotations");
    let primary = annotations.and_then(|all| all.get(key)).and_then(Value::as_str);
    let entries = route.pointer("/spec/traffic").and_then(Value::as_array).into_iter().flatten();
    let ours: Vec<&Value> = entries.filter(|entry| text(entry, "/tag").is_empty()).collect();
    let of_primary = ours.iter().rposition(|entry| primary == Some(text(entry, "/revisionName")));
    let named = ours.iter().enumerate().map(|(at, entry)| {
        let side = if Some(at) == of_primary { "primary" } else { "canary" };
        let service = format!("{}-{side}", text(route, "/metadata/name"));
        Entry { service, weight: entry.get("percent").and_then(Value::as_i64) }
    });
    named.collect()
}

/// What an annotation with a JSON object says.
fn shares(route: &Value, key: &str) -> Option<Vec<Entry>> {
    let text = route.pointer("/metadata/annotations")?.get(key)?.as_str()?;
    let shares: Value = serde_json::from_str(text).ok()?;
    let entry =
        |(service, weight): (&String, &Value)| Entry { service: service.clone(), weight: weight.as_i64() };
    Some(shares.as_object()?.iter().map(entry).collect())
}

/// Everything that a pointer with `*` leads to.
fn find<'a>(within: &'a Value, pointer: &str) -> Vec<&'a Value> {
    match pointer.split_once("/*") {
        None => Vec::from_iter(within.pointer(pointer)),
        Some((list, rest)) => {
            let items = within.pointer(list).and_then(Value::as_array);
            items.into_iter().flatten().flat_map(|item| find(item, rest)).collect()
        }
    }
}

/// Changes every entry of the lists that a pointer with `*` leads to.
fn change(within: &mut Value, pointer: &str, how: &mut impl FnMut(&mut Value)) {
    let (list, rest) = match pointer.split_once("/*") {
        None => (pointer, None),
        Some((list, rest)) => (list, Some(rest)),
    };
    let items = within.pointer_mut(list).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        match rest {
            None => how(item),
            Some(rest) => change(item, rest, how),
        }
    }
}

/// A patch that gives one route the spec and the annotations of another.
pub fn spec_of(route: &Value) -> Value {
    let annotations = route.pointer("/metadata/annotations");
    json!({"spec": route.get("spec"), "metadata": {"annotations": annotations}})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::systems::{APISIX, KUMA, NGINX, SMI_V1ALPHA1, System, TRAEFIK};

    fn check(system: &'static System, spec: Value, expect: &str) {
        let cast = Cast::new(system, "test");
        assert_eq!(cast.weights(&json!({"spec": spec})), expect, "{}", system.name);
    }

    #[test]
    fn each_kind_is_read_as_its_product_writes_it() {
        let traefik = |weight: Value| {
            json!({"weighted": {"services": [
                {"name": "podinfo-primary", "weight": 75}, {"name": "podinfo-canary", "weight": weight},
            ]}})
        };
        check(&TRAEFIK, traefik(json!(25)), " primary 75 canary 25");
        check(&TRAEFIK, traefik(json!("25")), " primary 75 canary ?");
        let smi = |weight: Value| {
            json!({"backends": [
                {"service": "podinfo-canary", "weight": weight}, {"service": "podinfo-primary", "weight": "75"},
            ]})
        };
        check(&SMI_V1ALPHA1, smi(json!("25")), " primary 75 canary 25");
        check(&SMI_V1ALPHA1, smi(json!(25)), " primary 75 canary ?");
        let tag = |service: &str| json!({"kuma.io/service": format!("{service}_test_svc_80")});
        let kuma = json!({"conf": {"split": [
            {"weight": 100, "destination": tag("podinfo-primary")},
            {"weight": 0, "destination": tag("podinfo-canary")},
        ]}});
        check(&KUMA, kuma, " primary 100");
        let rule = |canary: i64| {
            json!({"backends": [
                {"serviceName": "podinfo-primary", "weight": 100 - canary},
                {"serviceName": "podinfo-canary", "weight": canary},
            ]})
        };
        check(&APISIX, json!({"http": [rule(25), rule(25)]}), " primary 75 canary 25");
        check(&APISIX, json!({"http": [rule(25), rule(0)]}), " primary 75 canary 25 | primary 100");
    }

    #[test]
    fn a_share_in_an_annotation_leaves_the_rest_to_the_primary() {
        let path = json!({"backend": {"service": {"name": "podinfo-canary"}}});
        let route = |weight: Value| {
            json!({
                "metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": weight}},
                "spec": {"rules": [{"http": {"paths": [path]}}]},
            })
        };
        let cast = Cast::new(&NGINX, "test");
        assert_eq!(cast.weights(&route(json!("25"))), " primary 75 canary 25");
        assert_eq!(cast.weights(&route(json!("0"))), " primary 100");
        assert_eq!(cast.weights(&route(json!("x"))), " primary ? canary ?");
        assert_eq!(cast.weights(&route(Value::Null)), "");
        let edited = NGINX.route.as_ref().unwrap().edited(&cast, &route(json!("25")), 60);
        assert_eq!(cast.weights(&edited), " primary 40 canary 60");
    }

    #[test]
    fn a_route_without_the_canary_gives_it_no_share() {
        let check = |system: &'static System, spec: Value, share: Option<i64>| {
            assert_eq!(Cast::new(system, "test").share(&json!({"spec": spec})), share, "{}", system.name);
        };
        let services = |canary: Value| json!({"weighted": {"services": [{"name": "podinfo-primary", "weight": 75}, canary]}});
        check(&TRAEFIK, services(json!({"name": "podinfo-canary", "weight": 25})), Some(25));
        check(
            &TRAEFIK,
            json!({"weighted": {"services": [{"name": "podinfo-primary", "weight": 100}]}}),
            None,
        );
        check(&TRAEFIK, Value::Null, None);
    }

    #[test]
    fn an_edit_writes_weights_as_the_kind_does() {
        let cast = Cast::new(&SMI_V1ALPHA1, "test");
        let route = json!({"spec": {"service": "podinfo", "backends": [
            {"service": "podinfo-canary", "weight": "25"}, {"service": "podinfo-primary", "weight": "75"},
        ]}});
        let kind = SMI_V1ALPHA1.route.as_ref().unwrap();
        assert_eq!(cast.weights(&kind.edited(&cast, &route, 60)), " primary 40 canary 60");
    }
}
