//! Load at a constant rate, whatever the other side does: who is slow makes later requests late, not fewer.

mod latencies;
mod pace;
mod requests;

pub(crate) use self::latencies::Latencies;
pub(crate) use self::pace::Pace;
pub(crate) use self::requests::{Answers, Plan, send};
