//! Customers over HTTP: parse, call, map.

use std::sync::Arc;

use dolmen_poem::{
    Authenticated, Created, Fault, Id, IfMatch, JsonBody, Page, PageOf, Problem, Rfc3339, Versioned,
};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use crate::api::CustomerId;
use crate::application::{AddCustomerError, ChangeCustomerError, UseCases};
use crate::domain::{Customer, Details, InvalidDetails};

/// The routes of this module.
#[derive(Debug)]
pub(crate) struct CustomersHttp(pub(crate) Arc<UseCases>);

/// What is said about a customer.
#[derive(Debug, Clone, Object)]
#[oai(rename = "CustomerDetails", deny_unknown_fields)]
struct DetailsDto {
    /// 1 to 200 characters.
    name: String,
    /// Where mail goes.
    email: String,
    /// 1 to 1,000 characters, in lines.
    address: String,
}

/// A customer.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Customer")]
struct CustomerDto {
    id: Id<CustomerId>,
    name: String,
    email: String,
    address: String,
    created_at: Rfc3339,
}

#[OpenApi]
impl CustomersHttp {
    /// Adds a customer.
    #[oai(path = "/v1/customers", method = "post", operation_id = "add_customer")]
    async fn add(
        &self,
        caller: Authenticated,
        JsonBody(body): JsonBody<DetailsDto>,
    ) -> Result<Created<CustomerDto>, Problem> {
        let customer =
            self.0.add_customer(caller.principal(), body.into()).await.map_err(|error| match error {
                AddCustomerError::Invalid(invalid) => invalid_problem(&invalid),
                AddCustomerError::Port(error) => error.into(),
            })?;
        let version = customer.version;
        Ok(Created::new(format!("/v1/customers/{}", customer.id), customer.into()).with_version(version))
    }

    /// Lists customers whose name or mail address contains `search`, newest first.
    #[oai(path = "/v1/customers", method = "get", operation_id = "list_customers")]
    async fn list(
        &self,
        caller: Authenticated,
        /// At most 200 characters; upper and lower case are the same.
        Query(search): Query<Option<String>>,
        page: Page,
    ) -> Result<Json<PageOf<CustomerDto>>, Problem> {
        if search.as_ref().is_some_and(|text| text.chars().count() > 200 || text.contains('\0')) {
            return Err(Problem::invalid([Fault::new(
                "/search",
                "must be at most 200 characters, without U+0000",
            )]));
        }
        let customers =
            self.0.list_customers(caller.principal(), search.as_deref(), page.after()?, page.rows()).await?;
        let items = customers.into_iter().map(CustomerDto::from).collect();
        Ok(Json(PageOf::new(items, &page, |last: &CustomerDto| last.id.0)?))
    }

    /// Reads a customer.
    #[oai(path = "/v1/customers/:id", method = "get", operation_id = "read_customer")]
    async fn read(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<CustomerId>>,
    ) -> Result<Versioned<CustomerDto>, Problem> {
        let customer =
            self.0.find_customer(caller.principal(), id.0).await?.ok_or_else(Problem::not_found)?;
        let version = customer.version;
        Ok(Versioned::new(customer.into(), version))
    }

    /// Changes a customer that nobody else changed since it was read.
    #[oai(path = "/v1/customers/:id", method = "put", operation_id = "change_customer")]
    async fn change(
        &self,
        caller: Authenticated,
        Path(id): Path<Id<CustomerId>>,
        if_match: IfMatch,
        JsonBody(body): JsonBody<DetailsDto>,
    ) -> Result<Versioned<CustomerDto>, Problem> {
        let changed = self.0.change_customer(caller.principal(), id.0, if_match.version(), body.into()).await;
        let customer = changed.map_err(|error| match error {
            ChangeCustomerError::NotFound => Problem::not_found(),
            ChangeCustomerError::Stale => Problem::stale_version(),
            ChangeCustomerError::Invalid(invalid) => invalid_problem(&invalid),
            ChangeCustomerError::Port(error) => error.into(),
        })?;
        let version = customer.version;
        Ok(Versioned::new(customer.into(), version))
    }
}

fn invalid_problem(invalid: &InvalidDetails) -> Problem {
    Problem::invalid([Fault::new(invalid.pointer, invalid.rule)])
}

impl From<DetailsDto> for Details {
    fn from(dto: DetailsDto) -> Self {
        Self { name: dto.name, email: dto.email, address: dto.address }
    }
}

impl From<Customer> for CustomerDto {
    fn from(customer: Customer) -> Self {
        let Details { name, email, address } = customer.details;
        Self { id: Id(customer.id), name, email, address, created_at: Rfc3339(customer.created_at) }
    }
}
