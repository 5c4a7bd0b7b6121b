//! Finds time zones by name, and the name that was meant.

use dolmen_ports::Timestamp;
use jiff::tz::{self, TimeZone};

use super::cron::CronError;
use crate::config::suggestion::closest;

/// The zone of a name.
///
/// # Errors
/// `Zone`, with the name that is nearest if one is near.
pub(super) fn find(name: &str) -> Result<TimeZone, CronError> {
    TimeZone::get(name).map_err(|_| CronError::Zone { zone: name.to_owned(), nearest: nearest(name) })
}

/// The name that is closest, as a whole or by its city: `Berlin` means `Europe/Berlin`.
fn nearest(name: &str) -> Option<String> {
    let known: Vec<String> = tz::db().available().map(|name| name.as_str().to_owned()).collect();
    if let Some(whole) = closest(name, known.iter().map(String::as_str)) {
        return Some(whole.to_owned());
    }
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let cities: Vec<String> = known.iter().map(|name| city(name)).collect();
    let meant = closest(&city(name), cities.iter().map(String::as_str))?;
    known.iter().zip(&cities).find(|(_, city)| *city == meant).map(|(name, _)| name.clone())
}

/// An instant as a clock in the zone shows it.
pub(super) fn local(zone: &TimeZone, at: Timestamp) -> String {
    match jiff::Timestamp::from_microsecond(at.as_unix_micros()) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%F %T %:z").to_string(),
        Err(_) => at.to_string(),
    }
}
