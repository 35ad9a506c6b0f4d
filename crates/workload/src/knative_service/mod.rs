//! Knative Services as targets. Knative makes a Revision of every edit of the template, so there is no copy: the
//! primary is the Revision that the annotation of the Service names, and the canary the one that was created last.
//! Knative also scales them; what is waited for is that a Revision is ready.

mod readiness;

use serde_json::Value;
use vexil_analysis::{Known, Readiness, Revision};
use vexil_object::{
    Change, Kind, ObjectKey, Objects, Seen,
    knative::{self, REVISION, SERVICE},
    meta,
};

pub use self::readiness::RevisionProjection;
use self::readiness::{is_ready, readiness_of};
use crate::{
    ConfigReferences, Demand, Ownership, PrimaryCopy, PrimaryTemplate, Selector, ServicePort, Side, Subject,
    TrackedConfigs, Workload, WorkloadError, Write, revision, subject::missing,
};

/// What messages call the target.
const NOUN: &str = "Knative Service";
/// What messages call the primary and the canary.
const REVISION_NOUN: &str = "Knative Revision";

/// Targets of kind Service in the group `serving.knative.dev`.
#[derive(Clone, Copy, Debug)]
pub struct KnativeServices;

/// What a Revision is: its name, because Knative never changes one.
fn revision_of(name: &str) -> Revision {
    revision::of_template(&name.into())
}

/// The name of the Revision of one side.
fn name_of(side: Side, service: &Value) -> Option<&str> {
    match side {
        Side::Primary => knative::primary_revision(service),
        Side::Canary => knative::latest_created(service),
    }
}

fn latest<'a>(key: &ObjectKey, service: &'a Value) -> Result<&'a str, WorkloadError> {
    knative::latest_created(service).ok_or_else(|| WorkloadError::Malformed {
        object: key.to_string(),
        path: "status.latestCreatedRevisionName",
        problem: "is empty: Knative has not created a Revision of it yet",
    })
}

impl Workload for KnativeServices {
    fn kind(&self) -> Kind {
        SERVICE
    }

    fn name(&self) -> &'static str {
        vexil_api::TargetRef::KNATIVE_SERVICE
    }

    fn object(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Known<ObjectKey> {
        let target = subject.key(SERVICE, Side::Canary);
        match (side, have.get(&target)) {
            (Side::Canary, _) => Known::Present(target),
            (Side::Primary, Seen::NotKnown) => Known::NotKnown,
            (Side::Primary, Seen::Absent) => Known::Absent,
            (Side::Primary, Seen::Present(service)) => match knative::primary_revision(service) {
                Some(name) => Known::Present(knative::revision(subject.namespace, name)),
                None => Known::Absent,
            },
        }
    }

    fn copies(&self) -> bool {
        false
    }

    fn needs(&self, subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey> {
        let target = subject.key(SERVICE, Side::Canary);
        let Some(service) = have.get(&target).object() else {
            return if have.has(&target) { Vec::new() } else { vec![target] };
        };
        let names = [
            knative::primary_revision(service),
            knative::latest_created(service),
            knative::canary_revision(service),
        ];
        let mut keys: Vec<ObjectKey> =
            names.into_iter().flatten().map(|name| knative::revision(subject.namespace, name)).collect();
        keys.sort();
        keys.dedup();
        keys.retain(|key| !have.has(key));
        keys
    }

    /// No Service of ours selects pods.
    fn selector(&self, subject: &Subject<'_>, have: &Objects) -> Result<Selector, WorkloadError> {
        subject.target_in(NOUN, SERVICE, have)?;
        Ok(Selector { settled: true, ..Selector::default() })
    }

    fn ports(
        &self,
        _: &Subject<'_>,
        _: &ServicePort<'_>,
        _: &Objects,
    ) -> Result<Vec<(String, u16)>, WorkloadError> {
        Ok(Vec::new())
    }

    fn revision(&self, object: &Value) -> Option<Revision> {
        knative::latest_created(object).map(revision_of)
    }

    fn primary_revision(&self, primary: &Value) -> Option<Revision> {
        Some(revision_of(meta::text(primary, "/metadata/name")))
    }

    fn query_route<'a>(&self, subject: &Subject<'_>, have: &'a Objects) -> Option<&'a str> {
        have.get(&subject.key(SERVICE, Side::Canary)).object().and_then(knative::canary_revision)
    }

    /// Knative holds requests back until pods of a Revision are there, so a Revision that is ready serves without any.
    /// What was pushed and is not what is analysed does not serve.
    fn addresses(
        &self,
        subject: &Subject<'_>,
        side: Side,
        analysed: Option<&Revision>,
        have: &Objects,
    ) -> Option<Known<u32>> {
        let service = match have.get(&subject.key(SERVICE, Side::Canary)) {
            Seen::NotKnown => return Some(Known::NotKnown),
            Seen::Absent => return Some(Known::Absent),
            Seen::Present(service) => service,
        };
        let name = match side {
            Side::Primary => knative::primary_revision(service),
            Side::Canary => knative::canary_revision(service),
        };
        let Some(name) = name else { return Some(Known::Absent) };
        let is_pushed = side == Side::Canary && knative::latest_created(service) == Some(name);
        if is_pushed && analysed.is_some_and(|analysed| *analysed != revision_of(name)) {
            return Some(Known::Present(0));
        }
        Some(match have.get(&knative::revision(subject.namespace, name)) {
            Seen::NotKnown => Known::NotKnown,
            Seen::Absent => Known::Absent,
            Seen::Present(revision) => Known::Present(u32::from(is_ready(revision))),
        })
    }

    fn configs(&self, _: &Value) -> ConfigReferences {
        ConfigReferences::default()
    }

    fn holds(&self, primary: &Value, revision: &Revision) -> bool {
        self.primary_revision(primary).as_ref() == Some(revision)
    }

    fn template(&self, primary: &Value, held: Option<&Revision>) -> PrimaryTemplate {
        match held {
            Some(held) if !self.holds(primary, held) => PrimaryTemplate::RolledBack,
            _ => PrimaryTemplate::AsWritten,
        }
    }

    /// A Revision belongs to Knative and is never written. The annotation of the Service alone decides which of them is
    /// the primary.
    fn ownership(&self, _: &Subject<'_>, _: &Value) -> Ownership {
        Ownership::Ours
    }

    fn available(&self, object: &Value) -> u32 {
        let is_target = object.pointer("/spec/template").is_some();
        u32::from(is_target || is_ready(object))
    }

    fn matches_primary(
        &self,
        _: &Subject<'_>,
        target: &Value,
        _: &TrackedConfigs,
        _: &Objects,
    ) -> Result<bool, WorkloadError> {
        let primary = knative::primary_revision(target);
        Ok(primary.is_some() && primary == knative::latest_created(target))
    }

    /// Annotates the target. Traffic is left to the router, once the Revision is ready.
    fn create_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: Option<&Revision>,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError> {
        let key = subject.key(SERVICE, Side::Canary);
        let name = latest(&key, target)?;
        let revision = revision_of(name);
        if expected.is_some_and(|expected| *expected != revision) {
            return Ok(PrimaryCopy::Moved { found: revision });
        }
        let current = knative::primary_revision(target);
        let is_there = |name| have.get(&knative::revision(subject.namespace, name)).object().is_some();
        if current.is_some_and(|current| current != name && is_there(current)) {
            return Ok(PrimaryCopy::Exists);
        }
        let mut want = target.clone();
        meta::set(&mut want, &["metadata", "annotations", knative::PRIMARY_REVISION], name.into());
        match Change::between(key, target, &want) {
            Some(change) => Ok(PrimaryCopy::Write { change, revision }),
            None if is_there(name) => Ok(PrimaryCopy::Held),
            None => Err(missing(REVISION_NOUN, &knative::revision(subject.namespace, name))),
        }
    }

    /// The annotation and the traffic change in one write: at no time has a Revision a share that is neither side's.
    fn promote(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: &Revision,
        _: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError> {
        let key = subject.key(SERVICE, Side::Canary);
        let name = latest(&key, target)?;
        let revision = revision_of(name);
        if *expected != revision {
            return Ok(PrimaryCopy::Moved { found: revision });
        }
        if meta::annotation(target, knative::PRIMARY_REVISION) == Some(name) {
            return Ok(PrimaryCopy::Held);
        }
        let mut want = target.clone();
        meta::set(&mut want, &["spec", "traffic"], knative::promoted(target, name).into());
        meta::set(&mut want, &["metadata", "annotations", knative::PRIMARY_REVISION], name.into());
        Ok(match Change::between(key, target, &want) {
            Some(change) => PrimaryCopy::Write { change, revision },
            None => PrimaryCopy::Held,
        })
    }

    fn readiness(
        &self,
        subject: &Subject<'_>,
        side: Side,
        _: &Demand,
        have: &Objects,
    ) -> Result<Readiness, WorkloadError> {
        let service = subject.target_in(NOUN, SERVICE, have)?;
        let (target, namespace) = (subject.target, subject.namespace);
        let Some(name) = name_of(side, service) else {
            let text = format!("{NOUN} {target}.{namespace} has no Revision yet");
            return Ok(Readiness::Waiting(text));
        };
        let key = knative::revision(namespace, name);
        match have.get(&key) {
            Seen::Present(revision) => Ok(readiness_of(&key, revision)),
            Seen::Absent => Ok(Readiness::Waiting(missing(REVISION_NOUN, &key).to_string())),
            Seen::NotKnown => Err(WorkloadError::NotKnown { object: key.to_string() }),
        }
    }

    fn pod_query(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Option<String> {
        let service = have.get(&subject.key(SERVICE, Side::Canary)).object()?;
        Some(format!("{}/revision={}", REVISION.group, name_of(side, service)?))
    }

    fn refused(&self, subject: &Subject<'_>, _: Write, error: &str) -> String {
        format!("{NOUN} {}.{} update query error: {error}", subject.target, subject.namespace)
    }
}

#[cfg(test)]
mod tests;
