//! The primary of the binding before this one. Until the new one has ready pods, Services lead to it.

use std::sync::Arc;

use vexil_analysis::{Binding, Memory, Phase};
use vexil_object::{Change, ObjectKey, Objects, Seen, meta};
use vexil_plan::CanaryContext;
use vexil_routing::{PodLabels, RouteError, RouteTarget};
use vexil_workload::{Ownership, Selector, Side};

use crate::{Context, observe::Observation};

/// The changes that make the Services select the former primary, and what was read of it.
pub(crate) struct FormerServices {
    /// None when they select it; `None` when it has no ready pod, or its Services have other names.
    pub(crate) changes: Option<Result<Vec<Change>, RouteError>>,
    /// The objects that this depends on, besides those of the binding in force.
    pub(crate) read: Vec<ObjectKey>,
}

/// Looks at the primaries of earlier bindings, the last one first.
pub(crate) fn services(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> FormerServices {
    let mut read = Vec::new();
    let (Phase::Initializing, Some(bound)) = (memory.phase, &memory.binding) else {
        return FormerServices { changes: None, read };
    };
    let mut earlier = memory.previous.iter().rev().filter(|former| former.shares_services(bound));
    let changes = earlier.find_map(|binding| of(context, canary, binding, observation, &mut read));
    FormerServices { changes, read }
}

fn of(
    context: &Context,
    canary: &CanaryContext,
    binding: &Binding,
    observation: &Observation,
    read: &mut Vec<ObjectKey>,
) -> Option<Result<Vec<Change>, RouteError>> {
    let former = context.planner().under(canary, binding)?;
    let subject = former.subject(&context.settings);
    let mut have = Objects::default();
    crate::observe::gather(&context.cluster, &mut have, |have| former.workload().needs(&subject, have));
    read.extend(have.iter().map(|(key, _)| key.clone()));
    let key = subject.key(former.workload().kind(), Side::Primary);
    let primary = &have.get(&key).clone().shared()?;
    let going = !meta::text(primary, "/metadata/deletionTimestamp").is_empty();
    let is_ours = former.workload().ownership(&subject, primary) == Ownership::Ours;
    if going || !is_ours || former.workload().available(primary) == 0 {
        return None;
    }
    // The target may have been deleted: its copy, the primary, has its ports, and says which labels its pods have.
    let target = subject.key(former.workload().kind(), Side::Canary);
    if !matches!(have.get(&target), Seen::Present(_)) {
        have.insert(target, Seen::Present(Arc::clone(primary)));
    }
    let keys = context.settings.workloads.selector_keys();
    let selector = Selector::of_primary(binding.selector.clone(), keys, primary)?;
    let ports = crate::observe::ports(context, &former, &have).ok()?;
    let target = RouteTarget {
        view: former.view(),
        selector: PodLabels {
            key: &selector.key,
            canary: &selector.canary,
            primary: &selector.primary,
            always: &selector.always,
            settled: selector.settled,
        },
        discovered_ports: &ports,
        ..observation.target(canary)
    };
    let (services, objects) = (context.registry.services(), &observation.objects);
    let backends = services.backends(&target, objects);
    Some(backends.and_then(|mut changes| {
        changes.extend(services.apex(&target, objects)?);
        Ok(changes)
    }))
}
