//! Changing a customer that nobody else changed meanwhile.

use std::sync::Arc;

use dolmen::{Actor, AuditEntry, AuditLog, Clock, Database, IdGenerator, PortError, Principal, Retryable};

use crate::api::CustomerId;
use crate::domain::{Customer, Details, InvalidDetails};
use crate::ports::CustomerRepository;

/// Replaces a customer's details if its version is still the one that the user saw.
pub(crate) struct ChangeCustomer {
    pub(crate) database: Database,
    pub(crate) customers: Arc<dyn CustomerRepository>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

/// Why a customer was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeCustomerError {
    #[error("there is no such customer")]
    NotFound,
    #[error("somebody else changed the customer; read it again")]
    Stale,
    #[error(transparent)]
    Invalid(#[from] InvalidDetails),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for ChangeCustomerError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::NotFound | Self::Stale | Self::Invalid(_) => None,
        }
    }
}

impl ChangeCustomer {
    pub(crate) async fn run(
        &self,
        principal: &Principal,
        id: CustomerId,
        seen_version: i64,
        details: Details,
    ) -> Result<Customer, ChangeCustomerError> {
        let details = details.checked()?;
        let now = self.clock.now();
        self.database
            .tenant(principal.tenant)
            .write(async |tx| {
                let mut customer = self.customers.find(tx, id).await?.ok_or(ChangeCustomerError::NotFound)?;
                customer.version = seen_version;
                customer.details = details.clone();
                if !self.customers.replace(tx, &customer).await? {
                    return Err(ChangeCustomerError::Stale);
                }
                customer.version += 1;
                let target = format!("customer/{id}");
                let entry = AuditEntry::new(
                    self.ids.next(),
                    now,
                    Actor::User(principal.user),
                    "customers.change_customer",
                    target,
                );
                self.audit.record(tx, &entry).await?;
                Ok(customer)
            })
            .await
    }
}
