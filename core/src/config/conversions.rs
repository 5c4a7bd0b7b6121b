//! The types of the standard library and of the ports as values of variables.

use std::path::PathBuf;
use std::time::Duration;

use dolmen_ports::{MailAddress, Secret};

use super::suggestion;
use super::value::{Refusal, SettingValue};
use crate::{ParseRolesError, Role, Roles};

impl SettingValue for String {
    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.chars().any(char::is_control) {
            return Err(Refusal::new("contains a control character"));
        }
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl SettingValue for PathBuf {
    fn parse(text: &str) -> Result<Self, Refusal> {
        String::parse(text).map(Self::from)
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl SettingValue for bool {
    fn parse(text: &str) -> Result<Self, Refusal> {
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(Refusal::new("is neither true nor false").with_fix("use true or false")),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl SettingValue for $number {
            fn parse(text: &str) -> Result<Self, Refusal> {
                text.parse().map_err(|_| {
                    Refusal::new(format!("is not a whole number from {} to {}", Self::MIN, Self::MAX))
                })
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

whole_numbers!(u16, u32, u64, usize);

/// Units from the largest: their name and their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl SettingValue for Duration {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let refusal = |reason: &str| Refusal::new(reason).with_fix("use e.g. 10s, 500ms, 2m");
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text.strip_prefix(digits).unwrap_or_default().trim_start();
        let number: u64 = digits.parse().map_err(|_| refusal("is not a whole number with a unit"))?;
        if unit.is_empty() {
            return Err(refusal("has no unit"));
        }
        let (_, millis) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| refusal("has a unit that is none of ms, s, m, h, d"))?;
        number.checked_mul(*millis).map(Self::from_millis).ok_or_else(|| refusal("is too long"))
    }

    fn show(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let fits = |(_, unit): &&(&str, u64)| millis > 0 && millis.is_multiple_of(*unit);
        match UNITS.iter().find(fits) {
            Some((name, unit)) => format!("{}{name}", millis / unit),
            None => "0s".to_owned(),
        }
    }
}

/// A list, its items separated by commas.
impl<T: SettingValue> SettingValue for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, Refusal> {
        let items: Vec<&str> = text.split(',').map(str::trim).collect();
        if items.contains(&"") {
            return Err(Refusal::new("has an empty item").with_fix("separate the items by one comma each"));
        }
        let read = |(number, item): (usize, &str)| {
            T::parse(item).map_err(|refusal| Refusal {
                reason: format!("has a wrong item, number {}: it {}", number + 1, refusal.reason),
                fix: refusal.fix,
            })
        };
        items.into_iter().enumerate().map(read).collect()
    }

    fn show(&self) -> String {
        let items: Vec<String> = self.iter().map(SettingValue::show).collect();
        items.join(",")
    }
}

/// Hidden wherever it is printed; also read from the file that `<NAME>_FILE` names.
impl<T: SettingValue> SettingValue for Secret<T> {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        T::parse(text).map(Self::new)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for MailAddress {
    fn parse(text: &str) -> Result<Self, Refusal> {
        Self::parse(text).map_err(|_| Refusal::new("is not a mail address such as ada@example.com"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for Roles {
    fn parse(text: &str) -> Result<Self, Refusal> {
        text.parse().map_err(|error| match error {
            ParseRolesError::Unknown(word) => {
                let names = [Role::Web, Role::Worker, Role::Scheduler, Role::Migrate].map(Role::name);
                let names = names.into_iter().chain(["all"]);
                let refusal =
                    Refusal::new("names an unknown role; roles: all, web, worker, scheduler, migrate");
                match suggestion::closest(&word, names) {
                    Some(name) => refusal.with_fix(format!("did you mean {name}?")),
                    None => refusal,
                }
            }
            ParseRolesError::Empty => Refusal::new("names no role"),
            ParseRolesError::AllWithOthers => Refusal::new("has all next to other roles")
                .with_fix("use all alone (web, worker and scheduler), or name the roles"),
            ParseRolesError::MigrateWithOthers => Refusal::new("has migrate next to other roles")
                .with_fix("run one process with migrate alone, before the others"),
        })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
