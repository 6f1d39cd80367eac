//! The checklist's A13, line by line: the server for apps of this machine, with a person who answers in our window.

mod asking;
mod clients;
mod codes;
mod credentials;
mod grants;
mod refreshing;
mod setup;
mod tokens;
