//! Core Services as targets, for pods that Vexil does not manage. An edit of the Service is the new revision; the copy
//! `<target>-primary` keeps the promoted one. There is nothing to scale and nothing to wait for.

mod copies;

use serde_json::Value;
use vexil_analysis::{Readiness, Revision};
use vexil_object::{Kind, ObjectKey, Objects, kinds, meta, service};

use crate::{
    ConfigReferences, Demand, Ownership, PrimaryCopy, PrimaryTemplate, Selector, ServicePort, Side, Subject,
    TrackedConfigs, Workload, WorkloadError, Write, metadata::pairs, ports, revision, subject::missing,
};

/// What messages call this kind.
const NOUN: &str = "service";

/// Targets of kind Service.
#[derive(Clone, Copy, Debug)]
pub struct CoreServices;

impl CoreServices {
    fn existing<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<&'h Value, WorkloadError> {
        let key = subject.key(kinds::SERVICE, Side::Primary);
        subject.primary_in(kinds::SERVICE, have)?.ok_or_else(|| missing(NOUN, &key))
    }
}

/// What a Service is apart from what the API server has allocated for it.
fn revision_of(service: &Value) -> Revision {
    revision::of_template(&service::unallocated(service))
}

impl Workload for CoreServices {
    fn kind(&self) -> Kind {
        kinds::SERVICE
    }

    fn needs(&self, subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey> {
        let both = [Side::Canary, Side::Primary].map(|side| subject.key(kinds::SERVICE, side));
        both.into_iter().filter(|key| !have.has(key)).collect()
    }

    /// The pods are distinguished by nothing but the two Services.
    fn selector(&self, subject: &Subject<'_>, have: &Objects) -> Result<Selector, WorkloadError> {
        let target = subject.target_in(NOUN, kinds::SERVICE, have)?;
        let canary = pairs(target, "/spec/selector");
        if canary.is_empty() || meta::text(target, "/spec/type") == "ExternalName" {
            let (name, namespace) = (subject.target.to_owned(), subject.namespace.to_owned());
            return Err(WorkloadError::NoPods { name, namespace });
        }
        let primary = subject.primary_in(kinds::SERVICE, have)?;
        let primary = primary.map_or_else(|| canary.clone(), |primary| pairs(primary, "/spec/selector"));
        Ok(Selector { canary, always: primary.clone(), primary, settled: true, ..Selector::default() })
    }

    fn ports(
        &self,
        subject: &Subject<'_>,
        _: &ServicePort<'_>,
        have: &Objects,
    ) -> Result<Vec<(String, u16)>, WorkloadError> {
        let target = subject.target_in(NOUN, kinds::SERVICE, have)?;
        Ok(ports::of_service(target))
    }

    fn revision(&self, object: &Value) -> Option<Revision> {
        object.get("spec").map(|_| revision_of(object))
    }

    fn configs(&self, _: &Value) -> ConfigReferences {
        ConfigReferences::default()
    }

    fn holds(&self, primary: &Value, revision: &Revision) -> bool {
        copies::holds(primary, revision)
    }

    fn template(&self, primary: &Value, held: Option<&Revision>) -> PrimaryTemplate {
        copies::state(primary, held)
    }

    /// Its pods are not counted; the EndpointSlices say whether it serves.
    fn available(&self, _: &Value) -> u32 {
        1
    }

    fn matches_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        _: &TrackedConfigs,
        have: &Objects,
    ) -> Result<bool, WorkloadError> {
        let copy = revision::of_template(&copies::copied_spec(subject, target));
        // A promotion by Flagger leaves it without an owner.
        let seen = have.get(&subject.key(kinds::SERVICE, Side::Primary)).object();
        let unowned = seen.filter(|object| subject.ownership(object) == Ownership::Unowned);
        let primary = unowned.map_or_else(|| Self::existing(subject, have), Ok)?;
        Ok(revision_of(primary) == copy)
    }

    fn create_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: Option<&Revision>,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError> {
        match subject.primary_in(kinds::SERVICE, have)? {
            None => copies::create(subject, target, expected),
            Some(_) if self.matches_primary(subject, target, &TrackedConfigs::new(), have)? => {
                Ok(PrimaryCopy::Held)
            }
            Some(_) => Ok(PrimaryCopy::Exists),
        }
    }

    fn promote(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: &Revision,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError> {
        copies::promote(subject, target, expected, Self::existing(subject, have)?)
    }

    fn readiness(
        &self,
        subject: &Subject<'_>,
        side: Side,
        _: &Demand,
        have: &Objects,
    ) -> Result<Readiness, WorkloadError> {
        match side {
            Side::Primary => Self::existing(subject, have)?,
            Side::Canary => subject.target_in(NOUN, kinds::SERVICE, have)?,
        };
        Ok(Readiness::Ready)
    }

    fn pod_query(&self, _: &Subject<'_>, _: Side, _: &Objects) -> Option<String> {
        None
    }

    fn refused(&self, subject: &Subject<'_>, write: Write, error: &str) -> String {
        let (target, namespace) = (subject.target, subject.namespace);
        match write {
            Write::Promote => format!("updating service {target}-primary.{namespace} spec failed: {error}"),
            Write::CreatePrimary | Write::ScaleUp(_) | Write::ScaleToZero => {
                format!("service {target}-primary.{namespace} create error: {error}")
            }
        }
    }
}
