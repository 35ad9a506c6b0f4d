//! Deployment targets through the public boundary: objects in, changes out.
#![cfg(test)]

mod create;
mod fixture;
mod identity;
mod projection;
mod promote;
mod properties;
mod readiness;
mod scale;
mod written;
