//! The provider `kubernetes`, without mesh or ingress: no traffic reaches the canary through the apex. It is tested
//! through its own Service.

use vexil_object::{Change, ObjectKey, Objects};
use vexil_routing::{
    Capabilities, OF_PODS, Provider, QuerySet, RouteError, RouteRequest, RouteTarget, Router, Routes,
};

/// Routes nothing: all traffic goes to the primary, because the apex Service selects its pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kubernetes;

impl Provider for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn supports(&self) -> Capabilities {
        Capabilities::default()
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&OF_PODS)
    }
}

impl Router for Kubernetes {
    fn needs(&self, _: &RouteTarget<'_>, _: &Objects) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn route(&self, _: &RouteTarget<'_>, _: &Objects) -> Option<ObjectKey> {
        None
    }

    fn read(&self, _: &RouteTarget<'_>, _: &Objects) -> Result<Routes, RouteError> {
        Ok(Routes::PRIMARY)
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        _: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        RouteRequest::of(want, target, self).map(|_| Vec::new())
    }

    fn release(&self, _: &RouteTarget<'_>, _: &Objects) -> Result<Vec<Change>, RouteError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use vexil_routing::{Weight, laws::Sample};

    use super::*;

    #[test]
    fn keeps_all_traffic_on_the_primary_and_refuses_any_other_split() {
        let (sample, have) = (Sample::default(), Objects::default());
        let target = sample.target();
        assert_eq!(Kubernetes.needs(&target, &have), []);
        assert_eq!(Kubernetes.read(&target, &have), Ok(Routes::PRIMARY));
        assert_eq!(Kubernetes.render(&target, &Routes::PRIMARY, &have), Ok(Vec::new()));
        let all = Weight::FULL;
        for (want, feature) in [
            (Routes::split(Weight::clamped(1)), "weighted routing"),
            (Routes::Mirrored { percent: all }, "traffic mirroring"),
            (Routes::Matched, "A/B testing"),
            (Routes::Sticky { canary: all }, "session affinity"),
        ] {
            let refused = Kubernetes.render(&target, &want, &have).map_err(|error| error.to_string());
            let text = format!("provider kubernetes does not support {feature}");
            assert_eq!(refused, Err(text), "{want:?}");
        }
    }
}
