//! Orders over HTTP.

use std::sync::Arc;

use dolmen_poem::{Created, JsonBody, Problem};
use poem_openapi::{Object, OpenApi};

use super::orders::Orders;

pub(super) struct OrdersHttp(pub(super) Arc<Orders>);

#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
struct NewOrder {
    number: i64,
    customer: String,
    total_minor: i64,
}

#[derive(Debug, Clone, Object)]
struct Order {
    id: String,
    number: i64,
}

#[OpenApi]
impl OrdersHttp {
    /// Places an order.
    #[oai(path = "/v1/orders", method = "post", operation_id = "place_order")]
    async fn place(&self, JsonBody(new): JsonBody<NewOrder>) -> Result<Created<Order>, Problem> {
        let id = self.0.place(new.number, &new.customer, new.total_minor).await?;
        Ok(Created::new(format!("/v1/orders/{id}"), Order { id: id.to_string(), number: new.number }))
    }
}
