//! The kinds of routes.

use vexil_object::Kind;

const GROUP: &str = "gateway.networking.k8s.io";

/// For HTTP.
pub(crate) const HTTP: Kind = Kind::namespaced(GROUP, "v1", "HTTPRoute", "httproutes");

/// The same as older clusters serve it.
pub(crate) const HTTP_BETA: Kind = Kind::namespaced(GROUP, "v1beta1", "HTTPRoute", "httproutes");

/// For gRPC.
pub(crate) const GRPC: Kind = Kind::namespaced(GROUP, "v1", "GRPCRoute", "grpcroutes");
