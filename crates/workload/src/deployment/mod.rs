//! Deployment targets.

mod primary;
mod promote;
mod readiness;
mod scale;

use serde_json::Value;
use vexil_analysis::{Readiness, Revision};
use vexil_object::{Change, Kind, ObjectKey, Objects, kinds};

use crate::{
    ConfigReferences, Demand, DeploymentView, PrimaryCopy, PrimaryTemplate, Scaling, Selector, ServicePort,
    Side, Subject, TrackedConfigs, Workload, WorkloadError, Write,
    configs::{hold_flaggers_content, neutral},
    ports, revision, selector,
    subject::missing,
    template, written,
};

/// What messages call this kind.
const NOUN: &str = "deployment";

/// Targets of kind Deployment.
#[derive(Clone, Copy, Debug)]
pub struct Deployments;

impl Deployments {
    fn target<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<&'h Value, WorkloadError> {
        subject.target_in(NOUN, kinds::DEPLOYMENT, have)
    }

    fn primary<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<Option<&'h Value>, WorkloadError> {
        subject.primary_in(kinds::DEPLOYMENT, have)
    }

    /// The primary, where it must be there.
    fn existing<'h>(subject: &Subject<'_>, have: &'h Objects) -> Result<&'h Value, WorkloadError> {
        let key = subject.key(kinds::DEPLOYMENT, Side::Primary);
        Self::primary(subject, have)?.ok_or_else(|| missing(NOUN, &key))
    }
}

impl Workload for Deployments {
    fn kind(&self) -> Kind {
        kinds::DEPLOYMENT
    }

    fn needs(&self, subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey> {
        let both = [Side::Canary, Side::Primary].map(|side| subject.key(kinds::DEPLOYMENT, side));
        let mut needs: Vec<_> = both.into_iter().filter(|key| !have.has(key)).collect();
        if let Some((reference, scaler)) =
            subject.scaler().and_then(|named| Some((named, subject.settings.catalog.scaler(named).ok()?)))
        {
            needs.extend(scaler.needs(subject, reference, have));
        }
        needs
    }

    fn selector(&self, subject: &Subject<'_>, have: &Objects) -> Result<Selector, WorkloadError> {
        let (target, primary) = (Self::target(subject, have)?, Self::primary(subject, have)?);
        selector::resolve(subject, NOUN, kinds::DEPLOYMENT, target, primary)
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
        DeploymentView::new(object).revision()
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
        u32::try_from(DeploymentView::new(object).counted("availableReplicas")).unwrap_or(0)
    }

    fn replicas(&self, object: &Value) -> Option<u32> {
        u32::try_from(DeploymentView::new(object).desired()).ok()
    }

    fn matches_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        tracked: &TrackedConfigs,
        have: &Objects,
    ) -> Result<bool, WorkloadError> {
        let primary = Self::existing(subject, have)?;
        let pods = template::whole(&subject.key(kinds::DEPLOYMENT, Side::Canary), target)?;
        let selector = selector::resolve(subject, NOUN, kinds::DEPLOYMENT, target, Some(primary))?;
        let configs = self.tracked(subject, target, have)?;
        if !hold_flaggers_content(subject, &configs, have) {
            return Ok(false);
        }
        let copy = template::for_primary(subject, &selector, pods, &configs);
        if DeploymentView::new(primary).plain() == Some(revision::plain(&copy)) {
            return Ok(true);
        }
        let live = template::whole(&subject.key(kinds::DEPLOYMENT, Side::Primary), primary);
        let tracked = tracked.iter().chain(&configs).map(|(name, sum)| (name.clone(), sum.clone())).collect();
        Ok(live.is_ok_and(|live| neutral(live, &tracked) == neutral(&copy, &tracked)))
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
            None => primary::create(subject, target, expected, &self.tracked(subject, target, have)?),
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
                return Ok(PrimaryCopy::Moved {
                    found: DeploymentView::new(target).revision().unwrap_or_else(|| expected.clone()),
                });
            }
            Err(error) => return Err(error),
        };
        promote::copy(subject, target, expected, Self::existing(subject, have)?, &tracked, have)
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
            Side::Canary => Self::target(subject, have)?,
        };
        Ok(readiness::of(side, &DeploymentView::new(object), demand))
    }

    fn pod_query(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Option<String> {
        let object = have.get(&subject.key(kinds::DEPLOYMENT, side)).object()?;
        Some(DeploymentView::new(object).pod_query()).filter(|query| !query.is_empty())
    }

    fn scale_up(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        scale::up(subject, Self::target(subject, have)?, Self::primary(subject, have)?, have)
    }

    fn revert(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        scale::back(subject, Self::target(subject, have)?, Self::primary(subject, have), have)
    }

    fn scale_to_zero(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        Ok(scale::to(subject, Self::target(subject, have)?, 0))
    }

    fn refused(&self, subject: &Subject<'_>, write: Write, error: &str) -> String {
        let (target, namespace) = (subject.target, subject.namespace);
        match write {
            Write::CreatePrimary => format!(
                "createPrimaryDeployment failed: creating deployment {target}-primary.{namespace} failed: {error}"
            ),
            Write::Promote => {
                format!("updating deployment {target}-primary.{namespace} template spec failed: {error}")
            }
            Write::ScaleUp(replicas) => {
                format!("scaling up {target}.{namespace} to {replicas} failed: {error}")
            }
            Write::ScaleToZero => format!("deployment {target}.{namespace} patch query error: {error}"),
        }
    }
}
