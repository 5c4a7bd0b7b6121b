//! What is left after F2, held against what the clients were told.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::chaos::verdict::{Verdict, some};
use crate::failure::{Failure, Outcome};

use super::Plan;
use super::clients::Issued;

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) plan: Plan,
    pub(super) kills: usize,
    pub(super) kills_mid_issue: usize,
    pub(super) seed: u64,
    pub(super) seconds: f32,
    /// What the answers to the clients said.
    pub(super) answered: Vec<Issued>,
    /// What the database has: id, status, number.
    pub(super) stored: Vec<(String, String, Option<u64>)>,
    /// How many events of each invoice are in the queue.
    pub(super) events: BTreeMap<String, usize>,
}

/// Counts the events in the payloads of jobs, by invoice.
pub(super) fn events(payloads: &str) -> Outcome<BTreeMap<String, usize>> {
    let mut events = BTreeMap::new();
    for line in payloads.lines() {
        let envelope: Value = serde_json::from_str(line)?;
        let invoice = envelope.pointer("/payload/invoice").and_then(Value::as_str);
        let invoice = invoice.ok_or_else(|| Failure::new(format!("an event without an invoice: {line}")))?;
        *events.entry(invoice.to_owned()).or_default() += 1;
    }
    Ok(events)
}

impl Findings {
    /// What makes the run red.
    pub(super) fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        let numbers = self.numbers();
        let wanted: Vec<u64> = (1..).take(numbers.len()).collect();
        verdict.promise(numbers == wanted, || {
            format!("the numbers are not 1 to {}: {numbers:?}", numbers.len())
        });
        let without = self.issued(|events| events == 0);
        verdict.promise(without.is_empty(), || format!("issued without an event: {}", some(&without)));
        let with_several = self.issued(|events| events > 1);
        verdict.promise(with_several.is_empty(), || format!("several events: {}", some(&with_several)));
        let orphans = self.orphans();
        verdict.promise(orphans.is_empty(), || format!("events of invoices not issued: {}", some(&orphans)));
        let broken = self.broken_answers();
        verdict.promise(broken.is_empty(), || format!("answered and stored otherwise: {}", some(&broken)));
        let (invoices, asked) = (self.stored.len(), self.plan.issues);
        verdict.promise(invoices == asked, || format!("{invoices} invoices for {asked} keys"));
        verdict.expect(self.answered.len() == asked, || format!("{} were answered", self.answered.len()));
        verdict.expect(self.kills_mid_issue * 2 >= self.kills, || {
            format!("only {} kills while an invoice was being issued", self.kills_mid_issue)
        });
        verdict
    }

    fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.stored.iter().filter_map(|(_, _, number)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The issued invoices whose number of events is such.
    fn issued(&self, wanted: impl Fn(usize) -> bool) -> Vec<String> {
        let issued = self.stored.iter().filter(|(_, status, _)| status == "issued").map(|(id, _, _)| id);
        issued.filter(|id| wanted(self.events.get(*id).copied().unwrap_or(0))).cloned().collect()
    }

    fn orphans(&self) -> Vec<String> {
        let is_issued =
            |id: &str| self.stored.iter().any(|(stored, status, _)| stored == id && status == "issued");
        self.events.keys().filter(|id| !is_issued(id)).cloned().collect()
    }

    fn broken_answers(&self) -> Vec<String> {
        let is_stored = |answer: &&Issued| {
            !self.stored.iter().any(|(id, _, number)| *id == answer.id && *number == Some(answer.number))
        };
        self.answered.iter().filter(is_stored).map(|answer| answer.id.clone()).collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills ({} while issuing), {} issues answered, {} invoices, numbers 1 to {}, {} events, {} issued \
             without an event, seed {}, {:.0} s: {}",
            self.kills,
            self.kills_mid_issue,
            self.answered.len(),
            self.stored.len(),
            self.numbers().last().copied().unwrap_or(0),
            self.events.values().sum::<usize>(),
            self.issued(|events| events == 0).len(),
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two invoices, issued as they should be.
    fn sound() -> Findings {
        let invoice = |id: &str, number| (id.to_owned(), "issued".to_owned(), Some(number));
        Findings {
            plan: Plan { issues: 2, kills: 1 },
            kills: 1,
            kills_mid_issue: 1,
            seed: 1,
            seconds: 1.0,
            answered: vec![
                Issued { id: "a".to_owned(), number: 1 },
                Issued { id: "b".to_owned(), number: 2 },
            ],
            stored: vec![invoice("b", 2), invoice("a", 1)],
            events: BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]),
        }
    }

    #[test]
    fn each_broken_promise_is_noticed() {
        assert!(sound().verdict().is_green());
        let spoils: [fn(&mut Findings); 6] = [
            |found| found.events.clear(),
            |found| found.events.extend([("a".to_owned(), 2)]),
            |found| found.events.extend([("c".to_owned(), 1)]),
            |found| found.stored[0].2 = Some(3),
            |found| found.answered[0].number = 2,
            |found| found.stored.push(("c".to_owned(), "draft".to_owned(), None)),
        ];
        for (index, spoil) in spoils.into_iter().enumerate() {
            let mut findings = sound();
            spoil(&mut findings);
            assert!(findings.verdict().broke_a_promise(), "spoil {index}");
        }
    }
}
