//! HTTP for Dolmen: poem-openapi APIs of modules, served by an accept loop of its own.
//!
//! Modules use it to offer routes ([`ApiExt`]) and to write handlers; the binary uses it to serve them. It knows core and the
//! ports; it knows no database, and nothing of any module.
//!
//! | a handler takes | for | and answers |
//! |---|---|---|
//! | [`Authenticated`] | the caller | [`Created`], [`Accepted`], [`Versioned`], [`NoContent`], |
//! | [`Id`], [`Rfc3339`] | ids and instants, also in bodies | poem-openapi's `Json`, |
//! | [`JsonBody`] | a body held against its schema | [`PageOf`] for lists, |
//! | [`IfMatch`], [`IdempotencyKey`], [`Page`] | headers and paging | or a [`Problem`] |
//!
//! Every answer of a route, and of a path without one, that is no success is a problem document (RFC 9457). What is no
//! HTTP never becomes a request: the parser answers it with an empty 400 or 431 and closes the connection.
//!
//! # Examples
//! ```
//! use dolmen_poem::{Authenticated, Created, Id, JsonBody, Problem};
//! use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
//!
//! dolmen::define_id! {
//!     /// Identifies a note.
//!     pub struct NoteId;
//! }
//!
//! #[derive(Object)]
//! struct NewNote { text: String }
//!
//! #[derive(Object)]
//! struct Note { id: Id<NoteId>, text: String, read_by: Option<String> }
//!
//! struct NotesApi;
//!
//! #[OpenApi]
//! impl NotesApi {
//!     /// Writes a note.
//!     #[oai(path = "/v1/notes", method = "post")]
//!     async fn write(&self, caller: Authenticated, JsonBody(new): JsonBody<NewNote>) -> Result<Created<Note>, Problem> {
//!         let id = NoteId::new(caller.tenant.as_uuid());
//!         Ok(Created::new(format!("/v1/notes/{id}"), Note { id: id.into(), text: new.text, read_by: None }))
//!     }
//!
//!     /// Reads a note.
//!     #[oai(path = "/v1/notes/:id", method = "get")]
//!     async fn read(&self, _caller: Authenticated, Path(id): Path<Id<NoteId>>) -> Result<Json<Note>, Problem> {
//!         println!("no note {}", id.0);
//!         Err(Problem::not_found())
//!     }
//! }
//! ```

mod api_ext;
mod docs;

mod extract;
mod json;
mod management;
mod object_links;
mod openapi;
mod problem;
mod respond;
mod router;
mod server;
mod web_role;

pub use api_ext::ApiExt;
pub use extract::{Authenticated, Cursor, ETag, Id, IdempotencyKey, IfMatch, Page, PageOf, Rfc3339};
pub use json::{JsonBody, fingerprint};
pub use management::{ManagementRole, ManagementSettings};
pub use object_links::object_downloads;
pub use poem::http::StatusCode;
pub use problem::{Fault, Problem, ProblemDocument};
pub use respond::{Accepted, Created, NoContent, Versioned};
pub use server::{BoundAddress, HttpSettings};
pub use web_role::WebRole;
