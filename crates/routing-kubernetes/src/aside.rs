//! The provider without a mesh: no traffic ever reaches the canary through the apex; it is judged aside, through its
//! own Service (`routing.md` section 17).

use vexil_object::{Change, ObjectKey, Objects};
use vexil_routing::{Capabilities, QuerySet, RouteError, RouteTarget, Router, Routes};

/// Routes nothing: all traffic is the primary's, as long as the apex Service selects it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kubernetes;

impl Router for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn needs(&self, _: &RouteTarget<'_>, _: &Objects) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn route(&self, _: &RouteTarget<'_>, _: &Objects) -> Option<ObjectKey> {
        None
    }

    fn read(&self, _: &RouteTarget<'_>, _: &Objects) -> Result<Routes, RouteError> {
        Ok(Routes::PRIMARY)
    }

    fn render(&self, _: &RouteTarget<'_>, want: &Routes, _: &Objects) -> Result<Vec<Change>, RouteError> {
        if *want == Routes::PRIMARY {
            return Ok(Vec::new());
        }
        Err(RouteError::Unsupported { router: self.name(), what: "sending traffic to the canary" })
    }

    fn release(&self, _: &RouteTarget<'_>, _: &Objects) -> Result<Vec<Change>, RouteError> {
        Ok(Vec::new())
    }

    fn supports(&self) -> Capabilities {
        Capabilities::default()
    }

    fn queries(&self) -> QuerySet {
        QuerySet("http")
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
        for want in [Routes::split(Weight::clamped(1)), Routes::mirrored()] {
            let refused = Kubernetes.render(&target, &want, &have).map_err(|error| error.to_string());
            let text = "provider kubernetes does not support sending traffic to the canary";
            assert_eq!(refused, Err(text.to_owned()), "{want:?}");
        }
    }
}
