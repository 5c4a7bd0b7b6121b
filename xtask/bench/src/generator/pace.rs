//! When each of many things is to happen, at a constant rate.

use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};

/// Hands out turns in time, to whoever asks next. A turn that nobody took in time is taken late, and stays the turn of its
/// instant.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<mpsc::UnboundedReceiver<Turn>>);

/// The so manieth one, and when it should begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) number: u64,
    pub(crate) at: Instant,
}

impl Pace {
    /// Begins now, and ends after so long.
    pub(crate) fn start(per_second: f64, time: Duration) -> Self {
        let (give, turns) = mpsc::unbounded_channel();
        let start = Instant::now();
        // The timers of the runtime are good to a millisecond, which is what a request takes.
        std::thread::spawn(move || {
            for number in 0_u64.. {
                let after = Duration::from_secs_f64(number as f64 / per_second);
                if after >= time {
                    return;
                }
                let at = start + after;
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                if give.send(Turn { number, at }).is_err() {
                    return;
                }
            }
        });
        Self(Mutex::new(turns))
    }

    /// Waits for the next turn; nothing when that was the last one.
    pub(crate) async fn next(&self) -> Option<Turn> {
        self.0.lock().await.recv().await
    }
}
