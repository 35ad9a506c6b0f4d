//! Writes: what happens to an object between the request and the store.

mod body;
mod create;
mod delete;
mod meta;
pub(crate) mod options;
mod update;

pub(crate) use body::decode;
