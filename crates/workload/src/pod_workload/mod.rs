//! What the kinds of targets with a pod template have in common: how pods are selected, what is copied to the primary,
//! and when.

mod copies;

use std::borrow::Cow;

use serde_json::Value;
use vexil_analysis::{Readiness, Revision};
use vexil_object::{Change, Kind, ObjectKey, Objects};

use crate::{
    ConfigReferences, Demand, DeploymentView, PrimaryCopy, PrimaryTemplate, Scaling, Selector, ServicePort,
    Side, Subject, TrackedConfigs, Workload, WorkloadError, Write,
    configs::{hold_flaggers_content, neutral},
    digests, ports, primary_drift, primary_template, revision, selector,
    subject::missing,
};

/// One kind of target with a pod template: what distinguishes it from the others.
pub(crate) trait PodWorkload: Send + Sync {
    /// The kind of target and primary.
    const KIND: Kind;
    /// What messages call it: `deployment`.
    const NOUN: &'static str;
    /// The fields of the spec that are copied besides the pod template.
    const FIELDS: &'static [&'static str];

    /// Refuses a target that cannot be rolled out.
    fn check(_: &Subject<'_>, _: &Value) -> Result<(), WorkloadError> {
        Ok(())
    }

    /// What has to be observed besides target and primary.
    fn needs_more(_: &Subject<'_>, _: &Objects) -> Vec<ObjectKey> {
        Vec::new()
    }

    /// The pod template as it is while the target has pods.
    fn with_pods(template: &Value) -> Cow<'_, Value> {
        Cow::Borrowed(template)
    }

    /// `spec.replicas` of a new primary, if the kind has replicas.
    fn replicas_at_creation(_: &Value) -> Option<i64> {
        None
    }

    /// `spec.replicas` that a promotion writes to the primary; `None` leaves it as it is.
    fn replicas_at_promotion(_: &Subject<'_>, _: &Value, _: &Value, _: &Objects) -> Option<i64> {
        None
    }

    /// See [`Workload::available`].
    fn available(object: &DeploymentView<'_>) -> i64;

    /// See [`Workload::replicas`].
    fn replicas(object: &DeploymentView<'_>) -> Option<i64>;

    /// See [`Workload::readiness`].
    fn readiness(side: Side, object: &Value, demand: &Demand) -> Readiness;

    /// See [`Workload::scale_up`]. A primary that is not ours is an error.
    fn scale_up(
        subject: &Subject<'_>,
        target: &Value,
        primary: Result<Option<&Value>, WorkloadError>,
        have: &Objects,
    ) -> Result<Option<Scaling>, WorkloadError>;

    /// See [`Workload::revert`].
    fn revert(
        subject: &Subject<'_>,
        target: &Value,
        primary: Result<Option<&Value>, WorkloadError>,
        have: &Objects,
    ) -> Result<Option<Scaling>, WorkloadError>;

    /// See [`Workload::scale_to_zero`].
    fn scale_to_zero(subject: &Subject<'_>, target: &Value) -> Option<Change>;

    /// See [`Workload::refused`].
    fn refused(subject: &Subject<'_>, write: Write, error: &str) -> String;
}

/// The target, if it can be rolled out.
fn target<'h, T: PodWorkload>(subject: &Subject<'_>, have: &'h Objects) -> Result<&'h Value, WorkloadError> {
    let target = subject.target_in(T::NOUN, T::KIND, have)?;
    T::check(subject, target).map(|()| target)
}

fn primary<'h, T: PodWorkload>(
    subject: &Subject<'_>,
    have: &'h Objects,
) -> Result<Option<&'h Value>, WorkloadError> {
    subject.primary_in(T::KIND, have)
}

/// The primary, where it must be there.
fn existing<'h, T: PodWorkload>(
    subject: &Subject<'_>,
    have: &'h Objects,
) -> Result<&'h Value, WorkloadError> {
    let key = subject.key(T::KIND, Side::Primary);
    primary::<T>(subject, have)?.ok_or_else(|| missing(T::NOUN, &key))
}

impl<T: PodWorkload> Workload for T {
    fn kind(&self) -> Kind {
        T::KIND
    }

    fn needs(&self, subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey> {
        let both = [Side::Canary, Side::Primary].map(|side| subject.key(T::KIND, side));
        let mut needs: Vec<_> = both.into_iter().filter(|key| !have.has(key)).collect();
        needs.extend(T::needs_more(subject, have));
        needs
    }

    fn selector(&self, subject: &Subject<'_>, have: &Objects) -> Result<Selector, WorkloadError> {
        let (target, primary) = (target::<T>(subject, have)?, primary::<T>(subject, have)?);
        selector::resolve(subject, T::NOUN, T::KIND, target, primary)
    }

    fn ports(
        &self,
        subject: &Subject<'_>,
        service: &ServicePort<'_>,
        have: &Objects,
    ) -> Result<Vec<(String, u16)>, WorkloadError> {
        Ok(ports::discover(&DeploymentView::new(target::<T>(subject, have)?), service))
    }

    fn unpublished(&self, subject: &Subject<'_>, service: &ServicePort<'_>, have: &Objects) -> Vec<String> {
        let target = target::<T>(subject, have).ok();
        target.map(|target| ports::unpublished(&DeploymentView::new(target), service)).unwrap_or_default()
    }

    fn revision(&self, object: &Value) -> Option<Revision> {
        if digests::is_reduced(object) {
            return digests::revision(object);
        }
        object.pointer("/spec/template").map(|pods| revision::of_template(&T::with_pods(pods)))
    }

    fn configs(&self, object: &Value) -> ConfigReferences {
        DeploymentView::new(object).configs()
    }

    fn holds(&self, primary: &Value, revision: &Revision) -> bool {
        DeploymentView::new(primary).holds(revision)
    }

    fn template(&self, primary: &Value, held: Option<&Revision>) -> PrimaryTemplate {
        primary_drift::state(primary, held)
    }

    fn available(&self, object: &Value) -> u32 {
        u32::try_from(T::available(&DeploymentView::new(object))).unwrap_or(0)
    }

    fn replicas(&self, object: &Value) -> Option<u32> {
        u32::try_from(T::replicas(&DeploymentView::new(object))?).ok()
    }

    fn scales(&self) -> bool {
        true
    }

    fn matches_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        tracked: &TrackedConfigs,
        have: &Objects,
    ) -> Result<bool, WorkloadError> {
        let primary = existing::<T>(subject, have)?;
        let pods = primary_template::whole(&subject.key(T::KIND, Side::Canary), target)?;
        let selector = selector::resolve(subject, T::NOUN, T::KIND, target, Some(primary))?;
        let configs = self.tracked(subject, target, have)?;
        if !hold_flaggers_content(subject, &configs, have) {
            return Ok(false);
        }
        let copy = primary_template::for_primary(subject, &selector, &T::with_pods(pods), &configs);
        if DeploymentView::new(primary).plain() == Some(revision::plain(&copy)) {
            return Ok(true);
        }
        let live = primary_template::whole(&subject.key(T::KIND, Side::Primary), primary);
        let tracked = tracked.iter().chain(&configs).map(|(name, sum)| (name.clone(), sum.clone())).collect();
        // Flagger copies to a new primary what keeps a target at zero.
        Ok(live.is_ok_and(|live| neutral(&T::with_pods(live), &tracked) == neutral(&copy, &tracked)))
    }

    fn create_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: Option<&Revision>,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError> {
        match primary::<T>(subject, have)? {
            None => copies::create::<T>(subject, target, expected, &self.tracked(subject, target, have)?),
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
        let tracked = match self.tracked(subject, target, have) {
            Ok(tracked) => tracked,
            // It names an object that has not been looked at.
            Err(WorkloadError::NotKnown { .. }) => {
                let found = self.revision(target).unwrap_or_else(|| expected.clone());
                return Ok(PrimaryCopy::Moved { found });
            }
            Err(error) => return Err(error),
        };
        copies::promote::<T>(subject, target, expected, existing::<T>(subject, have)?, (&tracked, have))
    }

    fn readiness(
        &self,
        subject: &Subject<'_>,
        side: Side,
        demand: &Demand,
        have: &Objects,
    ) -> Result<Readiness, WorkloadError> {
        let object = match side {
            Side::Primary => existing::<T>(subject, have)?,
            Side::Canary => subject.target_in(T::NOUN, T::KIND, have)?,
        };
        Ok(T::readiness(side, object, demand))
    }

    fn pod_query(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Option<String> {
        let object = have.get(&subject.key(T::KIND, side)).object()?;
        Some(DeploymentView::new(object).pod_query()).filter(|query| !query.is_empty())
    }

    fn scale_up(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        let target = subject.target_in(T::NOUN, T::KIND, have)?;
        T::scale_up(subject, target, primary::<T>(subject, have), have)
    }

    fn revert(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        let target = subject.target_in(T::NOUN, T::KIND, have)?;
        T::revert(subject, target, primary::<T>(subject, have), have)
    }

    fn scale_to_zero(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        Ok(T::scale_to_zero(subject, subject.target_in(T::NOUN, T::KIND, have)?))
    }

    fn refused(&self, subject: &Subject<'_>, write: Write, error: &str) -> String {
        T::refused(subject, write, error)
    }
}
