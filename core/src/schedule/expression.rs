//! Reads cron expressions, and says where one is wrong.

use croner::CronPattern;
use croner::parser::{CronParser, Seconds, Year};

/// The names of the fields, for an expression with seconds; one without begins with the second name.
const NAMES: [&str; 6] = ["second", "minute", "hour", "day of month", "month", "day of week"];

/// What the expression says.
///
/// # Errors
/// What is wrong and at which column, counted in characters from 1.
pub(super) fn read(expression: &str) -> Result<CronPattern, String> {
    parse(expression).map_err(|reason| locate(expression).unwrap_or(reason))
}

fn parse(expression: &str) -> Result<CronPattern, String> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(expression).map(|cron| cron.pattern).map_err(|error| error.to_string())
}

/// Finds the mistake: a name, the number of fields, or the first part of a field that is wrong among stars.
fn locate(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if let Some(name) = fields.first().filter(|first| first.starts_with('@')) {
        let column = column(expression, name);
        let known = "@hourly, @daily, @weekly, @monthly, @yearly";
        return Some(format!(
            "{name:?} at column {column} is none of {known}; an interval is a field, as in */5 * * * *"
        ));
    }
    let count = fields.len();
    let Some(names) =
        6_usize.checked_sub(count).filter(|_| count >= 5).and_then(|skipped| NAMES.get(skipped..))
    else {
        // The first field too many, or the place behind the last one, where the next is missing.
        let surplus = fields.get(6).map(|field| column(expression, field));
        let column = surplus.unwrap_or_else(|| expression.trim_end().chars().count() + 1);
        return Some(format!("{count} fields, and 5 or 6 make an expression, at column {column}"));
    };
    fields.iter().zip(names).enumerate().find_map(|(index, (field, name))| {
        let alone = |part: &str| {
            let among_stars = (0..count).map(|at| if at == index { part } else { "*" });
            parse(&among_stars.collect::<Vec<_>>().join(" "))
        };
        let reason = alone(field).err()?;
        let mut parts = field.split(',').map(|part| (part, alone(part).err()));
        let (part, reason) =
            parts.find_map(|(part, reason)| Some((part, reason?))).unwrap_or((field, reason));
        Some(format!("{name} {part:?} at column {}: {reason}", column(expression, part)))
    })
}

/// Where a part of an expression begins, from 1.
fn column(expression: &str, part: &str) -> usize {
    // The part is a slice of the expression, so the distance of their starts is its place.
    let bytes = part.as_ptr().addr().saturating_sub(expression.as_ptr().addr());
    expression.get(..bytes).map_or(0, |before| before.chars().count()) + 1
}
