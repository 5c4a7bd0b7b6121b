//! How many connections are asked for.

use std::time::{Duration, Instant};

use crate::chaos::patience::pause;
use crate::chaos::proxy::Proxy;
use crate::failure::Outcome;

const LOOK_EVERY: Duration = Duration::from_millis(50);
const SECOND: Duration = Duration::from_secs(1);

/// Looks again and again at what a proxy has seen.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    proxy: &'a Proxy,
    looks: Vec<(Instant, usize)>,
}

impl<'a> Watch<'a> {
    pub(super) fn over(proxy: &'a Proxy) -> Self {
        Self { proxy, looks: Vec::new() }
    }

    pub(super) fn look_for(&mut self, time: Duration) -> Outcome<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.looks.push((Instant::now(), self.proxy.ask("attempts")?));
            pause(LOOK_EVERY);
        }
        Ok(())
    }

    /// The most that were asked for in any second of a span of time.
    pub(super) fn peak(&self, from: Instant, to: Instant) -> usize {
        let within = |(at, _): &&(Instant, usize)| from <= *at && *at <= to;
        let looks: Vec<&(Instant, usize)> = self.looks.iter().filter(within).collect();
        let since = |(at, attempts): &(Instant, usize)| {
            let later = looks.iter().filter(|(later, _)| at <= later && *later <= *at + SECOND);
            later.map(|(_, more)| more - attempts).max().unwrap_or(0)
        };
        looks.iter().map(|look| since(look)).max().unwrap_or(0)
    }
}
