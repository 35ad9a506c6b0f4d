//! Webhooks: payloads, retries, deadlines and reply rules.
