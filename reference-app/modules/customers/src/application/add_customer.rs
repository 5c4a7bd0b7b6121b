//! Adding a customer.

use dolmen::{PortError, Principal, Retryable};

use super::UseCases;
use crate::api::CustomerId;
use crate::domain::{Customer, Details, InvalidDetails};

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

impl UseCases {
    /// Adds a customer, with its audit row.
    pub(crate) async fn add_customer(
        &self,
        principal: &Principal,
        details: Details,
    ) -> Result<Customer, AddCustomerError> {
        let customer =
            Customer::new(CustomerId::new(self.ports.ids.next()), details, self.ports.clock.now())?;
        self.ports
            .database
            .tenant(principal.tenant)
            .write(async |tx| -> Result<(), AddCustomerError> {
                self.customers.insert(tx, &customer).await?;
                let target = format!("customer/{}", customer.id);
                Ok(self.ports.audit.record(tx, principal.actor(), "customers.add_customer", target).await?)
            })
            .await?;
        Ok(customer)
    }
}
