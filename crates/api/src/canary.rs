//! The Canary resource: spec, status, and the effective values of its fields.

mod analysis;
mod binding;
mod checks;
mod defaults;
mod http;
mod references;
mod service;
mod spec;
mod status;
mod traffic_policy;
mod view;
mod webhook;

#[cfg(test)]
mod tests;

pub use analysis::{Alert, AlertSeverity, Analysis, Metric, SessionAffinity, TemplateRef, ThresholdRange};
pub use binding::{Binding, RouteObject, ServicePort};
pub use checks::{Check, CheckSource, DURATION, SUCCESS_RATE, checks};
pub use http::{
    CorsPolicy, HeaderOperations, Headers, HttpMatch, HttpMirror, MirrorBackend, Retries, Rewrite,
    StringMatch,
};
pub use references::{ObjectReference, ReferencedObject};
pub use service::{CanaryService, GatewayRef, MetadataBlock, UnmanagedMetadata};
pub use spec::{
    Canary, CanarySpec, IngressRef, PrimaryScalerReplicas, RouteRef, ScalerRef, TargetRef, UpstreamRef,
};
pub use status::{
    CanaryPhase, CanaryStatus, Condition, Ending, Limits, Outbox, OutboxAlert, OutboxEntry, ReportedWarnings,
    Wait,
};
pub use traffic_policy::{
    ConnectionPool, ConnectionPoolHttp, ConsistentHash, HttpCookie, LoadBalancer, LocalityDistribute,
    LocalityFailover, LocalityLbSetting, OutlierDetection, TlsSettings, TrafficPolicy,
};
pub use view::CanaryView;
pub use webhook::{HookType, Webhook};
