//! Clients that ask the web now and then, and wait as they are told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::chaos::dice::Dice;
use crate::chaos::patience::pause;
use crate::chaos::times::Times;
use crate::chaos::web::Clients;
use crate::failure::Outcome;

const CLIENTS: u64 = 200;
/// The longest that a client does something else before it asks again: about once a second.
const BUSY: Duration = Duration::from_secs(2);

/// A request that was carried out.
#[derive(Debug)]
struct Carried {
    asked: Instant,
    took: Duration,
}

#[derive(Debug)]
pub(super) struct Crowd<'a> {
    clients: &'a Clients,
    carried: Mutex<Vec<Carried>>,
    stop: AtomicBool,
}

impl<'a> Crowd<'a> {
    pub(super) fn of(clients: &'a Clients) -> Self {
        Self { clients, carried: Mutex::default(), stop: AtomicBool::new(false) }
    }

    /// Lets them ask while something is done.
    pub(super) fn at_work<T>(&self, seed: u64, meanwhile: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                scope.spawn(move || self.work(Dice::new(seed.wrapping_add(client))));
            }
            let done = meanwhile();
            self.stop.store(true, Ordering::SeqCst);
            done
        })
    }

    fn work(&self, mut dice: Dice) {
        while !self.stop.load(Ordering::SeqCst) {
            pause(dice.time_below(BUSY));
            let asked = Instant::now();
            match self.clients.look() {
                Some(answer) if answer.status == 200 => {
                    let took = asked.elapsed();
                    let mut carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
                    carried.push(Carried { asked, took });
                }
                answer => {
                    let wait = answer.and_then(|answer| answer.retry_after).unwrap_or(1).min(2);
                    pause(Duration::from_secs(wait));
                }
            }
        }
    }

    /// How long requests took that were asked in a span of time.
    pub(super) fn took(&self, from: Instant, to: Instant) -> Times {
        let carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times = Times::default();
        for one in carried.iter().filter(|one| from <= one.asked && one.asked < to) {
            times.push(one.took);
        }
        times
    }
}
