//! The admin API, as a client sees it: whole answers, in one process, on a clock that only the test moves.
//!
//! [`harness`] has the server and how answers are written out, [`receiver`] what webhooks send to; the other modules
//! mirror the routes.

mod access;
mod accounts;
mod approvals;
mod attacks;
mod calendars;
mod channels;
mod commands;
mod decisions;
mod deliveries;
mod description;
mod failing_plugins;
mod forecast;
mod harness;
mod idempotency;
mod imports;
mod jobs;
mod limits;
mod lists;
mod mail_receiver;
mod metrics;
mod migrated;
mod pending_policies;
mod people;
mod plugin_revisions;
mod policies;
mod policy_money;
mod policy_people;
mod prices;
mod problems;
mod provider_keys;
mod quotas;
mod receiver;
mod requests;
mod resource_views;
mod resources;
mod storage;
mod stream;
mod tokens;
mod webhooks;
mod windows;
mod year;
