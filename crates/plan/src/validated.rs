//! Validation of a Canary against the operator's routers, kinds and flags.

use std::sync::Arc;

use vexil_api::{Canary, Defect, Remark, ValidationContext, validate};
use vexil_routing::Router;
use vexil_workload::Workload;

use crate::Planner;

/// What a valid Canary names.
pub(crate) struct Validated {
    pub(crate) router: Arc<dyn Router>,
    pub(crate) workload: &'static dyn Workload,
    pub(crate) warnings: Vec<Remark>,
}

/// Validates a Canary and everything that it names.
///
/// # Errors
/// Every defect, at once.
pub(crate) fn validated(canary: &Canary, planner: &Planner<'_>) -> Result<Validated, Vec<Defect>> {
    let (registry, settings) = (planner.registry, planner.settings);
    let catalog = &settings.workloads.catalog;
    let (workloads, scalers) = catalog.names();
    let provider = canary.spec.provider().unwrap_or(&settings.provider);
    let router = registry.router(provider);
    let checked = validate(
        canary,
        &ValidationContext {
            default_provider: &settings.provider,
            known_providers: &registry.capabilities(),
            router: router.map(|router| router.supports()),
            no_cross_namespace_refs: settings.no_cross_namespace_refs,
            target_kinds: &workloads,
            scaler_kinds: &scalers,
        },
    );
    let mut defects = checked.defects;
    if let Some(why) = registry.retired(provider).filter(|_| router.is_none()) {
        let of_provider = defects.iter_mut().filter(|defect| defect.path == "spec.provider");
        of_provider.for_each(|defect| defect.message = format!("`{provider}` is not supported: {why}"));
    }
    defects.extend(router.iter().flat_map(|router| router.defects(canary)));
    let scaler = canary.spec.autoscaler_ref.as_ref().and_then(|reference| catalog.scaler(reference).err());
    if let Some(error) = scaler.filter(|_| defects.is_empty()) {
        defects.push(defect("spec.autoscalerRef.kind", error.to_string()));
    }
    let kind = catalog
        .workload(canary.spec.target_ref.bound_kind())
        .map_err(|error| defect("spec.targetRef.kind", error.to_string()));
    match (router, kind) {
        (Some(router), Ok(workload)) if defects.is_empty() => {
            Ok(Validated { router: Arc::clone(router), workload, warnings: checked.remarks })
        }
        (router, kind) => {
            if defects.is_empty() && router.is_none() {
                defects.push(defect("spec.provider", format!("provider {provider} is not known")));
            }
            defects.extend(kind.err().filter(|_| defects.is_empty()));
            Err(defects)
        }
    }
}

fn defect(path: &str, message: String) -> Defect {
    Defect { path: path.to_owned(), message }
}
