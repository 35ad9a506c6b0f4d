//! The three Services: who owns each of them, and the changes that follow.

use vexil_object::{Change, ObjectKey, Objects, kinds};
use vexil_routing::{Claim, RouteError, RouteTarget, Services};

use crate::{
    copy,
    render::{self, Role},
};

/// The ClusterIP Services of a workload with pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct KubernetesServices;

impl Services for KubernetesServices {
    fn needs(&self, target: &RouteTarget<'_>) -> Vec<ObjectKey> {
        if !target.has_services() {
            return Vec::new();
        }
        [Role::Canary, Role::Primary, Role::Apex].map(|role| key(role, target)).into()
    }

    fn backends(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        if !target.has_services() {
            return Ok(Vec::new());
        }
        if target.copies_service() {
            let canary = copy::canary(target, &key(Role::Apex, target), key(Role::Canary, target), have)?;
            return Ok(Vec::from_iter(canary));
        }
        let mut changes = Vec::new();
        for role in [Role::Canary, Role::Primary] {
            // No traffic uses these names before the Canary exists, so there is nothing to adopt.
            let key = key(role, target);
            let claim = Claim::exclusive(&key, target.owner, have)?;
            changes.extend(reconciled(key, role, target, claim)?);
        }
        Ok(changes)
    }

    fn apex(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        // A target that is a Service is the apex itself.
        if target.copies_service() || !target.has_services() {
            return Ok(Vec::new());
        }
        let key = key(Role::Apex, target);
        let claim = Claim::of(&key, target.owner, have)?;
        Ok(Vec::from_iter(reconciled(key, Role::Apex, target, claim)?))
    }

    fn remarks(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<String> {
        let key = key(Role::Apex, target);
        if target.copies_service() || !target.has_services() {
            return Vec::new();
        }
        let Ok(Claim::Unclaimed(live)) = Claim::of(&key, target.owner, have) else { return Vec::new() };
        let renamed = render::user_ports(target, live).map(|ports| ports.renamed).unwrap_or_default();
        renamed.into_iter().map(|what| format!("{key}: {what}")).collect()
    }

    /// A deletion does not wait for an apex that is gone or has another owner.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        if target.copies_service() || !target.has_services() {
            return Ok(Vec::new());
        }
        let key = key(Role::Apex, target);
        match Claim::of(&key, target.owner, have) {
            Ok(Claim::Unclaimed(live)) => {
                let object = render::released(&key, target, live)?;
                Ok(Vec::from_iter(Change::between(key, live, &object)))
            }
            Ok(Claim::Absent | Claim::Ours(_)) | Err(RouteError::Foreign { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn key(role: Role, target: &RouteTarget<'_>) -> ObjectKey {
    ObjectKey::new(kinds::SERVICE, target.namespace, role.name(target))
}

fn reconciled(
    key: ObjectKey,
    role: Role,
    target: &RouteTarget<'_>,
    claim: Claim<'_>,
) -> Result<Option<Change>, RouteError> {
    Ok(match claim {
        Claim::Absent => Some(Change::create(key, render::created(role, target)?)),
        Claim::Ours(live) => Change::between(key, live, &render::owned(role, target, live)?),
        Claim::Unclaimed(live) => Change::between(key, live, &render::adopted(role, target, live)?),
    })
}
