//! What users do again and again.

use serde_json::{Value, json};

use super::{Call, Client};

/// An id that nothing has.
pub(crate) const UNKNOWN: &str = "0198c0de-0000-7000-8000-00000000dead";

/// A field that is a text.
#[track_caller]
pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

pub(crate) fn customer_named(name: &str) -> Value {
    json!({ "name": name, "email": "ada@example.com", "address": "1 Stone Row\nAvebury" })
}

/// 2 menhirs and a delivery, 259,900 cents in all.
pub(crate) fn invoice_for(customer: &str) -> Value {
    json!({ "customer_id": customer, "currency": "EUR", "lines": [
        { "description": "Menhir, standing", "quantity": 2, "unit_price_minor": 125_000 },
        { "description": "Delivery", "quantity": 1, "unit_price_minor": 9_900 },
    ] })
}

impl Client {
    /// Adds a customer; its id.
    pub(crate) async fn add_customer(&self, name: &str) -> String {
        text(&self.post("/v1/customers", &customer_named(name)).await.json(201), "id").to_owned()
    }

    /// The request that drafts an invoice.
    pub(crate) fn drafting(&self, key: &str, body: &Value) -> Call {
        self.call("POST", "/v1/invoices").header("idempotency-key", key).json(body)
    }

    /// Drafts an invoice under a key of its own; its id.
    pub(crate) async fn draft(&self, customer: &str) -> String {
        let key = dolmen::IdGenerator::next(&dolmen::UuidV7Ids::new()).to_string();
        let invoice = self.drafting(&key, &invoice_for(customer)).send().await.json(201);
        text(&invoice, "id").to_owned()
    }

    /// Drafts an invoice and issues it.
    pub(crate) async fn issued(&self, customer: &str) -> Value {
        let id = self.draft(customer).await;
        self.order(&format!("/v1/invoices/{id}/issue")).await.json(200)
    }

    /// What stands behind a path.
    pub(crate) async fn read(&self, path: &str) -> Value {
        self.get(path).send().await.json(200)
    }

    /// All items of a list, page by page.
    pub(crate) async fn all(&self, list: &str, limit: u32) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let join = if list.contains('?') { '&' } else { '?' };
        loop {
            let page = self.read(&format!("{list}{join}limit={limit}{cursor}")).await;
            let of_page = page["items"].as_array().unwrap();
            assert!(of_page.len() <= limit as usize, "{page}");
            items.extend(of_page.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}
