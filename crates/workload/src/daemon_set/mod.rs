//! DaemonSet targets. They have no replicas: a node selector that no node has takes their pods away, as in Flagger.

mod copies;
mod projection;
mod readiness;
mod scale;

use serde_json::Value;
use vexil_analysis::{Readiness, Revision};
use vexil_object::{Change, Kind, ObjectKey, Objects, kinds, meta};

use crate::{
    ConfigReferences, Demand, DeploymentView, PrimaryCopy, PrimaryTemplate, Scaling, Selector, ServicePort,
    Side, Subject, TrackedConfigs, Workload, WorkloadError, Write,
    configs::{hold_flaggers_content, neutral},
    digests, ports, revision, selector,
    subject::missing,
    template, written,
};
pub use projection::DaemonSetProjection;
use scale::without_scale;

/// What messages call this kind.
const NOUN: &str = "daemonset";

/// Targets of kind DaemonSet.
#[derive(Clone, Copy, Debug)]
pub struct DaemonSets;

impl DaemonSets {
    /// The target. Only rolling updates are supported: with `OnDelete` nothing would start the pods of a revision.
    fn target<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<&'h Value, WorkloadError> {
        let target = subject.target_in(NOUN, kinds::DAEMON_SET, have)?;
        match meta::text(target, "/spec/updateStrategy/type") {
            "" | "RollingUpdate" => Ok(target),
            other => Err(WorkloadError::Strategy {
                name: subject.target.to_owned(),
                namespace: subject.namespace.to_owned(),
                found: other.to_owned(),
            }),
        }
    }

    fn primary<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<Option<&'h Value>, WorkloadError> {
        subject.primary_in(kinds::DAEMON_SET, have)
    }

    /// The primary, where it must be there.
    fn existing<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<&'h Value, WorkloadError> {
        let key = subject.key(kinds::DAEMON_SET, Side::Primary);
        Self::primary(subject, have)?.ok_or_else(|| missing(NOUN, &key))
    }
}

/// The template of a whole target, without what scales it.
fn pods(subject: &Subject<'_>, target: &Value) -> Result<Value, WorkloadError> {
    Ok(without_scale(template::whole(&subject.key(kinds::DAEMON_SET, Side::Canary), target)?.clone()))
}

impl Workload for DaemonSets {
    fn kind(&self) -> Kind {
        kinds::DAEMON_SET
    }

    fn needs(&self, subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey> {
        let both = [Side::Canary, Side::Primary].map(|side| subject.key(kinds::DAEMON_SET, side));
        both.into_iter().filter(|key| !have.has(key)).collect()
    }

    fn selector(&self, subject: &Subject<'_>, have: &Objects) -> Result<Selector, WorkloadError> {
        let (target, primary) = (Self::target(subject, have)?, Self::primary(subject, have)?);
        selector::resolve(subject, NOUN, kinds::DAEMON_SET, target, primary)
    }

    fn ports(
        &self,
        subject: &Subject<'_>,
        service: &ServicePort<'_>,
        have: &Objects,
    ) -> Result<Vec<(String, u16)>, WorkloadError> {
        Ok(ports::discover(&DeploymentView::new(Self::target(subject, have)?), service))
    }

    fn revision(&self, object: &Value) -> Option<Revision> {
        if digests::is_reduced(object) {
            return digests::revision(object);
        }
        object.pointer("/spec/template").map(|pods| revision::of_template(&without_scale(pods.clone())))
    }

    fn configs(&self, object: &Value) -> ConfigReferences {
        DeploymentView::new(object).configs()
    }

    fn holds(&self, primary: &Value, revision: &Revision) -> bool {
        DeploymentView::new(primary).holds(revision)
    }

    fn template(&self, primary: &Value, held: Option<&Revision>) -> PrimaryTemplate {
        written::state(primary, held)
    }

    fn available(&self, object: &Value) -> u32 {
        u32::try_from(DeploymentView::new(object).counted("numberAvailable")).unwrap_or(0)
    }

    /// How many nodes it is for, once its controller has counted them.
    fn replicas(&self, object: &Value) -> Option<u32> {
        let view = DeploymentView::new(object);
        let counted = !view.lags() && object.pointer("/status/desiredNumberScheduled").is_some();
        counted.then(|| u32::try_from(view.counted("desiredNumberScheduled")).unwrap_or(0))
    }

    fn matches_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        tracked: &TrackedConfigs,
        have: &Objects,
    ) -> Result<bool, WorkloadError> {
        let primary = Self::existing(subject, have)?;
        let selector = selector::resolve(subject, NOUN, kinds::DAEMON_SET, target, Some(primary))?;
        let configs = self.tracked(subject, target, have)?;
        if !hold_flaggers_content(subject, &configs, have) {
            return Ok(false);
        }
        let copy = template::for_primary(subject, &selector, &pods(subject, target)?, &configs);
        if DeploymentView::new(primary).plain() == Some(revision::plain(&copy)) {
            return Ok(true);
        }
        let live = template::whole(&subject.key(kinds::DAEMON_SET, Side::Primary), primary);
        let tracked = tracked.iter().chain(&configs).map(|(name, sum)| (name.clone(), sum.clone())).collect();
        // Flagger gives a new primary the node selector of a target that is scaled to zero.
        Ok(live.is_ok_and(|live| neutral(&without_scale(live.clone()), &tracked) == neutral(&copy, &tracked)))
    }

    fn unpublished(&self, subject: &Subject<'_>, service: &ServicePort<'_>, have: &Objects) -> Vec<String> {
        let target = Self::target(subject, have).ok();
        target.map(|target| ports::unpublished(&DeploymentView::new(target), service)).unwrap_or_default()
    }

    fn create_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: Option<&Revision>,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError> {
        match Self::primary(subject, have)? {
            None => copies::create(subject, target, expected, &self.tracked(subject, target, have)?),
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
        copies::promote(subject, target, expected, Self::existing(subject, have)?, &tracked)
    }

    fn readiness(
        &self,
        subject: &Subject<'_>,
        side: Side,
        demand: &Demand,
        have: &Objects,
    ) -> Result<Readiness, WorkloadError> {
        let object = match side {
            Side::Primary => Self::existing(subject, have)?,
            Side::Canary => subject.target_in(NOUN, kinds::DAEMON_SET, have)?,
        };
        Ok(readiness::of(side, object, demand))
    }

    fn pod_query(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Option<String> {
        let object = have.get(&subject.key(kinds::DAEMON_SET, side)).object()?;
        Some(DeploymentView::new(object).pod_query()).filter(|query| !query.is_empty())
    }

    fn scale_up(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        let target = subject.target_in(NOUN, kinds::DAEMON_SET, have)?;
        Ok(scale::set(subject, target, false).map(|change| Scaling { replicas: 1, change }))
    }

    fn scale_to_zero(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        let target = subject.target_in(NOUN, kinds::DAEMON_SET, have)?;
        Ok(scale::set(subject, target, true))
    }

    fn refused(&self, subject: &Subject<'_>, write: Write, error: &str) -> String {
        let (target, namespace) = (subject.target, subject.namespace);
        match write {
            Write::CreatePrimary => format!(
                "createPrimaryDaemonSet failed: creating daemonset {target}-primary.{namespace} failed: {error}"
            ),
            Write::Promote => {
                format!("updating daemonset {target}-primary.{namespace} template spec failed: {error}")
            }
            Write::ScaleUp(_) => format!("scaling up daemonset {target}.{namespace} failed: {error}"),
            Write::ScaleToZero => format!("updating daemonset {target}.{namespace} failed: {error}"),
        }
    }
}
