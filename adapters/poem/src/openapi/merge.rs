//! The documents of all modules as one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lift::pattern_of;

/// Merges lifted documents, each with the name of its module.
///
/// # Errors
/// Every collision: one operation twice, two spellings of one path, one schema or operation id with two meanings.
pub(crate) fn merge(
    title: &str,
    version: &str,
    documents: Vec<(String, Value)>,
) -> Result<Value, Vec<String>> {
    let mut merge = Merge::default();
    for (module, mut document) in documents {
        for (path, item) in members(document.get_mut("paths")) {
            merge.path(&module, &path, item);
        }
        for (kind, parts) in members(document.get_mut("components")) {
            merge.components(&module, &kind, parts);
        }
        if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
            for tag in tags.drain(..) {
                let name = tag.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                merge.tags.entry(name).or_insert(tag);
            }
        }
    }
    if !merge.collisions.is_empty() {
        return Err(merge.collisions);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": version },
        "tags": merge.tags.into_values().collect::<Vec<_>>(),
        "paths": merge.paths,
        "components": merge.components,
    }))
}

/// Takes the members out of an object.
fn members(object: Option<&mut Value>) -> Map<String, Value> {
    object.and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default()
}

#[derive(Default)]
struct Merge {
    paths: Map<String, Value>,
    components: Map<String, Value>,
    tags: BTreeMap<String, Value>,
    collisions: Vec<String>,
    /// What the router sees, with the path and the module that came first.
    patterns: BTreeMap<String, (String, String)>,
    /// Who defined what: operations, operation ids and components.
    owners: BTreeMap<String, String>,
}

impl Merge {
    fn path(&mut self, module: &str, path: &str, item: Value) {
        let (first_path, first) =
            self.patterns.entry(pattern_of(path)).or_insert_with(|| (path.to_owned(), module.to_owned()));
        if *first_path != path {
            self.collisions.push(format!(
                "path {path} of module {module} is {first_path} of module {first} with other parameter names; use the same names"
            ));
            return;
        }
        let Value::Object(item) = item else { return };
        for (method, operation) in item {
            let name = format!("{} {path}", method.to_uppercase());
            if self.is_taken(module, &format!("operation {name}")) {
                continue;
            }
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                self.is_taken(module, &format!("operation id {id}"));
            }
            let entry = self.paths.entry(path).or_insert_with(|| json!({}));
            if let Some(entry) = entry.as_object_mut() {
                entry.insert(method, operation);
            }
        }
    }

    fn components(&mut self, module: &str, kind: &str, parts: Value) {
        let Value::Object(parts) = parts else { return };
        for (name, part) in parts {
            let merged = self.components.entry(kind).or_insert_with(|| json!({}));
            let Some(merged) = merged.as_object_mut() else { continue };
            match merged.get(&name) {
                Some(before) if *before == part => {}
                Some(_) => {
                    self.is_taken(module, &format!("{kind} {name}"));
                }
                None => {
                    merged.insert(name.clone(), part);
                    self.owners.insert(format!("{kind} {name}"), module.to_owned());
                }
            }
        }
    }

    /// Notes who has a name; a second owner is a collision.
    fn is_taken(&mut self, module: &str, name: &str) -> bool {
        match self.owners.get(name) {
            None => {
                self.owners.insert(name.to_owned(), module.to_owned());
                false
            }
            Some(first) => {
                let what = if first == module {
                    format!("{name} is defined twice by module {module}")
                } else {
                    format!("{name} is defined by module {first} and, differently, by module {module}")
                };
                self.collisions.push(format!("{what}; rename one"));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, method: &str, schema: &Value) -> Value {
        json!({
            "paths": { path: { method: { "operationId": format!("{method}{path}") } } },
            "components": { "schemas": { "Thing": schema, "Same": { "type": "string" } } }
        })
    }

    fn merged(documents: Vec<(&str, Value)>) -> Result<Value, Vec<String>> {
        merge("app", "1", documents.into_iter().map(|(name, document)| (name.to_owned(), document)).collect())
    }

    #[test]
    fn modules_may_share_a_path_and_equal_schemas() {
        let thing = json!({ "type": "object" });
        let document = merged(vec![
            ("a", document("/v1/things/{id}", "get", &thing)),
            ("b", document("/v1/things/{id}", "put", &thing)),
        ])
        .unwrap();
        assert_eq!(document["paths"]["/v1/things/{id}"].as_object().unwrap().len(), 2);
        assert_eq!(document["components"]["schemas"].as_object().unwrap().len(), 2);
    }

    #[test]
    fn all_collisions_are_told_at_once() {
        let collisions = merged(vec![
            ("a", document("/v1/things/{id}", "get", &json!({ "type": "object" }))),
            ("b", document("/v1/things/{id}", "get", &json!({ "type": "string" }))),
            ("c", document("/v1/things/{thing}", "put", &json!({ "type": "object" }))),
        ])
        .unwrap_err();
        assert_eq!(
            collisions,
            [
                "operation GET /v1/things/{id} is defined by module a and, differently, by module b; rename one",
                "schemas Thing is defined by module a and, differently, by module b; rename one",
                "path /v1/things/{thing} of module c is /v1/things/{id} of module a with other parameter names; use the same names",
            ]
        );
    }
}
