//! Webhooks: what is sent to them, how often, and what their replies mean.
//!
//! A hook is the user's own service, so nothing it does may hold up a rollout for longer than its own timeout and
//! retries allow ([`Hook::budget_ms`]), and a refusal is distinguished from a call that failed ([`HookError`]). The
//! payload is Flagger's, field by field, so that existing gates work unchanged.
//!
//! ```
//! use vexil_webhook::Hook;
//!
//! let hook = Hook::at("http://gate.test/approve?token=secret").expect("an address");
//! assert_eq!(format!("{hook:?}"), "hook http://gate.test/approve (10000ms, 0 retries)", "no secret is shown");
//! assert_eq!(hook.budget_ms(), 20_000, "what a Retry-After may ask for is part of it");
//! ```

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
