//! The list of scalers. What they do is tested through the public boundary, in `tests/scaler`.

use super::*;

fn named(api_version: &str, kind: &str) -> ScalerRef {
    ScalerRef {
        api_version: Some(api_version.to_owned()),
        kind: kind.to_owned(),
        name: "podinfo".to_owned(),
        ..ScalerRef::default()
    }
}

#[test]
fn the_kind_alone_chooses_the_scaler() {
    let check = |api_version: &str, kind: &str, found: Result<&str, &str>| {
        let scaler = crate::WorkloadCatalog::default()
            .scaler(&named(api_version, kind))
            .map(|it| it.kind().api_version());
        assert_eq!(
            scaler.map_err(|error| error.to_string()),
            found.map(str::to_owned).map_err(str::to_owned)
        );
    };
    for version in ["autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2", "autoscaling/v2"] {
        check(version, "HorizontalPodAutoscaler", Ok("autoscaling/v2"));
    }
    // The group is the validation's to judge, which says what to write.
    check("", "HorizontalPodAutoscaler", Ok("autoscaling/v2"));
    check("keda.sh/v1alpha1", "ScaledObject", Ok("keda.sh/v1alpha1"));
    let unknown = "unknown kind of scaler VerticalPodAutoscaler in spec.autoscalerRef; use one of: \
                   HorizontalPodAutoscaler, ScaledObject";
    check("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", Err(unknown));
}
