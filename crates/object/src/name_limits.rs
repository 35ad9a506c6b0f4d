//! The longest names and labels that Kubernetes accepts.

/// The longest name of an object, in bytes (RFC 1123 subdomain; Kubernetes, "Object Names and IDs").
pub const MAX_NAME_BYTES: usize = 253;

/// The longest DNS label (names of Services, namespaces and Service ports) and the longest value of a label, in bytes
/// (RFC 1123 label; Kubernetes, "Labels and Selectors").
pub const MAX_LABEL_BYTES: usize = 63;
