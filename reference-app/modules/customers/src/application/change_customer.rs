//! Changing a customer that nobody else changed meanwhile.

use dolmen::{PortError, Principal, Retryable};

use super::UseCases;
use crate::api::CustomerId;
use crate::domain::{Customer, Details, InvalidDetails};

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

impl UseCases {
    /// Replaces a customer's details if its version is still the one that the user saw.
    pub(crate) async fn change_customer(
        &self,
        principal: &Principal,
        id: CustomerId,
        seen_version: i64,
        details: Details,
    ) -> Result<Customer, ChangeCustomerError> {
        let details = details.checked()?;
        self.ports
            .database
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
                self.ports.audit.record(tx, principal.actor(), "customers.change_customer", target).await?;
                Ok(customer)
            })
            .await
    }
}
