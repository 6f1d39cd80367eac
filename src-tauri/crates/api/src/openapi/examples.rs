//! One example for each body. They stand beside the handlers and are made of the contract's own types, so that a field
//! which is renamed is a compile error there, too. Together they show one profile: the provider `github` with a connection of the same name, the
//! app `backup` and its grant, and the credentials `mail` and `github-secret`. Every placeholder of a secret contains
//! "example".

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tokenry_contract::{DeviceCode, Success};
use tokenry_core::Timestamp;
use utoipa::{
    ToSchema,
    openapi::{
        Components, Content, Ref, RefOr, Schema, example::ExampleBuilder, path::Operation, schema::ArrayItems,
    },
};
use uuid::Uuid;

/// From the name of a schema to its example.
pub(super) type Examples = BTreeMap<String, Value>;

/// The example of one schema.
pub(crate) struct Example {
    pub(super) schema: String,
    pub(super) value: Value,
}

impl Example {
    pub(crate) fn of<T: ToSchema + Serialize>(value: T) -> Self {
        Self {
            schema: T::name().into_owned(),
            // A value that cannot be serialized is null, which no schema allows, so a test fails.
            value: serde_json::to_value(value).unwrap_or_default(),
        }
    }
}

/// Examples of the types that many handlers answer with.
pub(super) fn shared() -> Examples {
    let Example { schema, value } = Example::of(Success { success: true });
    Examples::from([(schema, value)])
}

/// Adds the examples to the request body and to the success response of an operation.
pub(super) fn add(operation: &mut Operation, examples: &Examples, components: &mut Components) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content
            .values_mut()
            .for_each(|content| add_one(content, examples, components));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        // The examples of errors would be the same everywhere.
        if !status.starts_with(['2', '3']) {
            continue;
        }
        response
            .content
            .values_mut()
            .for_each(|content| add_one(content, examples, components));
        for (name, header) in &mut response.headers {
            if let RefOr::T(header) = header {
                header.example = of_header(name);
            }
        }
    }
}

/// Each example is in the document once, and every use refers to it.
fn add_one(content: &mut RefOr<Content>, examples: &Examples, components: &mut Components) {
    let RefOr::T(content) = content else { return };
    let Some(schema) = &content.schema else { return };
    let (one, is_list) = match schema {
        RefOr::T(Schema::Array(list)) => match &list.items {
            ArrayItems::RefOrSchema(item) => (name(item), true),
            ArrayItems::False => return,
        },
        // An optional body is the type or null.
        RefOr::T(Schema::OneOf(either)) => (either.items.iter().find_map(name), false),
        other => (name(other), false),
    };
    let Some(one) = one else { return };
    let Some(example) = examples.get(one).cloned() else {
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

/// The example of a response header.
fn of_header(name: &str) -> Option<Value> {
    Some(match name {
        "Set-Cookie" => "tokenry_oauth_state=example; HttpOnly; SameSite=Lax; Path=/; Max-Age=600".into(),
        "location" => "http://127.0.0.1:9999/cb?code=example-code&state=example-state&iss=http%3A%2F%2F127.0.0.1%3A24180".into(),
        _ => return None,
    })
}

pub(crate) const PROVIDER: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0001);
pub(crate) const CONNECTION: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0002);
pub(crate) const CREDENTIAL: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0003);
pub(crate) const FLOW: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0004);
pub(crate) const APP: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0005);
pub(crate) const GRANT: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0006);
pub(crate) const EVENT: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0007);
pub(crate) const PROMPT: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0008);
pub(crate) const JOB: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_0009);
pub(crate) const RESTORE: Uuid = Uuid::from_u128(0x0194_6870_6400_7000_8000_0000_0000_000a);

pub(crate) const AUTHORIZATION_URL: &str =
    "https://github.example/oauth/authorize?response_type=code&client_id=tokenry-example&state=example-state";
pub(crate) const BROWSER_URL: &str = "http://127.0.0.1:49152/begin/example";
pub(crate) const APP_ADDRESS: &str = "http://127.0.0.1/cb";
pub(crate) const CODE: &str = "example-code";
pub(crate) const STATE: &str = "example-state";
/// `example`.
pub(crate) const BASE64: &str = "ZXhhbXBsZQ==";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

pub(crate) fn device_code() -> DeviceCode {
    DeviceCode {
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri: "https://github.example/login/device".to_owned(),
        verification_uri_complete: None,
        interval: 5,
    }
}
