//! The `OpenAPI` document of the management port.

use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr,
    ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::reports::{InfoReport, JobsReport, LivenessReport, ModuleReport, ReadinessReport, StartupReport};
use crate::app::BuildInfo;
use crate::schedule::ScheduleStatus;

/// Describes the management port: the paths, and the answers of [`Operations`](crate::Operations) as JSON.
///
/// The three probes answer 200 or 503 with the same body. `/ops/jobs` and `/ops/schedules` answer 503 without a body of
/// their own when the database cannot be asked.
pub fn operations_document(build: &BuildInfo) -> OpenApi {
    let paths = PathsBuilder::new()
        .path("/livez", probe::<LivenessReport>("livez", "Whether the process is alive"))
        .path("/readyz", probe::<ReadinessReport>("readyz", "Whether the process may get work"))
        .path("/startupz", probe::<StartupReport>("startupz", "Whether the process has started"))
        .path("/ops/info", answer("info", "Which program this is and how it runs", reference::<InfoReport>()))
        .path(
            "/ops/modules",
            answer("modules", "The modules and what they registered", list_of::<ModuleReport>()),
        )
        .path(
            "/ops/jobs",
            asked("jobs", "The queue in numbers, per queue and kind", reference::<JobsReport>()),
        )
        .path(
            "/ops/schedules",
            asked("schedules", "The schedules, with their last and next ticks", list_of::<ScheduleStatus>()),
        );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title(format!("{}: operations", build.name()))
                .version(build.version())
                .build(),
        )
        .paths(paths.build())
        .components(Some(components().build()))
        .build()
}

fn probe<T: ToSchema>(id: &str, summary: &str) -> PathItem {
    get(operation(id, summary)
        .response("200", json("It is", reference::<T>()))
        .response("503", json("It is not", reference::<T>()))
        .build())
}

fn answer(id: &str, summary: &str, schema: RefOr<Schema>) -> PathItem {
    get(operation(id, summary).response("200", json(summary, schema)).build())
}

/// An answer that takes a look into the database.
fn asked(id: &str, summary: &str, schema: RefOr<Schema>) -> PathItem {
    get(operation(id, summary)
        .response("200", json(summary, schema))
        .response("503", ResponseBuilder::new().description("The database cannot be asked").build())
        .build())
}

fn operation(id: &str, summary: &str) -> OperationBuilder {
    OperationBuilder::new().operation_id(Some(id)).summary(Some(summary)).tag("operations")
}

fn get(operation: Operation) -> PathItem {
    PathItem::new(HttpMethod::Get, operation)
}

fn json(description: &str, schema: RefOr<Schema>) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn list_of<T: ToSchema>() -> RefOr<Schema> {
    ArrayBuilder::new().items(reference::<T>()).into()
}

fn components() -> ComponentsBuilder {
    let mut schemas = Vec::new();
    add::<LivenessReport>(&mut schemas);
    add::<ReadinessReport>(&mut schemas);
    add::<StartupReport>(&mut schemas);
    add::<InfoReport>(&mut schemas);
    add::<ModuleReport>(&mut schemas);
    add::<JobsReport>(&mut schemas);
    add::<ScheduleStatus>(&mut schemas);
    ComponentsBuilder::new().schemas_from_iter(schemas)
}

/// A schema and every schema that it refers to.
fn add<T: ToSchema + PartialSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn references(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(|name| name.as_str()).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let document = serde_json::to_value(operations_document(&BuildInfo::new("a", "1"))).unwrap();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.contains("#/components/schemas/KindStats"), "{found:?}");
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["paths"].as_object().unwrap().len(), 7);
    }
}
