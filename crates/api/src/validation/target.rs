//! Validation of the provider, the target, its Services and its deadline.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::names::{address_problem, is_dns_label, is_port_name};
use super::{Subject, Validation, known_kinds};
use crate::CanaryService;

/// The kinds that Flagger supports.
const KINDS: [&str; 3] = ["Deployment", "DaemonSet", "Service"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    provider(subject, found);
    target(subject, found);
    service(subject, found);
    let spec = subject.spec;
    if spec.progress_deadline_seconds.is_some_and(|seconds| seconds < 0) {
        found.defect("spec.progressDeadlineSeconds", "must not be negative");
    }
    if let Some(address) = spec.metrics_server.as_deref().filter(|a| !a.is_empty())
        && let Some(problem) = address_problem(address)
    {
        found.defect("spec.metricsServer", problem);
    }
}

fn provider(subject: &Subject<'_>, found: &mut Validation) {
    if subject.context.router.is_some() {
        return;
    }
    let name = subject.provider();
    let known: Vec<_> = subject.context.known_providers.iter().map(|(name, _)| *name).collect();
    let known = known.join(", ");
    let text = if subject.spec.provider().is_some() {
        format!("unknown provider `{name}`; there are {known}")
    } else {
        format!(
            "names none, and the operator's default `{name}` (flag -mesh-provider) is not among those that there \
             are: {known}; set one here or there"
        )
    };
    found.defect("spec.provider", text);
}

fn target(subject: &Subject<'_>, found: &mut Validation) {
    let target = &subject.spec.target_ref;
    if target.kind.is_empty() {
        found.defect("spec.targetRef.kind", "is required");
    } else if !is_known(subject, &target.kind) {
        let kinds = known_kinds(&KINDS, subject.context.target_kinds);
        found.defect("spec.targetRef.kind", format!("unknown kind `{}`; there are {kinds}", target.kind));
    }
    if target.name.is_empty() {
        found.defect("spec.targetRef.name", "is required");
    }
    if target.kind == "Service" {
        core_service(subject, found);
    }
}

fn is_known(subject: &Subject<'_>, kind: &str) -> bool {
    KINDS.contains(&kind) || subject.context.target_kinds.contains(&kind)
}

/// A target Service is what clients call.
fn core_service(subject: &Subject<'_>, found: &mut Validation) {
    let target = &subject.spec.target_ref;
    let named = subject.spec.service.name.as_deref().filter(|name| !name.is_empty());
    if named.is_some_and(|name| name != target.name) {
        let text = format!("must be {} or absent: the target is the Service that clients call", target.name);
        found.defect("spec.service.name", text);
    }
    let routed = subject.context.router.is_none_or(|can| can.weights);
    if !routed {
        let text = format!(
            "provider {} routes nothing, so that clients follow an edit of Service {} at once",
            subject.provider(),
            target.name
        );
        found.remark("spec.provider", text);
    }
}

fn service(subject: &Subject<'_>, found: &mut Validation) {
    let service = &subject.spec.service;
    match service.port {
        // A target Service has ports of its own.
        None if subject.spec.target_ref.kind == "Service" => {
            if subject.router().needs_port {
                let text = format!("is required: provider {} routes to a port", subject.provider());
                found.defect("spec.service.port", text);
            }
        }
        None => found.defect("spec.service.port", "is required"),
        Some(1..=65535) => {}
        Some(port) => found.defect("spec.service.port", format!("{port} is not between 1 and 65535")),
    }
    target_port(service, found);
    if let Some(name) = service.port_name.as_deref().filter(|n| !n.is_empty())
        && (!is_dns_label(name) || name.len() > 63)
    {
        found.defect(
            "spec.service.portName",
            format!("`{name}` is no name of a Service's port: at most 63 lower-case letters, digits and `-`"),
        );
    }
}

fn target_port(service: &CanaryService, found: &mut Validation) {
    let path = "spec.service.targetPort";
    match &service.target_port {
        // 0 means the service port.
        None | Some(IntOrString::Int(0..=65535)) => {}
        Some(IntOrString::Int(port)) => found.defect(path, format!("{port} is not between 1 and 65535")),
        Some(IntOrString::String(name)) if name.is_empty() || is_port_name(name) => {}
        Some(IntOrString::String(number)) if number.parse::<u16>().is_ok() => {
            found.defect(path, format!("\"{number}\" is a name; write the number without quotes"));
        }
        Some(IntOrString::String(name)) => {
            found.defect(
                path,
                format!(
                    "`{name}` is no name of a container's port: at most 15 lower-case letters, digits and `-`"
                ),
            );
        }
    }
}
