//! The highest rate that holds: up in steps until one does not, then between the two.

use dolmen::BoxError;

use super::Options;
use super::lap::Site;
use super::outcome::Outcome;
use super::shares::Shares;

const MOST_STEPS: u32 = 9;
/// Rates closer than this are the same.
const CLOSE: f64 = 1.06;

pub(super) async fn find(site: &mut Site, options: Options) -> Result<(), BoxError> {
    println!("{}", Outcome::HEAD);
    let (mut holds, mut fails): (Option<(f64, Shares)>, Option<(f64, Shares)>) = (None, None);
    let mut rate = options.rate;
    for _ in 0..MOST_STEPS {
        let mut lap = site.lap(&Options { rate, ..options }).await?;
        let does = lap.outcome.holds()?;
        println!("{}   {rate:.0} {}", lap.outcome.shown()?, if does { "holds" } else { "does not hold" });
        lap.outcome.judged()?;
        let step = Some((rate, lap.shares));
        if does {
            holds = step
        } else {
            fails = step
        }
        rate = match (&holds, &fails) {
            (Some((low, _)), Some((high, _))) if high / low <= CLOSE => break,
            (Some((low, _)), Some((high, _))) => f64::midpoint(*low, *high),
            (Some(_), None) => rate * 1.5,
            (None, _) => rate / 2.0,
        };
    }
    match holds {
        Some((rate, shares)) => println!("  the highest rate that held: {rate:.0} events a second; {shares}"),
        None => println!("  no rate held"),
    }
    if let Some((rate, shares)) = fails {
        println!("  the lowest that did not: {rate:.0}; {shares}; {}", shares.limit());
    }
    Ok(())
}
