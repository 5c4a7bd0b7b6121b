//! Lists: pages, filters and search.

use serde_json::{Value, json};

use crate::support::{Case, TestApp, cases, customer_named, text};

pub(crate) fn cases() -> Vec<Case> {
    cases![on_app:
        pages_add_up_to_the_list_newest_first,
        what_is_added_meanwhile_moves_no_page,
        a_limit_is_1_to_200,
        a_cursor_that_was_tampered_with_is_refused,
        a_search_finds_letters_and_not_patterns,
        a_search_goes_on_over_pages,
        invoices_are_listed_by_status,
    ]
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| text(item, "name")).collect()
}

async fn pages_add_up_to_the_list_newest_first(app: &TestApp) {
    let empty = app.demo.read("/v1/customers").await;
    assert_eq!(empty, json!({ "items": [], "next_cursor": null }));
    for name in ["A", "B", "C", "D", "E"] {
        app.demo.add_customer(name).await;
    }
    for limit in [1, 2, 4, 5, 6, 200] {
        assert_eq!(names(&app.demo.all("/v1/customers", limit).await), ["E", "D", "C", "B", "A"], "{limit}");
    }
    let last = app.demo.read("/v1/customers?limit=5").await;
    assert_eq!(last["next_cursor"], Value::Null, "a full page may be the last one");
    // A form that sends empty fields asks for the first page.
    assert_eq!(app.demo.read("/v1/customers?search=&cursor=&limit=").await, last);
    let customer = app.demo.add_customer("F").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, app.demo.draft(&customer).await);
    }
    let listed = app.demo.all("/v1/invoices", 2).await;
    assert_eq!(listed.iter().map(|invoice| text(invoice, "id")).collect::<Vec<_>>(), ids);
    assert_eq!(listed[0], app.demo.read(&format!("/v1/invoices/{}", ids[0])).await);
}

async fn what_is_added_meanwhile_moves_no_page(app: &TestApp) {
    for name in ["A", "B", "C", "D"] {
        app.demo.add_customer(name).await;
    }
    let first = app.demo.read("/v1/customers?limit=2").await;
    app.demo.add_customer("E").await;
    let second =
        app.demo.read(&format!("/v1/customers?limit=2&cursor={}", text(&first, "next_cursor"))).await;
    let pages =
        [first["items"].as_array().unwrap().clone(), second["items"].as_array().unwrap().clone()].concat();
    assert_eq!(names(&pages), ["D", "C", "B", "A"]);
}

async fn a_limit_is_1_to_200(app: &TestApp) {
    for list in ["/v1/customers", "/v1/invoices"] {
        for limit in ["0", "201", "-1", "1000000000", "99999999999999999999", "1.5", "ten", "%00"] {
            let answer = app.demo.get(&format!("{list}?limit={limit}")).send().await;
            answer.problem(422, "request/validation");
            assert_eq!(answer.pointers(), ["/limit"], "{limit}");
        }
        for limit in [1, 200] {
            app.demo.get(&format!("{list}?limit={limit}")).send().await.expect(200);
        }
    }
}

async fn a_cursor_that_was_tampered_with_is_refused(app: &TestApp) {
    for name in ["A", "B"] {
        app.demo.add_customer(name).await;
    }
    let page = app.demo.read("/v1/customers?limit=1").await;
    let cursor = text(&page, "next_cursor").to_owned();
    let mut tampered = vec![
        "x".to_owned(),
        "%00".to_owned(),
        "A".repeat(5_000),
        cursor[1..].to_owned(),
        format!("{cursor}A"),
    ];
    for at in [0, cursor.len() / 2, cursor.len() - 2] {
        let mut letters = cursor.clone().into_bytes();
        letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
        tampered.push(String::from_utf8(letters).unwrap());
    }
    for cursor in tampered {
        for list in ["/v1/customers", "/v1/invoices"] {
            let answer = app.demo.get(&format!("{list}?cursor={cursor}")).send().await;
            answer.problem(400, "request/invalid-cursor");
        }
    }
    app.demo.get(&format!("/v1/customers?limit=1&cursor={cursor}")).send().await.expect(200);
}

async fn a_search_finds_letters_and_not_patterns(app: &TestApp) {
    for name in ["Grün & Söhne", "100% Stein", "a_b!c", "axb", "ÅNGSTRÖM AB"] {
        app.demo.add_customer(name).await;
    }
    let mut other = customer_named("Zoë");
    other["email"] = json!("Rocks@Menhir.example");
    app.demo.post("/v1/customers", &other).await.expect(201);
    for (search, found) in [
        ("%25", &["100% Stein"][..]),
        ("_", &["a_b!c"]),
        ("a_b", &["a_b!c"]),
        ("!", &["a_b!c"]),
        ("GR%C3%9CN", &["Grün & Söhne"]),
        ("%C3%A5ngstr%C3%B6m", &["ÅNGSTRÖM AB"]),
        ("s%C3%B6hne", &["Grün & Söhne"]),
        ("STEIN", &["100% Stein"]),
        ("menhir", &["Zoë"]),
        ("MENHIR.EXAMPLE", &["Zoë"]),
        ("+stein+", &["100% Stein"]),
        ("nobody", &[]),
        ("'", &[]),
        ("%5C", &[]),
        ("%C3%A9", &[]),
    ] {
        let page = app.demo.read(&format!("/v1/customers?search={search}")).await;
        assert_eq!(names(page["items"].as_array().unwrap()), found, "{search}");
    }
    assert_eq!(app.demo.all("/v1/customers?search=", 200).await.len(), 6);
    for search in ["%00".to_owned(), "a%00b".to_owned(), "x".repeat(201)] {
        let answer = app.demo.get(&format!("/v1/customers?search={search}")).send().await;
        answer.problem(422, "request/validation");
        assert_eq!(answer.pointers(), ["/search"]);
    }
}

async fn a_search_goes_on_over_pages(app: &TestApp) {
    for name in ["Zoe 1", "Bea 1", "Zoe 2", "Bea 2", "Zoe 3"] {
        app.demo.add_customer(name).await;
    }
    assert_eq!(names(&app.demo.all("/v1/customers?search=zoe+", 1).await), ["Zoe 3", "Zoe 2", "Zoe 1"]);
    // A changed name is found under the new one only.
    let zoe = app.demo.read("/v1/customers?search=zoe+1").await["items"][0].clone();
    let change =
        app.demo.call("PUT", &format!("/v1/customers/{}", text(&zoe, "id"))).header("if-match", "\"1\"");
    change.json(&customer_named("Cleo")).send().await.expect(200);
    assert!(app.demo.all("/v1/customers?search=zoe+1", 9).await.is_empty());
    assert_eq!(names(&app.demo.all("/v1/customers?search=CLEO", 9).await), ["Cleo"]);
}

async fn invoices_are_listed_by_status(app: &TestApp) {
    let customer = app.demo.add_customer("Ada").await;
    let (mut ids, steps) = (Vec::new(), [&[][..], &["issue"], &["issue", "pay"], &["cancel"]]);
    for steps in steps {
        let id = app.demo.draft(&customer).await;
        for step in steps {
            app.demo.order(&format!("/v1/invoices/{id}/{step}")).await.expect(200);
        }
        ids.push(id);
    }
    for (status, id) in ["draft", "issued", "paid", "cancelled"].iter().zip(&ids) {
        let found = app.demo.all(&format!("/v1/invoices?status={status}"), 1).await;
        assert_eq!(found.iter().map(|invoice| text(invoice, "id")).collect::<Vec<_>>(), [id], "{status}");
        assert_eq!(text(&found[0], "status"), *status);
    }
    assert_eq!(app.demo.all("/v1/invoices", 3).await.len(), 4);
    for status in ["open", "DRAFT", "", "draft%20", "draft,paid"] {
        let answer = app.demo.get(&format!("/v1/invoices?status={status}")).send().await;
        answer.problem(422, "request/validation");
        assert_eq!(answer.pointers(), ["/status"], "{status}");
    }
}
