//! Clients that draft and issue invoices, and try again, under the same key, until they have an answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::patience::pause;
use crate::failure::{Failure, Outcome};

use super::answers::Answers;
use super::http::{Answer, Request, Server};

/// How long a client tries until it gives up an invoice.
const INVOICE_WITHIN: Duration = Duration::from_mins(1);
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Stands for the number of the try in a header.
const TRY: &str = "-{try}";
/// More contradictions say no more.
const ENOUGH: usize = 20;

/// An invoice whose issuing was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chaos) struct Issued {
    pub(in crate::chaos) id: String,
    pub(in crate::chaos) number: u64,
}

/// Why an invoice was not issued.
enum Trouble {
    /// No answer was one.
    Silence(Failure),
    /// An answer does not fit what earlier answers said.
    Contradiction(String),
}

/// What the clients share.
#[derive(Debug)]
pub(in crate::chaos) struct Clients {
    server: Server,
    token: String,
    customer: String,
    /// Whether a draft that is tried again is known by its key.
    keeps_keys: bool,
    wanted: AtomicUsize,
    next: AtomicUsize,
    begun: AtomicUsize,
    /// How many requests wait for the answer to an issue.
    pub(in crate::chaos) issuing: AtomicUsize,
    issued: Mutex<Vec<Issued>>,
    answers: Mutex<Answers>,
    contradictions: Mutex<Vec<String>>,
    failure: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Clients {
    /// Signs in and makes a customer; `wanted` invoices are to be issued, or as many as can be until [`Self::finish`].
    pub(in crate::chaos) fn sign_in(server: Server, wanted: Option<usize>) -> Outcome<Self> {
        let mut clients = Self {
            server,
            token: String::new(),
            customer: String::new(),
            keeps_keys: true,
            wanted: AtomicUsize::new(wanted.unwrap_or(usize::MAX)),
            next: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            issuing: AtomicUsize::new(0),
            issued: Mutex::default(),
            answers: Mutex::default(),
            contradictions: Mutex::default(),
            failure: Mutex::default(),
            stop: AtomicBool::new(false),
        };
        let session = json!({ "email": "demo@example.com", "password": "demo-password" });
        let answer = clients.until_answered("POST", "/v1/session", "", Some(session))?;
        clients.token = text(&answer, 201, "token")?;
        let customer = json!({ "name": "Chaos Ltd", "email": "chaos@example.com", "address": "1 Pit Lane" });
        let answer = clients.until_answered("POST", "/v1/customers", "", Some(customer))?;
        clients.customer = text(&answer, 201, "id")?;
        Ok(clients)
    }

    /// The same clients, who take a new key for each try, so that nobody knows what they have asked for before.
    pub(in crate::chaos) fn with_new_keys(mut self) -> Self {
        self.keeps_keys = false;
        self
    }

    /// Lets so many clients work while something is done to the program; returns once both have ended.
    pub(in crate::chaos) fn at_work<T>(
        &self,
        clients: usize,
        meanwhile: impl FnOnce() -> Outcome<T>,
    ) -> Outcome<T> {
        let done = thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| self.work());
            }
            let done = meanwhile();
            if done.is_err() {
                self.stop();
            }
            done
        })?;
        self.progress()?;
        // Who looks at what is left is answered again.
        self.stop.store(false, Ordering::SeqCst);
        Ok(done)
    }

    /// Issues invoices until enough are begun.
    fn work(&self) {
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= self.wanted.load(Ordering::SeqCst) || self.stop.load(Ordering::SeqCst) {
                return;
            }
            self.begun.fetch_add(1, Ordering::SeqCst);
            match self.issue_one(number) {
                Ok(issued) => lock(&self.issued).push(issued),
                // Nobody waits for an answer any more.
                Err(Trouble::Silence(_)) if self.gave_up() => {}
                Err(Trouble::Silence(failure)) => {
                    lock(&self.failure).get_or_insert(format!("invoice {number}: {failure}"));
                    self.stop();
                }
                Err(Trouble::Contradiction(what)) => {
                    let mut contradictions = lock(&self.contradictions);
                    contradictions.push(format!("invoice {number}: {what}"));
                    if contradictions.len() >= ENOUGH {
                        self.stop();
                    }
                }
            }
        }
    }

    /// Lets the clients end what they have begun, and begin nothing more.
    pub(in crate::chaos) fn finish(&self) {
        self.wanted.store(0, Ordering::SeqCst);
    }

    /// Ends the clients in the middle of their work.
    pub(in crate::chaos) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// How many invoices were begun: one key each.
    pub(in crate::chaos) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many invoices were issued so far; fails when a client has.
    pub(in crate::chaos) fn progress(&self) -> Outcome<usize> {
        match &*lock(&self.failure) {
            Some(failure) => Err(Failure::new(failure.clone())),
            None => Ok(lock(&self.issued).len()),
        }
    }

    /// The invoices that were issued so far, as the answers said.
    pub(in crate::chaos) fn issued(&self) -> Vec<Issued> {
        lock(&self.issued).clone()
    }

    /// What was answered so far.
    pub(in crate::chaos) fn answers(&self) -> Answers {
        lock(&self.answers).clone()
    }

    /// When a request was carried out first after a moment.
    pub(in crate::chaos) fn success_after(&self, moment: Instant) -> Option<Instant> {
        let answers = lock(&self.answers);
        let place = answers.successes.partition_point(|success| *success <= moment);
        answers.successes.get(place).copied()
    }

    /// Answers that did not fit what earlier answers said.
    pub(in crate::chaos) fn contradictions(&self) -> Vec<String> {
        lock(&self.contradictions).clone()
    }

    /// Whether no more invoices can come, although nobody called [`Self::finish`].
    pub(in crate::chaos) fn gave_up(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Looks at the customers once, whatever comes of it.
    pub(in crate::chaos) fn look(&self) -> Option<Answer> {
        let headers = format!("Authorization: Bearer {}\r\n", self.token);
        self.server.ask(&Request { method: "GET", path: "/v1/customers?limit=1", headers, body: None })
    }

    /// All invoices, as the list tells them: id, status and number.
    pub(in crate::chaos) fn list(&self) -> Outcome<Vec<(String, String, Option<u64>)>> {
        let mut invoices = Vec::new();
        let mut path = "/v1/invoices?limit=200".to_owned();
        loop {
            let page = self.until_answered("GET", &path, "", None)?;
            for invoice in page.body.get("items").and_then(Value::as_array).into_iter().flatten() {
                let field = |name| invoice.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                invoices.push((field("id"), field("status"), invoice.get("number").and_then(Value::as_u64)));
            }
            match page.body.get("next_cursor").and_then(Value::as_str) {
                Some(cursor) => path = format!("/v1/invoices?limit=200&cursor={cursor}"),
                None => return Ok(invoices),
            }
        }
    }

    fn issue_one(&self, number: usize) -> Result<Issued, Trouble> {
        let id = self.draft(number)?;
        // Now and then a client asks again although it has the answer.
        if self.keeps_keys && number.is_multiple_of(10) && self.draft(number)? != id {
            return Err(Trouble::Contradiction("the same key made a second invoice".to_owned()));
        }
        let path = format!("/v1/invoices/{id}/issue");
        self.issuing.fetch_add(1, Ordering::SeqCst);
        let answer = self.until_answered("POST", &path, "", None);
        self.issuing.fetch_sub(1, Ordering::SeqCst);
        let mut answer = answer?;
        if answer.status == 409 {
            // An earlier try was carried out, and its answer lost.
            answer = self.until_answered("GET", &format!("/v1/invoices/{id}"), "", None)?;
        }
        match answer.body.get("number").and_then(Value::as_u64) {
            Some(number) if answer.status == 200 => Ok(Issued { id, number }),
            _ => Err(Trouble::Contradiction(format!(
                "it was drafted, and issuing it was answered with {answer}"
            ))),
        }
    }

    fn draft(&self, number: usize) -> Result<String, Trouble> {
        let invoice = json!({
            "customer_id": self.customer,
            "currency": "EUR",
            "lines": [{ "description": "stone", "quantity": number + 1, "unit_price_minor": 100 }],
        });
        let of_try = if self.keeps_keys { "" } else { TRY };
        let key = format!("Idempotency-Key: chaos-{number}{of_try}\r\n");
        let answer = self.until_answered("POST", "/v1/invoices", &key, Some(invoice))?;
        // Who was signed in and may draft invoices still is and may.
        text(&answer, 201, "id").map_err(|failure| Trouble::Contradiction(failure.to_string()))
    }

    /// Asks until there is an answer that is not a failure of the server.
    fn until_answered(
        &self,
        method: &'static str,
        path: &str,
        headers: &str,
        body: Option<Value>,
    ) -> Outcome<Answer> {
        let headers = if self.token.is_empty() {
            headers.to_owned()
        } else {
            format!("Authorization: Bearer {}\r\n{headers}", self.token)
        };
        let mut request = Request { method, path, headers: String::new(), body };
        let start = Instant::now();
        let (mut last, mut tries) = (None, 0);
        while start.elapsed() < INVOICE_WITHIN && !self.stop.load(Ordering::SeqCst) {
            tries += 1;
            request.headers = headers.replace(TRY, &format!("-{tries}"));
            let asked = Instant::now();
            let answer = self.server.ask(&request);
            lock(&self.answers).note(asked, answer.as_ref());
            match answer {
                Some(answer) if answer.status < 500 => return Ok(answer),
                Some(answer) => last = Some(answer),
                None => {}
            }
            pause(TRY_AGAIN_AFTER);
        }
        Err(Failure::new(format!("{method} {path} was not answered in time; last: {last:?}")))
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Silence(failure)
    }
}

fn text(answer: &Answer, status: u16, field: &str) -> Outcome<String> {
    match answer.body.get(field).and_then(Value::as_str) {
        Some(text) if answer.status == status => Ok(text.to_owned()),
        _ => Err(Failure::new(format!("{status} with {field} was expected: {answer}"))),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
