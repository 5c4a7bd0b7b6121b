//! Crates of others that are kept in one place, or out.

use crate::arch::layer::Layer;
use crate::arch::model::{Crate, Model};
use crate::findings::{Findings, Problem};

/// Names the crates that may be used in one place only, and finds them elsewhere.
pub(super) fn check(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for member in &model.crates {
        let Some(layer) = model.layer(&member.name) else { continue };
        for edge in member.shipped_dependencies() {
            match verdict(layer, &member.name, &edge.name) {
                Verdict::Fine => {}
                Verdict::Noted(why) => {
                    findings.note(format!("`{}` uses `{}`: {why}", member.name, edge.name));
                }
                Verdict::Misplaced(rule, fix) => {
                    findings.problem(Problem::new(place(member, &edge.name), rule, fix));
                }
            }
        }
    }
    findings.absorb(kept_out(model).into());
    findings
}

enum Verdict {
    Fine,
    Noted(&'static str),
    Misplaced(&'static str, &'static str),
}

fn verdict(layer: Layer, member: &str, dependency: &str) -> Verdict {
    let is_sqlx = dependency == "sqlx" || dependency.starts_with("sqlx-");
    let is_server = dependency == "hyper" || dependency == "hyper-util";
    let is_poem = dependency == "poem" || dependency.starts_with("poem-");
    match layer {
        // A program for fault tests also does what the adapter would never do.
        _ if is_sqlx && (member == "dolmen-sql" || layer == Layer::Harness) => Verdict::Fine,
        Layer::Modules if is_sqlx => Verdict::Noted("native SQL ties the module to one database"),
        _ if is_sqlx => Verdict::Misplaced(
            "sqlx lives in dolmen-sql only",
            "write the statement with `dolmen_sql::sql!`, or move the code into adapters/sql",
        ),
        _ if member == "dolmen-poem" || layer == Layer::Binary => Verdict::Fine,
        Layer::Modules | Layer::Book if is_poem => Verdict::Fine,
        _ if is_poem || is_server => Verdict::Misplaced(
            "HTTP lives in dolmen-poem, in a module's adapters/http.rs (poem) and in the binary",
            "hand over a route set, or move the code into adapters/poem",
        ),
        Layer::Ports | Layer::Core if is_technology(dependency) => Verdict::Misplaced(
            "ports and core know no technology",
            "put what needs it into an adapter, behind a port",
        ),
        _ => Verdict::Fine,
    }
}

/// Protocols, clouds and telemetry: each belongs to the adapter of its name.
fn is_technology(dependency: &str) -> bool {
    ["http", "axum", "object_store", "lettre"].contains(&dependency)
        || ["http-", "aws-", "opentelemetry", "rusqlite", "tokio-postgres", "prometheus"]
            .iter()
            .any(|prefix| dependency.starts_with(prefix))
}

fn place(member: &Crate, dependency: &str) -> String {
    format!("{}: `{}` depends on `{dependency}`", member.manifest_path.display(), member.name)
}

/// Crates that no build of ours may contain, however deep.
fn kept_out(model: &Model) -> Vec<Problem> {
    model
        .resolved
        .iter()
        .filter(|(name, _)| {
            name.starts_with("aws-lc-") || name.starts_with("openssl") || *name == "native-tls"
        })
        .map(|(name, parents)| {
            Problem::new(
                format!("`{name}` is built, because {} asks for it", parents.join(", ")),
                "TLS is rustls with ring: no OpenSSL, no aws-lc (a C build of minutes and a second provider)",
                "turn off that crate's default features and choose its ring feature",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::model::{Dependency, DependencyKind};

    fn with_edge(layer: Layer, from: &str, to: &str) -> Model {
        let edge = Dependency { name: to.to_owned(), kind: DependencyKind::Normal };
        Model {
            crates: vec![Crate { name: from.to_owned(), dependencies: vec![edge], ..Crate::default() }],
            layers: [(from.to_owned(), ("layer".to_owned(), Some(layer)))].into(),
            ..Model::default()
        }
    }

    #[test]
    fn sqlx_stays_in_dolmen_sql() {
        assert_eq!(check(&with_edge(Layer::Adapters, "dolmen-sql", "sqlx")).problems, []);
        for (layer, from) in [
            (Layer::Ports, "dolmen-ports"),
            (Layer::Core, "dolmen"),
            (Layer::Adapters, "dolmen-poem"),
            (Layer::Testkit, "dolmen-testkit"),
            (Layer::Binary, "app"),
            (Layer::Book, "dolmen-book"),
        ] {
            let problems = check(&with_edge(layer, from, "sqlx")).problems;
            assert!(
                problems.len() == 1 && problems[0].place.contains("depends on `sqlx`"),
                "{from}: {problems:?}"
            );
        }
        assert_eq!(check(&with_edge(Layer::Core, "dolmen", "sqlx-core")).problems.len(), 1);
    }

    #[test]
    fn a_module_with_sqlx_is_reported_but_allowed() {
        let findings = check(&with_edge(Layer::Modules, "invoices", "sqlx"));
        assert_eq!(findings.problems, []);
        assert_eq!(findings.notes.len(), 1);
    }

    #[test]
    fn http_stays_in_dolmen_poem_the_modules_and_the_binary() {
        for (layer, from, to) in [
            (Layer::Adapters, "dolmen-poem", "hyper"),
            (Layer::Binary, "app", "hyper-util"),
            (Layer::Modules, "invoices", "poem-openapi"),
        ] {
            assert_eq!(check(&with_edge(layer, from, to)).problems, [], "{from} -> {to}");
        }
        for (layer, from, to) in [
            (Layer::Modules, "invoices", "hyper"),
            (Layer::Core, "dolmen", "poem"),
            (Layer::Ports, "dolmen-ports", "poem-openapi"),
            (Layer::Adapters, "dolmen-sql", "hyper-util"),
            (Layer::Testkit, "dolmen-testkit", "hyper"),
        ] {
            assert_eq!(check(&with_edge(layer, from, to)).problems.len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn ports_and_core_know_no_technology() {
        for (layer, from) in [(Layer::Ports, "dolmen-ports"), (Layer::Core, "dolmen")] {
            for to in ["http", "http-body-util", "aws-sdk-s3", "opentelemetry_sdk"] {
                assert_eq!(check(&with_edge(layer, from, to)).problems.len(), 1, "{from} -> {to}");
            }
        }
        assert_eq!(check(&with_edge(Layer::Adapters, "dolmen-otel", "opentelemetry_sdk")).problems, []);
    }

    #[test]
    fn openssl_and_aws_lc_are_kept_out_however_deep() {
        for name in ["openssl", "openssl-sys", "aws-lc-rs", "aws-lc-sys", "native-tls"] {
            let mut model = with_edge(Layer::Core, "dolmen", "serde");
            model.resolved.insert(name.to_owned(), vec!["reqwest".to_owned()]);
            let problems = check(&model).problems;
            assert!(problems.len() == 1 && problems[0].place.contains("reqwest asks"), "{problems:?}");
        }
    }
}
