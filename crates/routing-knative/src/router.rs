//! The router: `spec.traffic` of the target, and what Knative reports about it.

use serde_json::{Value, json};
use vexil_object::{
    Change, ObjectKey, Objects, Seen,
    knative::{self, PRIMARY_REVISION, SERVICE},
    meta,
};
use vexil_routing::{
    Acceptance, Capabilities, Provider, QuerySet, RouteError, RouteRequest, RouteTarget, Router, Routes,
    items,
};

use crate::{queries::QUERIES, shares};

/// Routes traffic between the Revisions of a Knative Service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knative;

impl Provider for Knative {
    fn name(&self) -> &'static str {
        "knative"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, knative: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }
}

fn key(target: &RouteTarget<'_>) -> ObjectKey {
    ObjectKey::new(SERVICE, target.namespace, target.target)
}

/// The Service; `None` when it does not exist.
fn service<'a>(target: &RouteTarget<'_>, have: &'a Objects) -> Result<Option<&'a Value>, RouteError> {
    let unknown = |key: &ObjectKey| RouteError::NotKnown { object: key.to_string() };
    match have.get(&SERVICE.definition()) {
        Seen::NotKnown => return Err(unknown(&SERVICE.definition())),
        Seen::Absent => {
            let kinds = format!("Service of {}", SERVICE.api_version());
            return Err(RouteError::NotServed { kinds, product: "Knative Serving" });
        }
        Seen::Present(_) => {}
    }
    match have.get(&key(target)) {
        Seen::NotKnown => Err(unknown(&key(target))),
        Seen::Absent => Ok(None),
        Seen::Present(live) => Ok(Some(live)),
    }
}

/// The Revisions of primary and canary.
fn revisions<'a>(key: &ObjectKey, live: &'a Value) -> Result<(&'a str, &'a str), RouteError> {
    let place = |at: &str| match live.pointer(at) {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => {
            Err(RouteError::malformed(key, at.trim_start_matches('/').replace('/', "."), "is not an object"))
        }
    };
    place("/spec")?;
    place("/metadata/annotations")?;
    items(key, live, "spec.traffic")?;
    let primary = knative::primary_revision(live).ok_or_else(|| {
        let problem = "is missing, and spec.traffic names no Revision for the primary".to_owned();
        RouteError::NoPrimary {
            object: key.to_string(),
            path: format!("metadata.annotations[{PRIMARY_REVISION}]"),
            problem,
        }
    })?;
    let latest = knative::latest_created(live).ok_or_else(|| {
        let path = "status.latestCreatedRevisionName";
        RouteError::malformed(key, path, "is empty: Knative has not created a Revision of it yet")
    })?;
    Ok((primary, knative::canary_revision(live).unwrap_or(latest)))
}

impl Router for Knative {
    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let definition = SERVICE.definition();
        match have.get(&definition) {
            Seen::NotKnown if !have.has(&definition) => vec![definition],
            Seen::NotKnown | Seen::Absent => Vec::new(),
            Seen::Present(_) => Some(key(target)).filter(|key| !have.has(key)).into_iter().collect(),
        }
    }

    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey> {
        have.get(&SERVICE.definition()).object().map(|_| key(target))
    }

    /// A Service that does not exist sends nothing anywhere.
    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let Some(live) = service(target, have)? else { return Ok(Routes::PRIMARY) };
        let (primary, _) = revisions(&key(target), live)?;
        shares::read(&key(target), live, primary)
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        let want = RouteRequest::of(want, target, self)?;
        let Some(live) = service(target, have)? else { return Ok(Vec::new()) };
        let (primary, canary) = revisions(&key(target), live)?;
        let share = want.routes().canary().percent();
        let list = knative::shared(live, primary, canary, u32::from(share));
        let mut object = live.clone();
        meta::set(&mut object, &["spec", "traffic"], list.into());
        meta::set(&mut object, &["metadata", "annotations", PRIMARY_REVISION], primary.into());
        Ok(Change::between(key(target), live, &object).into_iter().collect())
    }

    fn acceptance(&self, target: &RouteTarget<'_>, have: &Objects) -> Acceptance {
        let key = key(target);
        have.get(&key).object().map_or(Acceptance::Accepted, |live| reported(&key, live))
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let live = match service(target, have) {
            Ok(live) => live,
            Err(error @ RouteError::NotKnown { .. }) => return Err(error),
            Err(_) => None,
        };
        let annotated = live.filter(|live| meta::annotation(live, PRIMARY_REVISION).is_some());
        let Some(live) = annotated else { return Ok(Vec::new()) };
        let object = released(&key(target), live);
        Ok(Change::between(key(target), live, &object).into_iter().collect())
    }
}

/// The Service without the annotation. Its traffic follows the latest Revision if that is the primary; what was not
/// promoted gets none.
fn released(key: &ObjectKey, live: &Value) -> Value {
    let mut object = live.clone();
    if let Ok((primary, _)) = revisions(key, live) {
        let mut list = knative::shared(live, primary, primary, 0);
        let (of_canary, of_primary) = knative::places(&list, primary);
        if let Some(entry) = of_primary.and_then(|at| list.get_mut(at)).and_then(Value::as_object_mut)
            && knative::latest_created(live) == Some(primary)
        {
            entry.remove("revisionName");
            entry.insert("latestRevision".to_owned(), json!(true));
        }
        of_canary.filter(|at| *at < list.len()).map(|at| list.remove(at));
        meta::set(&mut object, &["spec", "traffic"], list.into());
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(PRIMARY_REVISION);
    }
    object
}

/// What the condition `RoutesReady` says. Without it there is no Knative that reports.
pub(crate) fn reported(key: &ObjectKey, live: &Value) -> Acceptance {
    let conditions = live.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().find(|one| meta::text(one, "/type") == "RoutesReady");
    let Some(ready) = ready else { return Acceptance::Accepted };
    let number = |at: &str| live.pointer(at).and_then(Value::as_i64).unwrap_or(0);
    let generation = number("/metadata/generation");
    if number("/status/observedGeneration") < generation {
        return Acceptance::Outdated(format!("Knative has not applied generation {generation} of {key} yet"));
    }
    let (reason, message) = (meta::text(ready, "/reason"), meta::text(ready, "/message"));
    match meta::text(ready, "/status") {
        "True" => Acceptance::Accepted,
        "False" => Acceptance::Refused(format!("Knative does not apply {key}: {reason}: {message}")),
        _ => Acceptance::Outdated(format!("Knative has not applied {key} yet: {reason}: {message}")),
    }
}
