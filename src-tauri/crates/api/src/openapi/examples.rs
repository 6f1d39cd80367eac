//! One example for each body. They are made of the contract's own types, so that a field which is renamed is a compile
//! error here, too. Together they tell of one house: the provider `github` with a connection of the same name, the
//! app `backup` and its grant, the credentials `mail` and `github-secret`. Whatever stands for a secret says that it
//! is an example.

mod answered;
mod sent;

use serde::Serialize;
use serde_json::Value;
use tokenry_core::Timestamp;
use utoipa::openapi::{
    Components, Content, Ref, RefOr, Schema, example::ExampleBuilder, path::Operation, schema::ArrayItems,
};
use uuid::Uuid;

/// Adds them to what an operation takes, and to what it answers when it is done.
pub(super) fn add(operation: &mut Operation, components: &mut Components) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content
            .values_mut()
            .for_each(|content| add_one(content, components));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        // An error is told by its code, and its example would be the same everywhere.
        if !status.starts_with(['2', '3']) {
            continue;
        }
        response
            .content
            .values_mut()
            .for_each(|content| add_one(content, components));
        for (name, header) in &mut response.headers {
            if let RefOr::T(header) = header {
                header.example = of_header(name);
            }
        }
    }
}

/// Each stands in the document once, and whoever shows it refers to it.
fn add_one(content: &mut RefOr<Content>, components: &mut Components) {
    let RefOr::T(content) = content else { return };
    let Some(schema) = &content.schema else { return };
    let (one, is_list) = match schema {
        RefOr::T(Schema::Array(list)) => match &list.items {
            ArrayItems::RefOrSchema(item) => (name(item), true),
            ArrayItems::False => return,
        },
        // What may be left out is that or null.
        RefOr::T(Schema::OneOf(either)) => (either.items.iter().find_map(name), false),
        other => (name(other), false),
    };
    let Some(one) = one else { return };
    let Some(example) = sent::of(one).or_else(|| answered::of(one)) else {
        return;
    };
    let (called, value) = if is_list {
        (format!("{one}List"), vec![example].into())
    } else {
        (one.to_owned(), example)
    };
    let reference = Ref::new(format!("#/components/examples/{called}"));
    content
        .examples
        .insert("example".to_owned(), RefOr::Ref(reference));
    let example = ExampleBuilder::new().value(Some(value)).build();
    components.examples.insert(called, RefOr::T(example));
}

fn name(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(schema) => schema.ref_location.strip_prefix("#/components/schemas/"),
        RefOr::T(_) => None,
    }
}

/// The example of a header of an answer.
fn of_header(name: &str) -> Option<Value> {
    Some(match name {
        "Set-Cookie" => "tokenry_oauth_state=example; HttpOnly; SameSite=Lax; Path=/; Max-Age=600".into(),
        "location" => "http://127.0.0.1:9999/cb?code=example-code&state=example-state&iss=http%3A%2F%2F127.0.0.1%3A24180".into(),
        _ => return None,
    })
}

const PROVIDER: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0001);
const CONNECTION: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0002);
const CREDENTIAL: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0003);
const FLOW: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0004);
const APP: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0005);
const GRANT: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0006);
const EVENT: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0007);
const PROMPT: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0008);

const AUTHORIZATION_URL: &str =
    "https://github.example/oauth/authorize?response_type=code&client_id=tokenry-example&state=example-state";
const BROWSER_URL: &str = "http://127.0.0.1:49152/begin/example";
const APP_ADDRESS: &str = "http://127.0.0.1/cb";
const CODE: &str = "example-code";
const STATE: &str = "example-state";
/// `example`.
const BASE64: &str = "ZXhhbXBsZQ==";

/// What cannot be written would be null, which is valid against no schema of ours.
fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}
