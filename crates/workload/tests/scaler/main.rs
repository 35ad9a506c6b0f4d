//! Scalers through the public boundary: objects in, changes out, applied to a cluster in memory.
#![cfg(test)]

mod fixture;
mod hpa;
mod keda;
mod neighbours;
mod pausing;
mod properties;
mod real;
