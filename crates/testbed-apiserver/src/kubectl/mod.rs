//! What only `kubectl` asks for: tables, OpenAPI documents, bodies in protobuf, strategic merge patches.

pub(crate) mod openapi;
pub(crate) mod proto;
pub(crate) mod strategic;
pub(crate) mod table;

/// Whether any of it is served.
pub(crate) const IS_SERVED: bool = true;
