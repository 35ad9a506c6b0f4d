//! Webhooks: what is sent to them, how often, and what their replies mean (`analysis.md` section 11).
//!
//! A hook is the user's own service, so nothing it does may hold up a rollout for longer than its own timeout and
//! retries allow ([`Hook::budget_ms`]), and "it said no" is told apart from "it could not be asked" ([`HookError`]).

mod checksum;
mod error;
mod hook;
mod payload;
mod retry;
mod send;

pub use checksum::checksum;
pub use error::HookError;
pub use hook::Hook;
pub use payload::Payload;
pub use send::send;
