//! The whole operator on a cluster in the process: real requests, virtual time, no sockets.

mod adoption;
mod cluster;
mod crashes;
mod faults;
mod rollouts;
