//! The HTTP client of all tests: no cookies, no redirects, nothing remembered, so that a test sees what is really sent.

mod async_connection;
mod connection;
mod received;
mod request;

pub use async_connection::AsyncConnection;
pub use connection::{Connection, get, post};
pub use received::Response;
pub use request::Request;
