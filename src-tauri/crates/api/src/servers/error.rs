//! Why a server could not start.

use std::{io, path::PathBuf};
use tokenry_core::Code;

/// Why a server could not start. Whatever is at the path of its socket stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another engine uses the socket.
    #[error(
        "another Tokenry engine{} already listens at {}; use that engine, or stop it first",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        path.display()
    )]
    InUse {
        /// The socket.
        path: PathBuf,
        /// Its process, when the system says.
        pid: Option<u32>,
    },
    /// The operating system accepts no socket path of this length.
    #[error(
        "the path of the socket is {} bytes long and may have {max}: {}; set TOKENRY_HOME to a folder with a shorter path",
        path.as_os_str().len(), path.display(), max = tokenry_contract::profile::SOCKET_PATH_MAX
    )]
    PathTooLong {
        /// The socket.
        path: PathBuf,
    },
    /// Something else is at the path of the socket.
    #[error("{} is {what}, so Tokenry left it alone; move it away, or set TOKENRY_HOME to another folder", path.display())]
    NotOurs {
        /// The socket.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Other users could reach the socket.
    #[error("the folder {} {what}; make it private (chmod 700), or set TOKENRY_HOME to another folder", path.display())]
    OpenFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is no place in which pizauth's clients would find a socket.
    #[error(
        "pizauth's clients look for its socket in XDG_RUNTIME_DIR, which is not set; log in to a session that has it"
    )]
    NoRuntimeFolder,
    /// No port for the loopback server.
    #[error("could not open a port on 127.0.0.1 ({source}); stop a program that uses one, and try again")]
    Port {
        /// The error of the system.
        source: io::Error,
    },
    /// The operating system refused.
    #[error("could not create {}: {source}; check its folder, or set TOKENRY_HOME to another one", path.display())]
    Io {
        /// The socket, its folder, or the discovery file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl Error {
    /// The error code of the API.
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } | Self::NotOurs { .. } => Code::Conflict,
            Self::PathTooLong { .. } | Self::OpenFolder { .. } | Self::NoRuntimeFolder => {
                Code::ValidationError
            }
            Self::Port { .. } | Self::Io { .. } => Code::Internal,
        }
    }
}
