//! Scalers through the public boundary: objects in, changes out, applied to a cluster in memory.
#![cfg(test)]

mod fixture;
mod hpa;
