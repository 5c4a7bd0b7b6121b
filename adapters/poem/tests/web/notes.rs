//! A module with one route for each thing that a test looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dolmen::{ErrorKind, MigrationSet, Module, ModuleName, PortError, Registrar, Timestamp};
use dolmen_poem::{
    Accepted, ApiExt, Authenticated, Created, Id, IdempotencyKey, IfMatch, JsonBody, NoContent, Page, PageOf,
    Problem, Rfc3339, Versioned,
};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::{Enum, Object, OpenApi};
use tokio::sync::Semaphore;

dolmen::define_id! {
    /// Identifies a note.
    pub(crate) struct NoteId;
}

/// Lets a test watch and hold the slow handler.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) started: Semaphore,
    pub(crate) release: Semaphore,
    pub(crate) done: Semaphore,
    /// Opened when the handler ends, however it does.
    pub(crate) dropped: Arc<Semaphore>,
    pub(crate) runs: AtomicUsize,
}

impl Default for Gate {
    fn default() -> Self {
        let closed = || Semaphore::new(0);
        Self {
            started: closed(),
            release: closed(),
            done: closed(),
            dropped: Arc::new(closed()),
            runs: AtomicUsize::new(0),
        }
    }
}

struct AtItsEnd(Arc<Semaphore>);

impl Drop for AtItsEnd {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
enum Colour {
    Red,
    Blue,
}

#[derive(Debug, Clone, Object)]
struct NewNote {
    #[oai(validator(min_length = 1, max_length = 20))]
    text: String,
    colour: Option<Colour>,
}

#[derive(Debug, Clone, Object)]
struct Note {
    id: Id<NoteId>,
    text: String,
    /// Null until somebody reads it.
    read_at: Option<Rfc3339>,
    colour: Option<Colour>,
    created_at: Rfc3339,
}

struct NotesApi {
    gate: Arc<Gate>,
}

struct OpenNotesApi;

fn note(number: u128, text: &str) -> Note {
    let id = NoteId::new(dolmen::Uuid::from_u128(number));
    Note {
        id: Id(id),
        text: text.to_owned(),
        read_at: None,
        colour: None,
        created_at: Timestamp::UNIX_EPOCH.into(),
    }
}

#[expect(clippy::unused_async, reason = "handlers are async, and few of these wait for anything")]
#[OpenApi]
impl NotesApi {
    /// Writes a note.
    #[oai(path = "/v1/notes", method = "post")]
    async fn write(
        &self,
        caller: Authenticated,
        JsonBody(new): JsonBody<NewNote>,
    ) -> Result<Created<Note>, Problem> {
        let note = Note { colour: new.colour, ..note(caller.user.as_uuid().as_u128(), &new.text) };
        Ok(Created::new(format!("/v1/notes/{}", note.id), note).with_version(1))
    }

    /// Lists the notes 1 to 5.
    #[oai(path = "/v1/notes", method = "get")]
    async fn list(
        &self,
        /// Only of this colour.
        Query(colour): Query<Option<Colour>>,
        page: Page,
    ) -> Result<Json<PageOf<Note>>, Problem> {
        let after: u128 = page.after()?.unwrap_or(0);
        let rows = (after + 1..=5)
            .take(page.rows() as usize)
            .map(|number| Note { colour, ..note(number, "a note") });
        Ok(Json(PageOf::new(rows.collect(), &page, |last| last.id.0.as_uuid().as_u128())?))
    }

    /// Reads a note; there is none.
    #[oai(path = "/v1/notes/:id", method = "get")]
    async fn read(&self, Path(id): Path<Id<NoteId>>) -> Result<Json<Note>, Problem> {
        assert_ne!(id.0.as_uuid().as_u128(), 13, "note 13 brings bad luck");
        Err(Problem::not_found())
    }

    /// Changes a note, which is at version 3.
    #[oai(path = "/v1/notes/:id", method = "put")]
    async fn change(
        &self,
        Path(id): Path<Id<NoteId>>,
        if_match: IfMatch,
        JsonBody(new): JsonBody<NewNote>,
    ) -> Result<Versioned<Note>, Problem> {
        if if_match.version() != 3 {
            return Err(Problem::stale_version());
        }
        Ok(Versioned::new(Note { id, ..note(1, &new.text) }, 4))
    }

    /// Does something once per key.
    #[oai(path = "/v1/once", method = "post")]
    async fn once(&self, key: IdempotencyKey) -> Result<Accepted<String>, Problem> {
        Ok(Accepted::new("/v1/notes", key.to_string()))
    }

    /// Fails as a port does.
    #[oai(path = "/v1/failure", method = "post")]
    async fn fail(&self) -> Result<NoContent, Problem> {
        let error =
            PortError::new(ErrorKind::Internal, "database", "write").with_source("select secret from users");
        Err(error.into())
    }

    /// Takes until the test lets it go on.
    #[oai(path = "/v1/slow", method = "post")]
    async fn slow(&self) -> Result<NoContent, Problem> {
        let _ended = AtItsEnd(Arc::clone(&self.gate.dropped));
        self.gate.started.add_permits(1);
        self.gate.release.acquire().await.map_err(Problem::internal)?.forget();
        self.gate.runs.fetch_add(1, Ordering::SeqCst);
        self.gate.done.add_permits(1);
        Ok(NoContent)
    }
}

#[expect(clippy::unused_async, reason = "handlers are async, and few of these wait for anything")]
#[OpenApi]
impl OpenNotesApi {
    /// Says hello to anyone.
    #[oai(path = "/v1/hello", method = "get")]
    async fn hello(&self) -> PlainText<&'static str> {
        PlainText("hello")
    }

    /// Gives a text back.
    #[oai(path = "/v1/echo", method = "post")]
    async fn echo(&self, JsonBody(new): JsonBody<NewNote>) -> Json<NewNote> {
        Json(new)
    }
}

pub(crate) struct Notes(pub(crate) Arc<Gate>);

impl Module for Notes {
    fn name(&self) -> ModuleName {
        ModuleName::new("notes")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.api(NotesApi { gate: Arc::clone(&self.0) });
        registrar.public_api(OpenNotesApi);
    }
}
