//! What objects are made of: built-in kinds from a table, custom kinds from their definitions.

pub(crate) mod custom;
pub(crate) mod decode;
pub(crate) mod node;
pub(crate) mod quantity;
pub(crate) mod types;
pub(crate) mod validate;
