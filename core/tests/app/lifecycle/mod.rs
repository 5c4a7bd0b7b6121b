//! From start to end: order, readiness, drain, failure. Time is tokio's paused clock, signals are a channel.

mod drain;
mod failure;
mod readiness;
mod scene;
mod schema;
mod start;
