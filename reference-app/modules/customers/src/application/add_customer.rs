//! Adding a customer.

use std::sync::Arc;

use dolmen::{Actor, AuditEntry, AuditLog, Clock, Database, IdGenerator, PortError, Principal, Retryable};

use crate::api::CustomerId;
use crate::domain::{Customer, Details, InvalidDetails};
use crate::ports::CustomerRepository;

/// Adds a customer, with its audit row.
pub(crate) struct AddCustomer {
    pub(crate) database: Database,
    pub(crate) customers: Arc<dyn CustomerRepository>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

/// Why a customer was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddCustomerError {
    #[error(transparent)]
    Invalid(#[from] InvalidDetails),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for AddCustomerError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Invalid(_) => None,
        }
    }
}

impl AddCustomer {
    pub(crate) async fn run(
        &self,
        principal: &Principal,
        details: Details,
    ) -> Result<Customer, AddCustomerError> {
        let now = self.clock.now();
        let customer = Customer::new(CustomerId::new(self.ids.next()), details, now)?;
        self.database
            .tenant(principal.tenant)
            .write(async |tx| -> Result<(), AddCustomerError> {
                self.customers.insert(tx, &customer).await?;
                let target = format!("customer/{}", customer.id);
                let entry = AuditEntry::new(
                    self.ids.next(),
                    now,
                    Actor::User(principal.user),
                    "customers.add_customer",
                    target,
                );
                Ok(self.audit.record(tx, &entry).await?)
            })
            .await?;
        Ok(customer)
    }
}
