//! Clients that draft and issue invoices, and try again, under the same key, until they have an answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::patience::pause;
use crate::failure::{Failure, Outcome};

use super::http::{Answer, Request, Server};

/// How long a client tries until it gives up an invoice.
const INVOICE_WITHIN: Duration = Duration::from_mins(1);
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// An invoice whose issuing was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issued {
    pub(super) id: String,
    pub(super) number: u64,
}

/// What the clients share.
#[derive(Debug)]
pub(super) struct Clients {
    server: Server,
    token: String,
    customer: String,
    wanted: usize,
    begun: AtomicUsize,
    /// How many requests wait for the answer to an issue.
    pub(super) issuing: AtomicUsize,
    issued: Mutex<Vec<Issued>>,
    failure: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Clients {
    /// Signs in and makes a customer; `wanted` invoices are to be issued.
    pub(super) fn sign_in(server: Server, wanted: usize) -> Outcome<Self> {
        let mut clients = Self {
            server,
            token: String::new(),
            customer: String::new(),
            wanted,
            begun: AtomicUsize::new(0),
            issuing: AtomicUsize::new(0),
            issued: Mutex::default(),
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

    /// Issues invoices until enough are begun; one of several threads.
    pub(super) fn work(&self) {
        loop {
            let number = self.begun.fetch_add(1, Ordering::SeqCst);
            if number >= self.wanted || self.stop.load(Ordering::SeqCst) {
                return;
            }
            match self.issue_one(number) {
                Ok(issued) => lock(&self.issued).push(issued),
                Err(failure) => {
                    lock(&self.failure).get_or_insert(format!("invoice {number}: {failure}"));
                    self.stop.store(true, Ordering::SeqCst);
                }
            }
        }
    }

    /// Ends the clients before their work is done.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// The invoices that were issued so far, as the answers said; fails when a client has.
    pub(super) fn issued(&self) -> Outcome<Vec<Issued>> {
        match &*lock(&self.failure) {
            Some(failure) => Err(Failure::new(failure.clone())),
            None => Ok(lock(&self.issued).clone()),
        }
    }

    /// All invoices, as the list tells them: id, status and number.
    pub(super) fn list(&self) -> Outcome<Vec<(String, String, Option<u64>)>> {
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

    fn issue_one(&self, number: usize) -> Outcome<Issued> {
        let id = self.draft(number)?;
        // Now and then a client asks again although it has the answer.
        if number.is_multiple_of(10) && self.draft(number)? != id {
            return Err(Failure::new("the same key made a second invoice"));
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
            _ => Err(Failure::new(format!("issuing was answered with {} {}", answer.status, answer.body))),
        }
    }

    fn draft(&self, number: usize) -> Outcome<String> {
        let invoice = json!({
            "customer_id": self.customer,
            "currency": "EUR",
            "lines": [{ "description": "stone", "quantity": number + 1, "unit_price_minor": 100 }],
        });
        let key = format!("Idempotency-Key: chaos-{number}\r\n");
        text(&self.until_answered("POST", "/v1/invoices", &key, Some(invoice))?, 201, "id")
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
        let request = Request { method, path, headers, body };
        let start = Instant::now();
        let mut last = None;
        while start.elapsed() < INVOICE_WITHIN && !self.stop.load(Ordering::SeqCst) {
            match self.server.ask(&request) {
                Some(answer) if answer.status < 500 => return Ok(answer),
                Some(answer) => last = Some(answer),
                None => {}
            }
            pause(TRY_AGAIN_AFTER);
        }
        Err(Failure::new(format!("{method} {path} was not answered in time; last: {last:?}")))
    }
}

fn text(answer: &Answer, status: u16, field: &str) -> Outcome<String> {
    match answer.body.get(field).and_then(Value::as_str) {
        Some(text) if answer.status == status => Ok(text.to_owned()),
        _ => Err(Failure::new(format!(
            "{status} with {field} was expected: {} {}",
            answer.status, answer.body
        ))),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
