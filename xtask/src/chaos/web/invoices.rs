//! What is left after a run, held against what the clients were told.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::chaos::verdict::{Verdict, some};
use crate::failure::{Failure, Outcome};

use super::clients::{Clients, Issued};
use super::scene::Scene;

/// The invoices that were asked for, answered and stored, and their events.
#[derive(Debug)]
pub(in crate::chaos) struct Invoices {
    /// How many were begun: one key each.
    asked: usize,
    /// What the answers to the clients said.
    answered: Vec<Issued>,
    /// Answers that did not fit earlier ones.
    contradictions: Vec<String>,
    /// What the database has: id, status, number.
    stored: Vec<(String, String, Option<u64>)>,
    /// How many events of each invoice are in the queue.
    events: BTreeMap<String, usize>,
}

impl Invoices {
    /// Reads what is left, and ends the web process.
    pub(in crate::chaos) fn gather(clients: &Clients, scene: &mut Scene) -> Outcome<Self> {
        let stored = clients.list()?;
        scene.end()?;
        Ok(Self {
            asked: clients.begun(),
            answered: clients.issued(),
            contradictions: clients.contradictions(),
            stored,
            events: events(&scene.payloads()?)?,
        })
    }

    /// What is wrong with them.
    pub(in crate::chaos) fn judge(&self, verdict: &mut Verdict) {
        verdict.promise(self.contradictions.is_empty(), || {
            format!("answers that contradict earlier ones: {}", some(&self.contradictions))
        });
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
        let lost = self.lost();
        verdict.promise(lost.is_empty(), || format!("answered and stored otherwise: {}", some(&lost)));
        let (invoices, asked) = (self.stored.len(), self.asked);
        verdict.promise(invoices == asked, || format!("{invoices} invoices for {asked} keys"));
        verdict.expect(self.answered.len() == asked, || format!("{} were answered", self.answered.len()));
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

    /// What was acknowledged and is not there.
    fn lost(&self) -> Vec<String> {
        let is_lost = |answer: &&Issued| {
            !self.stored.iter().any(|(id, _, number)| *id == answer.id && *number == Some(answer.number))
        };
        self.answered.iter().filter(is_lost).map(|answer| answer.id.clone()).collect()
    }
}

impl fmt::Display for Invoices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} issues answered ({} lost), {} invoices, numbers 1 to {}, {} events, {} issued without an event",
            self.answered.len(),
            self.lost().len(),
            self.stored.len(),
            self.numbers().last().copied().unwrap_or(0),
            self.events.values().sum::<usize>(),
            self.issued(|events| events == 0).len(),
        )
    }
}

/// Counts the events in the payloads of jobs, by invoice.
fn events(payloads: &str) -> Outcome<BTreeMap<String, usize>> {
    let mut events = BTreeMap::new();
    for line in payloads.lines() {
        let envelope: Value = serde_json::from_str(line)?;
        let invoice = envelope.pointer("/payload/invoice").and_then(Value::as_str);
        let invoice = invoice.ok_or_else(|| Failure::new(format!("an event without an invoice: {line}")))?;
        *events.entry(invoice.to_owned()).or_default() += 1;
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two invoices, issued as they should be.
    fn sound() -> Invoices {
        let invoice = |id: &str, number| (id.to_owned(), "issued".to_owned(), Some(number));
        Invoices {
            asked: 2,
            answered: vec![
                Issued { id: "a".to_owned(), number: 1 },
                Issued { id: "b".to_owned(), number: 2 },
            ],
            contradictions: Vec::new(),
            stored: vec![invoice("b", 2), invoice("a", 1)],
            events: BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]),
        }
    }

    #[test]
    fn each_broken_promise_is_noticed() {
        let judged = |invoices: &Invoices| {
            let mut verdict = Verdict::default();
            invoices.judge(&mut verdict);
            verdict
        };
        assert!(judged(&sound()).is_green());
        let spoils: [fn(&mut Invoices); 7] = [
            |found| found.contradictions.push("a was gone".to_owned()),
            |found| found.events.clear(),
            |found| found.events.extend([("a".to_owned(), 2)]),
            |found| found.events.extend([("c".to_owned(), 1)]),
            |found| found.stored[0].2 = Some(3),
            |found| found.answered[0].number = 2,
            |found| found.stored.push(("c".to_owned(), "draft".to_owned(), None)),
        ];
        for (index, spoil) in spoils.into_iter().enumerate() {
            let mut invoices = sound();
            spoil(&mut invoices);
            assert!(judged(&invoices).broke_a_promise(), "spoil {index}");
        }
    }
}
